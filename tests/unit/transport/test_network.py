"""Exceptions of the network are told apart by their class, along its hierarchy."""

from __future__ import annotations

import socket

import httpx
import pytest

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.masking import Masker
from airflow_provider_flux.transport.network import failure
from airflow_provider_flux.transport.retry import AttemptFailed

BASE = httpx.URL("https://api.example.com:8443/v1")


def judged(error: httpx.HTTPError) -> Exception:
    return failure(error, "crm", BASE, "GET /v1/x", Masker(["s3cret"]))


class SlowerThanEver(httpx.ReadTimeout):
    """What a later httpx may raise."""


class NewKind(httpx.TransportError):
    """The same."""


@pytest.mark.parametrize(
    ("error", "words", "sent"),
    [
        (httpx.ConnectTimeout("x"), "api.example.com:8443 could not be reached in time", False),
        (httpx.PoolTimeout("x"), "no connection to api.example.com:8443 became free in time", False),
        (httpx.ConnectError("refused"), "api.example.com:8443 cannot be reached: refused", False),
        (httpx.ProxyError("407"), "the proxy did not reach api.example.com:8443: 407", False),
        (httpx.ReadTimeout("x"), "api.example.com:8443 did not answer in time", True),
        (httpx.WriteTimeout("x"), "api.example.com:8443 did not answer in time", True),
        (SlowerThanEver("x"), "api.example.com:8443 did not answer in time", True),
        (httpx.ReadError("reset by s3cret"), "the connection to api.example.com:8443 was lost: reset by ***", True),
        (NewKind("x"), "the connection to api.example.com:8443 was lost: x", True),
        (httpx.RemoteProtocolError("cut"), "api.example.com:8443 broke off its answer: cut", True),
        (httpx.DecodingError("gzip"), "the compressed answer of api.example.com:8443 is broken: gzip", True),
    ],
)
def test_trouble_that_may_pass_is_a_timeout_of_the_connection(error: httpx.HTTPError, words: str, sent: bool) -> None:
    failed = judged(error)
    assert isinstance(failed, AttemptFailed)
    assert (failed.error.code, failed.sent) == ("CONNECTION_TIMEOUT", sent)
    assert failed.error.message == f"connection 'crm': {words} (GET /v1/x)"


def test_what_lies_at_the_bottom_is_asked_first() -> None:
    error = httpx.ConnectError("x")
    error.__cause__ = socket.gaierror(-2, "Name or service not known")
    failed = judged(error)
    assert isinstance(failed, AttemptFailed)
    assert "the host name api.example.com is not known" in failed.error.message


@pytest.mark.parametrize("kind", [httpx.LocalProtocolError, httpx.UnsupportedProtocol])
def test_what_can_never_be_sent_is_not_tried_again(kind: type[httpx.HTTPError]) -> None:
    failed = judged(kind("an illegal header"))
    assert isinstance(failed, FluxError)
    assert (failed.code, failed.transient) == ("BAD_REQUEST", False)
