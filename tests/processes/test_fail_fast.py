"""A flow that says `fail_fast` stops at its first error, says what was written, and waits for a person."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from airflow_provider_flux.store.error_rows import UNSETTLED
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import ErrorRow
from tests.processes.conftest import Flux, Result, assert_sum_holds, contacts

COUNT = 60
FAIL_FAST = "{strategy: fail_fast}"


def _unsettled(flux: Flux) -> list[ErrorRow]:
    with flux.open_store() as store:
        return store.errors(ErrorFilter(flow="contacts", state=UNSETTLED))


def _run_until_it_stops(flux: Flux, run_id: str = "r1", **order: Any) -> Result:
    """The stages up to the first that fails, then settle; the failure."""
    for stage in ("read", "transform", "write"):
        result = flux.stage(stage, run_id, **order)
        if result.code:
            flux.stage("settle", run_id, **order)
            return result
    raise AssertionError("no stage failed")


def _row(flux: Flux, run_id: str = "r1") -> dict[str, Any]:
    with flux.open_store() as store:
        run = store.run("contacts", run_id)
    assert run is not None
    return vars(run)


def _refuse_names(flux: Flux, *numbers: int) -> None:
    ids = {f"c{number:05d}" for number in numbers}
    flux.saas.record_status = lambda record: 422 if record["id"] in ids else 200


# --- transform ----------------------------------------------------------------------------------


def test_the_first_mapping_error_ends_the_run_before_anything_is_written(flux: Flux) -> None:
    flux.write_flow(errors=FAIL_FAST)
    flux.saas.put(*contacts(COUNT, bad_phones=3))

    stopped = _run_until_it_stops(flux)

    assert (stopped.answer["code"], stopped.answer["transient"]) == ("STOPPED_AT_FIRST_ERROR", False)
    message = stopped.answer["message"]
    assert message.startswith("record 'c00000' failed in transform: INVALID_FORMAT, field 'phone': ")
    assert message.endswith(". No record was written by this run, and the rest is unsent.")
    assert flux.saas.calls == []
    run = _row(flux)
    assert_sum_holds(run)
    assert (run["state"], run["failed"], run["unsent"], run["error_stage"]) == ("failed", 1, COUNT - 1, "transform")
    assert run["cursor_after"] is None
    assert [error.source_key for error in _unsettled(flux)] == ["c00000"]


def test_only_the_code_that_says_fail_fast_stops_the_run(flux: Flux) -> None:
    flux.write_flow(errors="{codes: {VALUE_TOO_LONG: fail_fast}}")
    flux.saas.put(*contacts(COUNT, bad_phones=3))
    run = flux.run("r1")
    assert (run["state"], run["failed"], run["written"]) == ("partial", 3, COUNT - 3)

    flux.saas.put(*contacts(50, long_names=1, minute=1))
    stopped = _run_until_it_stops(flux, "r2", trigger="scheduled")  # which errors of other codes do not keep from it
    assert "record 'c00000' failed in write: VALUE_TOO_LONG" in stopped.answer["message"]
    refused = _run_until_it_stops(flux, "r3", trigger="scheduled")
    assert refused.answer["code"] == "WAITING_FOR_A_PERSON"
    assert "of run 'r2' is still open: record 'c00000' failed in write: VALUE_TOO_LONG" in refused.answer["message"]


def test_a_code_that_says_skip_does_not_stop_a_fail_fast_flow(flux: Flux) -> None:
    flux.write_flow(errors="{strategy: fail_fast, codes: {INVALID_FORMAT: skip}}")
    flux.saas.put(*contacts(COUNT, bad_phones=3))
    run = flux.run("r1")
    assert (run["state"], run["failed"], run["written"]) == ("partial", 3, COUNT - 3)
    flux.run("r2", trigger="scheduled")


# --- write --------------------------------------------------------------------------------------


@pytest.mark.parametrize("in_flight", [1, 4])
def test_nothing_is_sent_after_the_first_rejected_record(flux: Flux, in_flight: int) -> None:
    flux.write_flow(errors=FAIL_FAST, in_flight=in_flight)
    flux.saas.put(*contacts(COUNT))
    _refuse_names(flux, 25)

    stopped = _run_until_it_stops(flux)

    run = _row(flux)
    assert_sum_holds(run)
    written = len(flux.saas.upserted)
    assert (run["written"], run["failed"], run["unsent"]) == (written, 1, COUNT - written - 1)
    assert len(flux.saas.calls) <= 1 + in_flight  # the batch before it, and what was on its way
    assert stopped.answer["message"].startswith("record 'c00025' failed in write: RECORD_REJECTED: ")
    assert f"{written} records were written by this run, and the rest is unsent" in stopped.answer["message"]


def test_a_batch_that_is_refused_as_a_whole_is_looked_at_from_left_to_right(flux: Flux) -> None:
    flux.write_flow(errors=FAIL_FAST)
    flux.saas.put(*contacts(COUNT))
    flux.saas.batch_status = lambda records: 422 if {"c00026", "c00033"} & {record["id"] for record in records} else 200

    stopped = _run_until_it_stops(flux)

    assert "record 'c00026' failed in write" in stopped.answer["message"]
    assert sorted(flux.saas.upserted) == [f"c{number:05d}" for number in range(26)]
    run = _row(flux)
    assert_sum_holds(run)
    assert (run["written"], run["failed"], run["unsent"]) == (26, 1, COUNT - 27)


def test_a_record_that_is_answered_with_500_is_found_before_anything_after_it_is_sent(flux: Flux) -> None:
    flux.write_flow(errors=FAIL_FAST)
    flux.saas.put(*contacts(COUNT))
    flux.saas.batch_status = lambda records: 500 if {"c00026"} & {record["id"] for record in records} else 200
    stopped = _run_until_it_stops(flux)
    assert "record 'c00026' failed in write: UNKNOWN" in stopped.answer["message"]
    assert sorted(flux.saas.upserted) == [f"c{number:05d}" for number in range(26)]
    assert _row(flux)["unsent"] == COUNT - 27


def test_single_writes_stop_at_the_rejected_record(flux: Flux) -> None:
    flux.write_flow(errors=FAIL_FAST)
    flow = flux.folder / "include/flows/contacts.yaml"
    text = flow.read_text()
    batch = text[text.index("  batch: {records") : text.index("mapping:")]
    flow.write_text(text.replace(batch, "  method: POST\n  idempotent: true\n  body: {records: ['{record}']}\n"))
    flux.saas.put(*contacts(COUNT))
    flux.saas.batch_status = lambda records: 422 if records[0]["id"] == "c00026" else 200

    stopped = _run_until_it_stops(flux)

    assert "record 'c00026' failed in write" in stopped.answer["message"]
    assert [call[0] for call in flux.saas.calls] == [f"c{number:05d}" for number in range(27)]
    assert (_row(flux)["written"], _row(flux)["unsent"]) == (26, COUNT - 27)


def test_a_first_error_beside_a_throttled_batch_ends_the_run_for_good(flux: Flux) -> None:
    flux.write_flow(errors=FAIL_FAST, in_flight=3)
    flux.saas.put(*contacts(40))
    _refuse_names(flux, 25)
    flux.saas.batch_status = lambda records: 429 if records[0]["id"] == "c00000" else 200

    stopped = _run_until_it_stops(flux)

    # Whichever of the two answers came first: no retry of the task may go on, and what was written stays counted.
    assert stopped.answer["code"] == "STOPPED_AT_FIRST_ERROR"
    assert (_row(flux)["written"], _row(flux)["failed"], _row(flux)["unsent"]) == (19, 1, 20)


def test_an_outage_does_not_count_as_the_first_error(flux: Flux) -> None:
    flux.write_flow(errors=FAIL_FAST)
    flux.saas.put(*contacts(COUNT))
    flux.saas.status = 503
    stopped = _run_until_it_stops(flux)
    assert (stopped.answer["code"], stopped.answer["transient"]) == ("DESTINATION_OUTAGE", True)
    assert len(flux.saas.calls) == 1
    assert (_unsettled(flux), _row(flux)["unsent"]) == ([], COUNT)


@pytest.mark.parametrize("refused_as", ["a record", "a batch"])
@pytest.mark.parametrize("mode", ["upsert", "create"])
@pytest.mark.parametrize("stages", ["write settle", "transform write settle", "read transform write settle"])
def test_a_clear_after_the_fix_sends_exactly_the_rest(flux: Flux, stages: str, mode: str, refused_as: str) -> None:
    flux.write_flow(errors=FAIL_FAST, mode=mode)
    flux.saas.put(*contacts(COUNT))
    if refused_as == "a record":
        _refuse_names(flux, 25)
    else:
        flux.saas.batch_status = lambda records: 422 if {"c00025"} & {record["id"] for record in records} else 200
    _run_until_it_stops(flux)
    there = len(flux.saas.upserted or flux.saas.inserted)

    flux.saas.record_status = lambda record: 200
    flux.saas.batch_status = lambda records: 200
    run = flux.run("r1", stages, epoch=1)

    assert_sum_holds(run)
    assert (run["state"], run["failed"], run["unsent"]) == ("succeeded", 0, 0)
    assert _unsettled(flux) == []
    if mode == "create":
        assert Counter(record["id"] for record in flux.saas.inserted) == dict.fromkeys(flux.saas.contacts, 1)
        # The first batch stands acknowledged, and the links of the second tell its delivered records.
        assert (run["written"], run["skipped"]) == (COUNT - (there - 20), there - 20)
    else:
        assert set(flux.saas.upserted) == set(flux.saas.contacts)


# --- waiting for a person -----------------------------------------------------------------------


@pytest.fixture
def stopped(flux: Flux) -> Flux:
    flux.write_flow(errors=FAIL_FAST)
    flux.saas.put(*contacts(COUNT, bad_phones=1))
    _run_until_it_stops(flux, trigger="scheduled")
    return flux


def test_a_scheduled_run_refuses_while_the_error_is_open(stopped: Flux) -> None:
    [error] = _unsettled(stopped)
    pages = stopped.saas.pages
    refused = _run_until_it_stops(stopped, "r2", trigger="scheduled")
    assert (refused.answer["code"], refused.answer["transient"]) == ("WAITING_FOR_A_PERSON", False)
    assert refused.answer["message"].startswith(
        f"error {error.id} of run 'r1' is still open: record 'c00000' failed in transform: INVALID_FORMAT: "
    )
    assert stopped.saas.pages == pages
    assert _row(stopped, "r2")["error_stage"] == "read"
    assert f"discard error {error.id}" in str(_row(stopped, "r2")["error_next_step"])


def test_a_run_by_hand_goes_ahead_and_what_it_delivers_lets_the_schedule_resume(stopped: Flux) -> None:
    stopped.new_mapping()
    assert stopped.run("by-hand", trigger="manual")["written"] == COUNT
    assert _unsettled(stopped) == []
    assert stopped.run("r2", trigger="scheduled")["state"] == "succeeded"


def test_a_clear_goes_ahead_and_lets_the_schedule_resume(stopped: Flux) -> None:
    stopped.new_mapping()
    run = stopped.run("r1", "read transform write settle", trigger="scheduled", epoch=1)
    assert (run["state"], run["written"]) == ("succeeded", COUNT)
    assert stopped.run("r2", trigger="scheduled")["state"] == "succeeded"


def test_a_discarded_error_lets_the_schedule_resume(stopped: Flux) -> None:
    [error] = _unsettled(stopped)
    with stopped.open_store() as store:
        store.discard([error.id], "a test contact", by="ann")
    run = stopped.run("r2", trigger="scheduled")
    assert_sum_holds(run)
    assert (run["state"], run["written"]) == ("succeeded", COUNT - 1)
