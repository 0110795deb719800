"""The server to which a browser comes back."""

from __future__ import annotations

import socket

import httpx
import pytest

from airflow_provider_flux.cli.loopback import loopback
from airflow_provider_flux.cli.values import UsageError


def test_the_first_answer_is_taken_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    with loopback(0) as browser:
        url = f"http://127.0.0.1:{browser.port}"
        assert httpx.get(f"{url}/favicon.ico").status_code == 404
        assert httpx.post(f"{url}/callback?code=x").status_code == 501
        page = httpx.get(f"{url}/callback?code=the%20code&state=s&empty=")
        assert page.status_code == 200
        assert (page.headers["referrer-policy"], page.headers["cache-control"]) == ("no-referrer", "no-store")
        assert "the code" not in page.text
        assert browser.answer(1) == {"code": "the code", "state": "s"}
    assert "code" not in "".join(capfd.readouterr())


def test_nobody_is_waited_for_longer_than_asked() -> None:
    with loopback(0) as browser:
        assert browser.answer(0.01) is None


def test_a_browser_that_connects_and_asks_nothing_stops_nobody() -> None:
    with loopback(0) as browser, socket.create_connection(("127.0.0.1", browser.port)):
        assert httpx.get(f"http://127.0.0.1:{browser.port}/callback?code=c").status_code == 200
        assert browser.answer(1) == {"code": "c"}


def test_a_port_that_is_taken_is_said_with_what_to_do() -> None:
    with loopback(0) as taken:
        says = f"port {taken.port} cannot be used.*--port"
        with pytest.raises(UsageError, match=says), loopback(taken.port):
            raise AssertionError("both listen on one port")
