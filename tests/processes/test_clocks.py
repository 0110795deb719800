"""The three clocks never multiply: counted by the server itself.

Transport: seconds within one attempt. Record: the ladder. Task: Airflow's retries, played here by doing a stage again
in the same epoch.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import ErrorRow
from tests.processes.conftest import Flux, Result, assert_sum_holds, contacts

TRIES = 4
"""Of a task: the first, and three retries."""

QUICK = "{strategy: retry, retry: {max: 3, delay: [1s, 2s, 1s]}}"


def _as_airflow_does(flux: Flux, stage: str) -> list[Result]:
    """A task with its retries, none of them after a permanent error."""
    results = []
    for _ in range(TRIES):
        results.append(flux.stage(stage, "r1"))
        if results[-1].code == 0 or not results[-1].answer["transient"]:
            break
    return results


def _patience(flux: Flux, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    connection = {"conn_type": "flux_rest", "host": flux.saas.url, "extra": {"retry_budget": seconds}}
    monkeypatch.setenv("AIRFLOW_CONN_SAAS", json.dumps(connection))


def _errors(flux: Flux, *states: str) -> list[ErrorRow]:
    with flux.open_store() as store:
        return [error for error in store.errors(ErrorFilter(flow="contacts")) if error.state in states]


# --- an outage: transport times task ------------------------------------------------------------


def test_an_outage_of_10_000_records_leaves_them_unsent(flux: Flux) -> None:
    flux.write_flow(errors="{strategy: retry}")
    flow = flux.folder / "include/flows/contacts.yaml"
    flow.write_text(flow.read_text().replace("size: 50", "size: 5000"))
    flux.saas.put(*contacts(10_000))
    flux.stage("read", "r1")
    flux.stage("transform", "r1")
    flux.saas.status = 503

    results = _as_airflow_does(flux, "write")

    assert [result.answer["code"] for result in results] == ["DESTINATION_OUTAGE"] * TRIES
    assert len(flux.saas.calls) == TRIES * 5  # five batches in a row are an outage, out of 500
    run = flux.run("r1", "settle")
    assert_sum_holds(run)
    assert (run["state"], run["unsent"], run["failed"]) == ("failed", 10_000, 0)
    with flux.open_store() as store:
        assert store.errors(ErrorFilter(flow="contacts")) == []

    flux.saas.status = 200
    again = flux.run("r2")
    assert (again["state"], again["written"]) == ("succeeded", 10_000)


def test_the_clock_of_the_transport_is_that_of_an_attempt_and_not_of_each_batch(
    flux: Flux, monkeypatch: pytest.MonkeyPatch
) -> None:
    _patience(flux, monkeypatch, 1.0)
    flux.write_flow(errors="{strategy: retry}")
    flux.saas.put(*contacts(400))
    flux.stage("read", "r1")
    flux.stage("transform", "r1")
    flux.saas.status = 503
    started = time.monotonic()

    _as_airflow_does(flux, "write")

    # Within a second the first batch is tried twice (0.5 s apart, then 1 s would be too long); the other four once.
    assert TRIES * 5 < len(flux.saas.calls) <= TRIES * (2 + 4)
    assert time.monotonic() - started < TRIES * 2
    assert Counter(Counter(call[0] for call in flux.saas.calls).values()) == {TRIES: 4, 2 * TRIES: 1}


def test_a_source_that_is_down_is_called_once_a_try_when_its_time_is_used_up(flux: Flux) -> None:
    flux.write_flow(errors="{strategy: retry}")
    flux.saas.put(*contacts(200))
    flux.saas.source_status = 503
    results = _as_airflow_does(flux, "read")
    assert [result.answer["code"] for result in results] == ["SOURCE_OUTAGE"] * TRIES
    assert flux.saas.pages == TRIES
    run = flux.run("r1", "settle")
    assert (run["state"], run["read"]) == ("failed", 0)
    assert _errors(flux, "open", "retrying") == []


def test_a_throttle_of_seconds_is_waited_out_and_nothing_else_notices(
    flux: Flux, monkeypatch: pytest.MonkeyPatch
) -> None:
    _patience(flux, monkeypatch, 10)
    flux.write_flow(errors="{strategy: retry}")
    flux.saas.put(*contacts(60))
    flux.saas.batch_status = lambda records: 429 if len(flux.saas.calls) == 2 else 200
    run = flux.run("r1")
    assert (run["state"], run["written"]) == ("succeeded", 60)
    assert len(flux.saas.calls) == 4
    assert _errors(flux, "retrying", "open") == []


# --- the ladder: one call a rung -----------------------------------------------------------------


def _retry_when_due(flux: Flux, number: int) -> dict[str, Any]:
    """The run that settle's timer would start, when all that waits is due."""
    with flux.open_store() as store:
        assert store.next_due("contacts") is not None, "nothing waits for its next try"
    due = max(datetime.fromisoformat(error.due_at or "") for error in _errors(flux, "retrying"))
    time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
    run = flux.run(f"ladder{number}", trigger="retry", replay={"due": True})
    assert_sum_holds(run)
    return run


def _calls_of(flux: Flux, key: str) -> int:
    return sum(key in call for call in flux.saas.calls)


def test_a_record_is_sent_four_times_and_attempt_five_is_no_call(flux: Flux) -> None:
    flux.write_flow(errors=QUICK)
    flux.saas.put(*contacts(60))
    flux.saas.record_status = lambda record: 429 if record["id"] in ("c00007", "c00033") else 200
    assert flux.run("r1")["written"] == 58

    waits = []
    for rung in range(1, 4):
        [first, second] = _errors(flux, "retrying")
        assert first.due_at is not None
        waits.append(datetime.fromisoformat(first.due_at) - datetime.fromisoformat(first.occurred_at))
        assert (first.rung, first.attempt) == (second.rung, second.attempt) == (rung - 1, rung)
        run = _retry_when_due(flux, rung)
        assert (run["state"], run["read"], run["failed"]) == ("partial", 2, 2)
        assert (_calls_of(flux, "c00007"), _calls_of(flux, "c00033")) == (rung + 1, rung + 1)

    assert [wait.total_seconds() for wait in waits] == [1.0, 2.0, 1.0]
    assert {(error.state, error.rung, error.attempt) for error in _errors(flux, "retrying", "open")} == {("open", 3, 4)}
    with flux.open_store() as store:
        assert store.next_due("contacts") is None
        history = store.attempts(_errors(flux, "open")[0])
    assert [row.attempt for row in history] == [1, 2, 3, 4]
    assert len(flux.saas.calls) == 3 + 3


def test_a_record_that_gets_through_on_its_second_try_is_resolved(flux: Flux) -> None:
    flux.write_flow(errors=QUICK)
    flux.saas.put(*contacts(60))
    flux.saas.record_status = lambda record: 429 if record["id"] == "c00007" else 200
    flux.run("r1")
    flux.saas.record_status = lambda record: 200
    run = _retry_when_due(flux, 1)
    assert (run["state"], run["written"]) == ("succeeded", 1)
    assert _errors(flux, "retrying", "open") == []
    [error] = _errors(flux, "resolved")
    assert error.resolved_by == "ladder1"
    assert len(flux.saas.upserted) == 60


def test_a_tick_leaves_alone_what_waits_for_its_next_try_and_a_new_version_ends_the_waiting(flux: Flux) -> None:
    flux.write_flow(errors=QUICK)
    flux.saas.put(*contacts(60))
    flux.saas.record_status = lambda record: 429 if record["id"] == "c00007" else 200
    flux.run("r1", trigger="scheduled")
    assert flux.run("r2", trigger="scheduled")["failed"] == 0
    assert _calls_of(flux, "c00007") == 1

    flux.saas.record_status = lambda record: 200
    flux.saas.put(contacts(8, minute=2)[7])
    assert flux.run("r3", trigger="scheduled")["written"] == 1
    assert _calls_of(flux, "c00007") == 2
    assert [error.resolved_by for error in _errors(flux, "resolved")] == ["r3"]
    with flux.open_store() as store:
        assert store.next_due("contacts") is None


@pytest.mark.parametrize("mode", ["upsert", "create"])
def test_a_ladder_run_makes_one_call_a_batch_while_the_destination_is_down_and_never_fails_its_task(
    flux: Flux, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    flux.write_flow(errors=QUICK, mode=mode)
    flux.saas.put(*contacts(60))
    flux.saas.batch_status = lambda records: 429 if records[0]["id"] in ("c00020", "c00040") else 200
    assert flux.run("r1")["failed"] == 40
    _patience(flux, monkeypatch, 60)  # which the ladder's own clock replaces
    flux.saas.status = 503
    for rung in range(1, 4):
        flux.saas.calls.clear()
        run = _retry_when_due(flux, rung)
        assert (run["state"], run["failed"], run["unsent"]) == ("partial", 40, 0)
        assert [len(call) for call in flux.saas.calls] == [20, 20]
    assert len(_errors(flux, "open")) == 40
    assert _errors(flux, "retrying") == []
    stored = flux.saas.upserted if mode == "upsert" else flux.saas.inserted
    assert len(stored) == 20


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_ladder_run_whose_answer_is_lost_asks_the_destination_and_doubles_nothing(flux: Flux, moment: str) -> None:
    flux.write_flow(errors=QUICK, mode="create")
    flow = flux.folder / "include/flows/contacts.yaml"
    find = "  find: {path: '/inserted/{key}', id: id}\n"
    flow.write_text(flow.read_text().replace("  batch_size", f"{find}  batch_size"))
    flux.saas.put(*contacts(60))
    flux.saas.record_status = lambda record: 429 if record["id"] in ("c00007", "c00033") else 200
    assert flux.run("r1")["written"] == 58
    flux.saas.record_status = lambda record: 200

    def lose_the_answer(number: int, now: str) -> None:
        if now == moment:
            raise ConnectionResetError

    flux.saas.on_write = lose_the_answer
    time.sleep(1.1)
    order: dict[str, Any] = {"trigger": "retry", "replay": {"due": True}}
    flux.stage("read", "ladder1", **order)
    flux.stage("transform", "ladder1", **order)
    failed = flux.stage("write", "ladder1", **order)
    assert (failed.answer["code"], failed.answer["transient"]) == ("CONNECTION_TIMEOUT", True)

    flux.saas.on_write = lambda number, now: None
    run = flux.run("ladder1", "write settle", **order)
    assert (run["state"], run["written"]) == ("succeeded", 2)
    assert Counter(record["id"] for record in flux.saas.inserted) == dict.fromkeys(flux.saas.contacts, 1)
    assert _errors(flux, "retrying", "open", "held") == []


def test_a_ladder_run_calls_off_what_is_left_of_an_outage_and_its_records_keep_their_rung(flux: Flux) -> None:
    flux.write_flow(errors="{strategy: retry, outage_after: 2, retry: {max: 1, delay: [1s]}}")
    flux.saas.put(*contacts(200))
    flux.saas.record_status = lambda record: 429 if int(record["id"][1:]) % 2 else 200
    assert flux.run("r1")["failed"] == 100
    flux.saas.calls.clear()
    flux.saas.status = 503
    run = _retry_when_due(flux, 1)
    assert (run["state"], run["failed"]) == ("partial", 100)
    assert len(flux.saas.calls) == 2
    assert Counter(error.state for error in _errors(flux, "open", "retrying")) == {"open": 40, "retrying": 60}
    flux.saas.status = 200
    flux.saas.record_status = lambda record: 200
    assert _retry_when_due(flux, 2)["written"] == 60
