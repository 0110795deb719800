"""The Test button of a connection."""

from __future__ import annotations

import pytest

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.errors import FluxError
from tests.contracts.conftest import Bench, credentials
from tests.contracts.servers.wire import Reply, script, unused_port


@pytest.mark.parametrize("status", [200, 204, 404])
def test_an_api_that_answers_at_all_is_reachable(bench: Bench, status: int) -> None:
    wire = bench.server(script(Reply(status, {})))
    said = registry.get("rest").test(credentials(wire, password="token"))
    assert said.startswith(f"GET / of 127.0.0.1 answered HTTP {status} in ")
    assert wire.calls[0].headers["authorization"] == "Bearer token"


def test_the_path_of_the_connection_is_asked(bench: Bench) -> None:
    wire = bench.server(script(Reply(200, {}), Reply(404, {})))
    connection = credentials(wire, extra={"test_path": "/v1/me"})
    registry.get("rest").test(connection)
    assert wire.paths() == ["GET /v1/me"]
    with pytest.raises(FluxError, match="HTTP 404"):
        registry.get("rest").test(connection)


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "AUTHENTICATION_FAILED"), (403, "PERMISSION_DENIED"), (429, "RATE_LIMIT_EXCEEDED"), (503, "SOURCE_OUTAGE")],
)
def test_a_refusal_is_an_error_at_once(bench: Bench, status: int, code: str) -> None:
    wire = bench.server(script(Reply(status, {})))
    with pytest.raises(FluxError) as caught:
        registry.get("rest").test(credentials(wire, password="token"))
    assert (caught.value.code, len(wire.calls)) == (code, 1)
    if status == 401:
        assert "field 'password'" in caught.value.next_step


def test_a_host_that_does_not_answer_is_named() -> None:
    port = unused_port()
    with pytest.raises(FluxError, match=f"127.0.0.1:{port} cannot be reached"):
        registry.get("rest").test(credentials(f"http://127.0.0.1:{port}"))
