"""A connection breaks, recovers by itself, is switched off and on: what its health says, and what its flow does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from airflow_provider_flux.stages.advice import advice
from airflow_provider_flux.stages.health import health_line
from airflow_provider_flux.store.health import ConnectionRow
from tests.contracts.servers.wire import Call, Reply, serve
from tests.processes.conftest import Flux, assert_sum_holds, contacts
from tests.processes.saas import Saas


@dataclass
class Gate:
    """Stands before the SaaS and lets calls through, or answers in its place.

    :param replies: what the next calls are answered with, one after another
    :param always: what every call is answered with
    """

    saas: Saas
    calls: int = 0
    replies: list[Reply] = field(default_factory=list)
    always: Reply | None = None

    def __call__(self, call: Call) -> Reply:
        self.calls += 1
        if self.always is not None:
            return self.always
        if self.replies and call.method != "HEAD":
            return self.replies.pop(0)
        if call.method == "POST":
            return Reply(*self.saas.write(call.path, call.json()["records"]))
        return Reply(200, self.saas.page({name: values[0] for name, values in call.query.items()}))


@pytest.fixture
def gate(flux: Flux, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    flux.saas.put(*contacts(10))
    gate = Gate(flux.saas)
    with serve(gate) as wire:
        connection = {"conn_type": "flux_rest", "host": wire.url, "password": "s3cr3t", "extra": {"retry_budget": 2}}
        monkeypatch.setenv("AIRFLOW_CONN_SAAS", json.dumps(connection))
        yield gate


def health(flux: Flux) -> ConnectionRow:
    with flux.open_store() as store:
        row = store.connection("saas")
    assert row is not None
    return row


def calls(flux: Flux) -> dict[str, int]:
    """Calls by kind, in all hours."""
    with flux.open_store() as store:
        found: dict[str, int] = {}
        for row in store.calls("2000-01-01T00"):
            found[row.kind] = found.get(row.kind, 0) + row.count
    return found


def line(flux: Flux) -> str:
    with flux.open_store() as store:
        return health_line(store, "saas")


def tick(flux: Flux, run_id: str) -> dict[str, object]:
    """A scheduled run of all stages, as far as it comes; its row as settle left it."""
    for stage in ("read", "transform", "write"):
        if flux.stage(stage, run_id).code:
            break
    run: dict[str, object] = flux.stage("settle", run_id).answer["run"]
    return run


def test_a_refused_key_degrades_the_connection_and_one_good_call_makes_it_active(flux: Flux, gate: Gate) -> None:
    assert line(flux) == "saas is pending: no call was made over it yet"
    gate.always = Reply(401, {"message": "the key was revoked"})
    run = tick(flux, "r1")
    assert (run["state"], run["error_stage"], run["error_code"]) == ("failed", "read", "AUTHENTICATION_FAILED")
    row = health(flux)
    assert (row.state, row.connector, row.bad_kind, row.bad_code) == (
        "degraded", "rest", "auth", "AUTHENTICATION_FAILED",
    )  # fmt: skip
    assert "the key was revoked" in str(row.bad_message)
    assert calls(flux) == {"auth": gate.calls}
    assert line(flux).startswith(f"saas is degraded: auth x {gate.calls} since ")
    assert line(flux).endswith("no good call yet")

    before = gate.calls
    assert tick(flux, "r2")["state"] == "failed"  # a degraded connection is tried by every tick
    assert gate.calls > before

    gate.always = None  # somebody mended it over there; nothing is clicked here
    run = tick(flux, "r3")
    assert_sum_holds(run)
    assert (run["state"], run["written"]) == ("succeeded", 10)
    assert health(flux).state == "active"
    assert line(flux).startswith("saas is active: auth x ")


def test_throttles_that_were_overcome_are_counted(flux: Flux, gate: Gate) -> None:
    gate.replies = [Reply(429, headers={"Retry-After": "0"}), Reply(503)]
    run = tick(flux, "r1")
    assert run["state"] == "succeeded"
    counted = calls(flux)
    assert (counted["rate limit"], counted["outage"]) == (1, 1)
    assert sum(counted.values()) == gate.calls
    assert health(flux).state == "active"


DAY = Reply(
    429,
    {"message": "You have reached your daily limit."},
    {"Retry-After": "0", "X-HubSpot-RateLimit-Daily-Remaining": "0"},
)


@pytest.mark.parametrize("stage", ["read", "write"])
def test_a_used_up_quota_fails_the_task_for_good_and_the_next_tick_goes_on(
    flux: Flux, gate: Gate, stage: str
) -> None:
    for before in ("read", "transform") if stage == "write" else ():
        assert flux.stage(before, "r1").code == 0
    made, gate.always = gate.calls, DAY
    answer = flux.stage(stage, "r1").answer
    assert (answer["code"], answer["transient"]) == ("QUOTA_EXHAUSTED", False)  # Airflow does not retry it
    assert gate.calls - made == (1 if stage == "write" else 2)  # a read asks for the clock, too
    run = flux.stage("settle", "r1").answer["run"]
    assert (run["state"], run["error_stage"], run["error_code"]) == ("failed", stage, "QUOTA_EXHAUSTED")
    assert (run["failed"], run["unsent"]) == (0, 10 if stage == "write" else 0)
    assert (health(flux).state, health(flux).bad_kind) == ("degraded", "rate limit")
    assert "the next tick goes on where this one stopped" in str(run["error_next_step"])
    assert advice("saas", health(flux).bad_kind)[0].startswith("429 means a rate limit")

    gate.always = None  # midnight
    run = tick(flux, "r2")
    assert_sum_holds(run)
    assert (run["state"], run["written"]) == ("succeeded", 10)
    assert health(flux).state == "active"


@pytest.mark.parametrize("broken", [Reply(200, b"<html><title>Maintenance</title></html>"), Reply(200, b'{"data": [')])
def test_an_answer_that_nobody_can_read_is_an_outage(flux: Flux, gate: Gate, broken: Reply) -> None:
    gate.replies = [broken] * 5
    assert tick(flux, "r1")["error_code"] == "UNREADABLE_ANSWER"
    assert (health(flux).state, health(flux).bad_kind) == ("degraded", "outage")


def test_records_that_are_refused_do_not_degrade(flux: Flux, gate: Gate) -> None:
    flux.saas.put(*contacts(10, long_names=3))
    run = tick(flux, "r1")
    assert (run["state"], run["failed"]) == ("partial", 3)
    assert health(flux).state == "active"


def test_a_disabled_connection_is_not_called_and_the_next_tick_after_enable_resumes(flux: Flux, gate: Gate) -> None:
    with flux.open_store() as store:
        store.disable_connection("saas", "rest", "ann", "account in migration")
    result = flux.stage("read", "r1")
    assert (result.code, result.answer["code"], result.answer["transient"]) == (1, "CONNECTION_DISABLED", False)
    assert "by ann: account in migration" in result.answer["message"]
    run = flux.stage("settle", "r1").answer["run"]
    assert (run["state"], run["error_code"]) == ("failed", "CONNECTION_DISABLED")
    assert "airflow-flux connectors enable saas" in run["error_next_step"]
    assert gate.calls == 0

    with flux.open_store() as store:
        store.enable_connection("saas")
    run = tick(flux, "r2")
    assert_sum_holds(run)
    assert (run["state"], run["written"]) == ("succeeded", 10)


def test_a_connection_disabled_between_the_stages_stops_write_before_its_first_call(flux: Flux, gate: Gate) -> None:
    for stage in ("read", "transform"):
        assert flux.stage(stage, "r1").code == 0
    before = gate.calls
    with flux.open_store() as store:
        store.disable_connection("saas", "rest", "ann", "stop")
    assert flux.stage("write", "r1").answer["code"] == "CONNECTION_DISABLED"
    assert gate.calls == before
    run = flux.stage("settle", "r1").answer["run"]
    assert_sum_holds(run)
    assert (run["written"], run["unsent"]) == (0, 10)
    with flux.open_store() as store:
        store.enable_connection("saas")
    run = tick(flux, "r2")
    assert (run["state"], run["written"]) == ("succeeded", 10)


def test_a_connection_that_cannot_be_opened_is_degraded_without_a_call(
    flux: Flux, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SAAS", json.dumps({"conn_type": "flux_rest", "host": ""}))
    assert flux.stage("read", "r1").answer["code"] == "CONNECTION_INVALID"
    assert (health(flux).state, health(flux).bad_kind, gate.calls) == ("degraded", "connection", 0)


def test_a_stage_in_a_process_of_its_own_notes_its_calls(flux: Flux, gate: Gate) -> None:
    process = flux.start("read", "r1")
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert calls(flux) == {"ok": gate.calls}
