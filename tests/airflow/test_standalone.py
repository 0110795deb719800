"""A flow through a real Airflow: scheduler, executor, API server, DAG processor."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from airflow_provider_flux.provider_info import get_provider_info
from airflow_provider_flux.store import open_store
from airflow_provider_flux.store.rows import Run
from tests.airflow.flows import MAPPING, contacts, flow_text, make_database, read_contacts
from tests.airflow.running_airflow import AirflowFault, RunningAirflow

KEY = "a-key-that-no-log-may-show"
REST_FLOW = """\
description: Contacts of an API into SQLite
source:
  connector: rest
  connection: face_api
  path: /contacts
  records: data
  key: id
  cursor: {field: updated_at}
  page: {kind: next_url, next: next}
destination: {connector: sql, connection: face_dst, table: contacts, key: id}
mapping: contacts
"""


class _Api(BaseHTTPRequestHandler):
    """Three pages of 40 contacts, of which the first three have a bad address; only with the key."""

    def do_GET(self) -> None:
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            self._answer(401, {"error": "bad key"})
            return
        page = int(self.path.partition("page=")[2] or 0)
        rows = contacts(120, bad=3)[page * 40 : page * 40 + 40]
        data = [{"id": id_, "email": email, "updated_at": at} for id_, email, at in rows]
        self._answer(200, {"data": data, "next": f"/contacts?page={page + 1}" if page < 2 else None})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Api)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def flux(airflow_standalone: RunningAirflow, api: str) -> RunningAirflow:
    """The running Airflow with the connections and the mapping of this module."""
    airflow = airflow_standalone
    airflow.write("mappings/contacts/v1.yaml", MAPPING)
    airflow.connection("face_api", conn_type="flux_rest", host=api, password=KEY)
    airflow.connection("face_wrong_key", conn_type="flux_rest", host=api, password="wrong-key-1234")
    for name in ("src", "dst"):
        file = make_database(airflow.home / f"face_{name}.db", contacts(10) if name == "src" else [])
        airflow.connection(f"face_{name}", conn_type="flux_sql", host=str(file), extra='{"dialect": "sqlite"}')
    return airflow


def _recorded(airflow: RunningAirflow, flow: str, run_id: str) -> Run:
    """What Flux's own store says about a run."""
    store = open_store(airflow.store_url)
    run = store.run(flow, run_id)
    store.close()
    assert run is not None
    return run


@pytest.mark.timeout(300)
def test_a_flow_runs_through_the_scheduler(flux: RunningAirflow) -> None:
    flux.write("flows/face_rest.yaml", REST_FLOW)
    run_id = flux.trigger("face_rest")
    assert flux.wait("face_rest", run_id) == "success", flux.log("face_rest", run_id, "settle")
    assert read_contacts(flux.home / "face_dst.db") == [(n, f"user{n}@example.com") for n in range(4, 121)]
    assert flux.xcom("face_rest", run_id, "settle") == {
        "flow": "face_rest",
        "run_id": run_id,
        "state": "partial",
        "counts": {
            "read": 120, "written": 117, "skipped": 0, "deduplicated": 0, "failed": 3, "held": 0, "unsent": 0,
        },
    }  # fmt: skip
    read = flux.xcom("face_rest", run_id, "read")
    assert (read["records"], read["epoch"], read["stage"]) == (120, 0, "read")
    log = flux.log("face_rest", run_id, "settle")
    assert "PARTIAL: run" in log
    assert "3 x Invalid email" in log
    for task in ("read", "transform", "write", "settle"):
        assert KEY not in flux.log("face_rest", run_id, task)


@pytest.mark.timeout(300)
def test_the_failed_records_of_a_run_are_replayed_in_a_run_of_their_own(flux: RunningAirflow) -> None:
    flux.write("flows/face_replay.yaml", REST_FLOW)
    first = flux.trigger("face_replay")
    assert flux.wait("face_replay", first) == "success"
    second = flux.trigger("face_replay", {"replay": {"run": first}})
    assert flux.wait("face_replay", second) == "success"
    replay = _recorded(flux, "face_replay", second)
    assert (replay.trigger, replay.replay_of) == ("replay", first)
    assert (replay.read, replay.written, replay.failed) == (3, 0, 3)


@pytest.mark.timeout(300)
def test_a_scheduled_run_and_a_backfill_know_what_they_are(flux: RunningAirflow) -> None:
    text = flow_text("schedule: {every: 1d}\n", source="face_src", destination="face_dst")
    flux.write("flows/face_tick.yaml", text)
    flux.unpause("face_tick")
    flux.until("the first tick", lambda: flux.runs("face_tick"))
    [tick] = flux.runs("face_tick")
    assert flux.wait("face_tick", tick) == "success"
    [back] = flux.backfill("face_tick", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
    assert flux.wait("face_tick", back) == "success"
    scheduled, backfill = _recorded(flux, "face_tick", tick), _recorded(flux, "face_tick", back)
    assert (scheduled.trigger, backfill.trigger) == ("scheduled", "backfill")
    interval_end = flux.run("face_tick", tick)["data_interval_end"]
    assert scheduled.window_end == interval_end.replace("Z", ".000000Z")
    assert (backfill.window_start, backfill.window_end) == (
        "2026-01-01T00:00:00.000000Z",
        "2026-01-02T00:00:00.000000Z",
    )
    assert backfill.read == 10


@pytest.mark.timeout(300)
def test_a_clear_opens_a_new_epoch_and_a_retry_does_not(flux: RunningAirflow) -> None:
    flux.write("flows/face_epoch.yaml", flow_text(source="face_src", destination="face_dst"))
    run_id = flux.trigger("face_epoch")
    assert flux.wait("face_epoch", run_id) == "success"
    flux.clear("face_epoch", run_id, "write")
    flux.until("the run goes on", lambda: flux.run("face_epoch", run_id)["state"] in ("queued", "running"))
    assert flux.wait("face_epoch", run_id) == "success"
    epochs = {task: flux.xcom("face_epoch", run_id, task)["epoch"] for task in ("read", "transform", "write")}
    assert epochs == {"read": 0, "transform": 0, "write": 1}


@pytest.mark.timeout(300)
def test_a_permanent_failure_is_red_is_not_retried_and_ends_with_the_trace(flux: RunningAirflow) -> None:
    flux.write("flows/face_wrong_key.yaml", REST_FLOW.replace("face_api", "face_wrong_key"))
    run_id = flux.trigger("face_wrong_key")
    assert flux.wait("face_wrong_key", run_id) == "failed"
    tasks = flux.tasks("face_wrong_key", run_id)
    assert {name: task["state"] for name, task in tasks.items()} == {
        "read": "failed", "transform": "upstream_failed", "write": "upstream_failed", "settle": "failed",
    }  # fmt: skip
    assert {tasks[name]["try_number"] for name in ("read", "settle")} == {1}
    for task in ("read", "settle"):
        log = flux.log("face_wrong_key", run_id, task)
        assert "failed in read: Authentication failed (AUTHENTICATION_FAILED)" in log
        assert "wrong-key-1234" not in log
    run = _recorded(flux, "face_wrong_key", run_id)
    assert (run.state, run.error_stage, run.error_code) == ("failed", "read", "AUTHENTICATION_FAILED")


@pytest.mark.timeout(300)
def test_a_transient_failure_is_retried_on_the_ladder_and_once_more_after_a_clear(flux: RunningAirflow) -> None:
    down = {"host": "127.0.0.1", "port": 9, "schema": "nobody"}
    flux.connection("face_down", conn_type="flux_sql", extra='{"dialect": "postgresql"}', **down)
    flux.write("flows/face_down.yaml", flow_text(source="face_down", destination="face_dst"))
    run_id = flux.trigger("face_down")
    assert flux.wait("face_down", run_id) == "failed"
    assert flux.tasks("face_down", run_id)["read"]["try_number"] == 4
    assert "Retry policy decision" in flux.log("face_down", run_id, "read", 1)
    flux.connection("face_down", conn_type="flux_sql", extra='{"dialect": "klingon"}')  # no retry can mend this
    flux.clear("face_down", run_id, "read")
    assert flux.wait("face_down", run_id) == "failed"
    assert flux.tasks("face_down", run_id)["read"]["try_number"] == 5


@pytest.mark.timeout(300)
def test_only_the_bad_flow_stands_among_the_import_errors(flux: RunningAirflow) -> None:
    flux.write("flows/face_good.yaml", flow_text(source="face_src", destination="face_dst"))
    bad = flux.write("flows/face_bad.yaml", flow_text("shedule: {every: 1h}\n"))
    error = flux.wait_for_import_error("flux_flow_errors.py", "face_bad.yaml")
    assert "shedule" in error
    assert "did you mean `schedule`" in error.lower() or "schedule" in error
    flux.wait_for_dag("face_good")
    assert "flux_flows.py" not in flux.import_errors()
    bad.unlink()
    flux.reparse()
    flux.wait_for_import_error("flux_flow_errors.py", "")


@pytest.mark.timeout(300)
def test_a_run_with_a_misspelt_parameter_is_refused_before_it_starts(flux: RunningAirflow) -> None:
    flux.write("flows/face_params.yaml", flow_text(source="face_src", destination="face_dst"))
    with pytest.raises(AirflowFault, match=r"400 .*replay"):
        flux.trigger("face_params", {"replay": {"run": "x", "recrods": 1}})
    assert flux.runs("face_params") == []


@pytest.mark.timeout(300)
def test_the_command_line_finds_a_connection_in_airflows_database(flux: RunningAirflow) -> None:
    script = "from airflow_provider_flux.hooks.connections import credentials; print(credentials('face_src').host)"
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, env=flux.environment, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == str(flux.home / "face_src.db")


@pytest.mark.timeout(300)
def test_the_connection_form_reaches_the_ui(flux: RunningAirflow) -> None:
    forms = {form["connection_type"]: form for form in flux.get("/ui/connections/hook_meta")}
    assert forms["flux_rest"]["standard_fields"]["password"]["title"] == "API key, token or password"
    for declared in get_provider_info()["connection-types"]:
        shown = forms[declared["connection-type"]]
        assert shown["hook_name"] == declared["hook-name"]
        assert set(shown["extra_fields"]) == set(declared["conn-fields"])
