"""What becomes of records that fail, by the flow's strategy, seen from the server, the store and the sums."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from airflow_provider_flux.store.error_rows import UNSETTLED
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import ErrorRow
from tests.processes.conftest import Flux, assert_sum_holds, contacts

COUNT = 200
BATCHES = COUNT // 20


def _batch_status(status: int, *numbers: int) -> Callable[[list[dict[str, Any]]], int]:
    """Answer with this status to every batch that holds one of these contacts."""
    ids = {f"c{number:05d}" for number in numbers}
    return lambda records: status if ids & {record["id"] for record in records} else 200


def _record_status(status: int, *numbers: int) -> Callable[[dict[str, Any]], int]:
    ids = {f"c{number:05d}" for number in numbers}
    return lambda record: status if record["id"] in ids else 200


def _errors(flux: Flux) -> list[ErrorRow]:
    with flux.open_store() as store:
        return store.errors(ErrorFilter(flow="contacts", state=UNSETTLED))


def _write_one_by_one(flux: Flux) -> None:
    flow = flux.folder / "include/flows/contacts.yaml"
    text = flow.read_text()
    batch = text[text.index("  batch: {records") : text.index("mapping:")]
    alone = "  method: POST\n  idempotent: true\n  body: {records: ['{record}']}\n"
    flow.write_text(text.replace(batch, alone))


def _due_in(error: ErrorRow) -> float:
    assert error.due_at is not None
    return (datetime.fromisoformat(error.due_at) - datetime.fromisoformat(error.occurred_at)).total_seconds()


# --- retry ------------------------------------------------------------------------------------


def test_a_transient_error_of_a_record_waits_for_its_next_try_and_a_permanent_one_for_a_person(flux: Flux) -> None:
    flux.write_flow(errors="{strategy: retry}")
    flux.saas.put(*contacts(COUNT, bad_phones=1, long_names=1))
    flux.saas.record_status = _record_status(429, 7, 150)

    run = flux.run("r1")

    assert_sum_holds(run)
    assert (run["state"], run["written"], run["failed"], run["held"]) == ("partial", COUNT - 4, 4, 0)
    states = {error.source_key: (error.state, error.code) for error in _errors(flux)}
    assert states == {
        "c00000": ("open", "INVALID_FORMAT"),
        "c00001": ("open", "VALUE_TOO_LONG"),
        "c00007": ("retrying", "RATE_LIMIT_EXCEEDED"),
        "c00150": ("retrying", "RATE_LIMIT_EXCEEDED"),
    }
    waiting = [error for error in _errors(flux) if error.state == "retrying"]
    assert [(_due_in(error), error.rung) for error in waiting] == [(60.0, 0), (60.0, 0)]
    assert {(error.connector, error.connection) for error in waiting} == {("rest", "saas")}


def test_the_strategy_of_a_code_goes_before_that_of_the_flow(flux: Flux) -> None:
    flux.write_flow(errors="{codes: {RATE_LIMIT_EXCEEDED: retry, INVALID_FORMAT: review}}")
    flux.saas.put(*contacts(COUNT, bad_phones=1, long_names=1))
    flux.saas.record_status = _record_status(429, 7)
    run = flux.run("r1")
    assert (run["failed"], run["held"]) == (2, 1)
    assert {error.source_key: error.state for error in _errors(flux)} == {
        "c00000": "held",
        "c00001": "open",
        "c00007": "retrying",
    }


@pytest.mark.parametrize("mode", ["upsert", "create"])
@pytest.mark.parametrize("in_flight", [1, 4])
def test_a_throttled_batch_goes_to_the_ladder_while_the_destination_takes_others(
    flux: Flux, in_flight: int, mode: str
) -> None:
    flux.write_flow(errors="{strategy: retry}", in_flight=in_flight, mode=mode)
    flux.saas.put(*contacts(COUNT))
    flux.saas.batch_status = _batch_status(429, 30, 199)

    run = flux.run("r1")

    assert_sum_holds(run)
    assert (run["state"], run["written"], run["failed"]) == ("partial", COUNT - 40, 40)
    errors = _errors(flux)
    assert {(error.state, error.code, error.due_at is None) for error in errors} == {
        ("retrying", "RATE_LIMIT_EXCEEDED", False)
    }
    assert len(flux.saas.calls) == BATCHES
    assert len(flux.saas.upserted or flux.saas.inserted) == COUNT - 40


def test_without_retry_a_throttled_batch_fails_the_task_and_its_retry_sends_only_that_batch(flux: Flux) -> None:
    flux.saas.put(*contacts(COUNT))
    flux.saas.batch_status = _batch_status(429, 30)
    flux.stage("read", "r1")
    flux.stage("transform", "r1")
    result = flux.stage("write", "r1")
    assert (result.answer["code"], result.answer["transient"]) == ("RATE_LIMIT_EXCEEDED", True)
    assert _errors(flux) == []
    flux.saas.batch_status = lambda records: 200
    flux.saas.calls.clear()
    assert flux.run("r1", "write settle")["written"] == COUNT
    assert [len(call) for call in flux.saas.calls] == [20]


def test_nothing_delivered_at_all_is_an_outage_and_no_error_of_a_record(flux: Flux) -> None:
    flux.write_flow(errors="{strategy: retry}")
    flux.saas.put(*contacts(40))
    flux.saas.status = 503
    flux.stage("read", "r1")
    flux.stage("transform", "r1")
    result = flux.stage("write", "r1")
    assert (result.answer["code"], result.answer["transient"]) == ("DESTINATION_OUTAGE", True)
    run = flux.run("r1", "settle")
    assert_sum_holds(run)
    assert (run["state"], run["unsent"]) == ("failed", 40)
    assert _errors(flux) == []


def test_an_outage_in_the_middle_leaves_what_failed_before_it_unsent(flux: Flux) -> None:
    flux.write_flow(errors="{strategy: retry, outage_after: 3}")
    flux.saas.put(*contacts(COUNT))
    flux.saas.batch_status = lambda records: 503 if len(flux.saas.calls) > 4 else 200
    flux.stage("read", "r1")
    flux.stage("transform", "r1")
    result = flux.stage("write", "r1")
    assert (result.answer["code"], len(flux.saas.calls)) == ("DESTINATION_OUTAGE", 7)
    run = flux.run("r1", "settle")
    assert_sum_holds(run)
    assert (run["written"], run["unsent"], run["failed"]) == (80, 120, 0)
    assert _errors(flux) == []


# --- a permanent error dressed as HTTP 500 -----------------------------------------------------


@pytest.mark.parametrize("in_flight", [1, 4])
@pytest.mark.parametrize("strategy", ["skip", "retry", "review"])
def test_a_record_that_is_answered_with_500_costs_only_itself(flux: Flux, strategy: str, in_flight: int) -> None:
    flux.write_flow(errors=f"{{strategy: {strategy}}}", in_flight=in_flight)
    flux.saas.put(*contacts(COUNT))
    flux.saas.batch_status = _batch_status(500, 30, 31, 105)

    run = flux.run("r1")

    assert_sum_holds(run)
    bucket, state = ("held", "held") if strategy == "review" else ("failed", "open")
    assert (run["state"], run["written"], run[bucket]) == ("partial", COUNT - 3, 3)
    assert len(flux.saas.upserted) == COUNT - 3
    errors = _errors(flux)
    assert {error.source_key for error in errors} == {"c00030", "c00031", "c00105"}
    assert {(error.code, error.state, error.answer) for error in errors} == {
        ("UNKNOWN", state, '{"error": "not now"}')
    }
    assert len(flux.saas.calls) <= BATCHES + 30


def test_the_only_batch_of_a_run_is_looked_at_too(flux: Flux) -> None:
    flux.saas.put(*contacts(20))
    flux.saas.batch_status = _batch_status(500, 0)
    run = flux.run("r1")
    assert (run["state"], run["written"], run["failed"]) == ("partial", 19, 1)
    assert [error.source_key for error in _errors(flux)] == ["c00000"]


def test_bad_records_in_every_batch_are_no_outage(flux: Flux) -> None:
    flux.saas.put(*contacts(COUNT))
    bad = range(3, COUNT, 20)
    flux.saas.batch_status = _batch_status(500, *bad)
    run = flux.run("r1")
    assert_sum_holds(run)
    assert (run["state"], run["written"], run["failed"]) == ("partial", COUNT - len(bad), len(bad))
    assert len(_errors(flux)) == len(bad)


@pytest.mark.parametrize(("records", "calls"), [(COUNT, 5 + 3), (60, 3 + 3), (1, 1 + 1)])
def test_a_destination_that_is_down_is_not_bisected_at_length(flux: Flux, records: int, calls: int) -> None:
    flux.saas.put(*contacts(records))
    flux.saas.status = 500
    flux.stage("read", "r1")
    flux.stage("transform", "r1")
    result = flux.stage("write", "r1")
    assert (result.answer["code"], result.answer["transient"]) == ("DESTINATION_OUTAGE", True)
    assert len(flux.saas.calls) == calls
    run = flux.run("r1", "settle")
    assert_sum_holds(run)
    assert (run["written"], run["unsent"]) == (0, records)
    assert _errors(flux) == []


def test_single_writes_that_are_answered_with_500_are_tried_again_three_times_and_no_more(flux: Flux) -> None:
    flux.write_flow(errors="{strategy: retry, retry: {max: 3, delay: [1s]}}")
    _write_one_by_one(flux)
    flux.saas.put(*contacts(60))
    flux.saas.batch_status = _batch_status(500, 7)
    assert flux.run("r1")["written"] == 59
    for rung in range(1, 4):
        time.sleep(1.1)
        assert flux.run(f"ladder{rung}", trigger="retry", replay={"due": True})["failed"] == 1
    assert [(error.source_key, error.state) for error in _errors(flux)] == [("c00007", "open")]
    assert flux.saas.calls.count(["c00007"]) == 4


def test_a_500_that_passes_leaves_no_error(flux: Flux) -> None:
    flux.saas.put(*contacts(COUNT))
    flux.saas.batch_status = lambda records: 500 if len(flux.saas.calls) == 3 else 200
    run = flux.run("r1")
    assert (run["state"], run["written"]) == ("succeeded", COUNT)
    assert len(flux.saas.calls) == BATCHES + 1


def test_an_insert_that_is_answered_with_500_is_held_and_sent_once(flux: Flux) -> None:
    flux.write_flow(mode="create")
    flux.saas.put(*contacts(COUNT))
    flux.saas.batch_status = _batch_status(500, 30)
    run = flux.run("r1")
    assert_sum_holds(run)
    assert (run["written"], run["held"]) == (COUNT - 20, 20)
    assert {error.code for error in _errors(flux)} == {"OUTCOME_UNKNOWN"}
    assert len(flux.saas.calls) == BATCHES


# --- review -------------------------------------------------------------------------------------


def test_review_holds_a_record_once_and_the_next_tick_leaves_it_alone(flux: Flux) -> None:
    flux.write_flow(errors="{strategy: review}")
    flux.saas.put(*contacts(COUNT, bad_phones=1, long_names=1))
    flux.saas.record_status = _record_status(429, 7)
    run = flux.run("r1", trigger="scheduled")
    assert_sum_holds(run)
    assert (run["written"], run["held"], run["failed"]) == (COUNT - 3, 3, 0)
    flux.saas.calls.clear()
    again = flux.run("r2", trigger="scheduled")
    assert_sum_holds(again)
    assert (again["held"], again["failed"]) == (0, 0)
    assert flux.saas.calls == []
    assert Counter(error.state for error in _errors(flux)) == {"held": 3}
