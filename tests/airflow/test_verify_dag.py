"""Verifying from Airflow: a task calls the system, signs in like any task, and notes the health."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.operators.verify import FluxVerifyOperator
from airflow_provider_flux.store import open_store
from tests.airflow.running_airflow import RunningAirflow
from tests.contracts.servers.oauth import CLIENT, SECRET, OAuthServer
from tests.contracts.servers.wire import Reply, Wire, serve


@pytest.fixture
def server() -> OAuthServer:
    return OAuthServer()


@pytest.fixture
def wire(server: OAuthServer) -> Iterator[Wire]:
    with serve(server.answer) as wire:
        yield wire


@pytest.mark.timeout(180)
def test_a_connection_is_verified_by_a_run_that_somebody_starts(
    airflow_standalone: RunningAirflow, server: OAuthServer, wire: Wire
) -> None:
    airflow, first = airflow_standalone, server.refresh_token()
    extra = {
        "client_id": CLIENT, "client_secret": SECRET, "token_url": f"{wire.url}/token", "refresh_token": first,
        "auth": "refresh_token", "test_path": "/v1/me",
    }  # fmt: skip
    airflow.connection("verify_crm", conn_type="flux_rest", host=wire.url, extra=json.dumps(extra))
    good = airflow.trigger("flux_verify", {"connection": "verify_crm"})
    assert airflow.wait("flux_verify", good) == "success"
    found = airflow.xcom("flux_verify", good, "verify")
    assert (found["state"], found["proved"]) == ("active", True)
    with open_store(airflow.store_url) as store:
        row = store.connection("verify_crm")
    assert row is not None and row.state == "active"

    server.revoke()
    server.troubles.extend([Reply(400, {"error": "invalid_grant", "error_description": f"{first} is used"})] * 2)
    bad = airflow.trigger("flux_verify", {"connection": "verify_crm"})
    assert airflow.wait("flux_verify", bad) == "failed"
    log = airflow.log("flux_verify", bad, "verify")
    assert "airflow-flux connectors reconnect verify_crm" in log
    with open_store(airflow.store_url) as store:
        row = store.connection("verify_crm")
    assert row is not None and (row.state, row.bad_kind) == ("degraded", "auth")
    shown = log + airflow.log("flux_verify", good, "verify") + json.dumps(found) + str(row)
    for secret in (SECRET, first, "refresh-token-", *server.granted):
        assert secret not in shown


def test_an_empty_order_is_refused_before_a_run_is_made(airflow_standalone: RunningAirflow) -> None:
    status, _ = airflow_standalone.refusal("flux_verify", {"connection": ""})
    assert status == 400


def test_a_connection_that_no_flow_uses_is_verified_by_its_type(
    airflow_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "include/flows").mkdir(parents=True)
    monkeypatch.setenv("AIRFLOW__FLUX__INCLUDE", str(tmp_path / "include"))
    warehouse = {"conn_type": "flux_sql", "host": str(tmp_path / "w.db"), "extra": {"dialect": "sqlite"}}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(warehouse))
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", json.dumps({"conn_type": "aws"}))
    operator = FluxVerifyOperator(task_id="verify")
    with pytest.raises(AirflowFailException, match=r"warehouse is degraded \(connection\).*field 'host'"):
        operator.execute({"params": {"connection": "warehouse"}})
    (tmp_path / "w.db").touch()
    assert operator.execute({"params": {"connection": "warehouse"}})["state"] == "active"
    with pytest.raises(AirflowFailException, match="of the type 'aws', which no connector of Flux is for"):
        operator.execute({"params": {"connection": "lake"}})
    with pytest.raises(FluxError, match="connection 'nowhere' does not exist"):
        operator.execute({"params": {"connection": "nowhere"}})
