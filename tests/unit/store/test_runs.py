from __future__ import annotations

import pytest

from airflow_provider_flux.errors import FluxError, Stage
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.rows import Run, Trace
from tests.unit.store.data import MONDAY, NASTY, SHA, TUESDAY

COUNTS = {"read": 10, "written": 7, "failed": 2, "unsent": 1}


def finish(store: Store, run: Run, trace: Trace | None = None) -> Run:
    state = "failed" if trace else "partial"
    return store.finish_run(run, state=state, counts=COUNTS, cursor_after=TUESDAY, trace=trace)


def test_a_new_run_is_running_and_knows_nothing_yet(store: Store) -> None:
    run = store.start_run("contacts", "r1", "replay", "contacts@2", replay_of="r0")
    assert (run.flow, run.run_id, run.trigger, run.mapping, run.replay_of) == (
        "contacts", "r1", "replay", "contacts@2", "r0",
    )  # fmt: skip
    assert run.state == "running"
    assert run.window_fixed is False
    assert (run.read, run.written, run.ended_at, run.error_code) == (None, None, None, None)


def test_starting_a_run_again_gives_the_same_row(store: Store, run: Run) -> None:
    assert store.start_run("contacts", "run-1", "scheduled", "contacts") == run
    assert store.start_run("orders", "run-1", "scheduled", "orders").id != run.id


def test_a_finished_run_keeps_its_end_when_a_task_of_it_starts_again(store: Store, run: Run) -> None:
    finished = finish(store, run)
    assert store.start_run("contacts", "run-1", "scheduled", "contacts") == finished


def test_a_run_is_found_by_its_run_id_or_its_number(store: Store, run: Run) -> None:
    other = store.start_run("orders", "run-1", "manual", "orders")
    assert store.run("contacts", "run-1") == run
    assert store.run("contacts", "run-2") is None
    assert [found.flow for found in store.find_run("run-1")] == ["orders", "contacts"]
    assert store.find_run("run-1", flow="orders") == [other]
    assert store.find_run(str(run.id)) == [run]
    assert store.find_run(run.id) == [run]


@pytest.mark.parametrize("text", ["", "0", "99999999999999999999999", "²", "x\x00y", "x\udc80y", "'; DROP TABLE x"])
def test_what_names_no_run_finds_none(store: Store, run: Run, text: str) -> None:
    assert store.find_run(text) == []
    assert store.run(text, text) is None


def test_the_latest_runs_come_first(store: Store) -> None:
    for number in range(5):
        store.start_run("contacts" if number % 2 else "orders", f"r{number}", "manual", "m")
    assert [run.run_id for run in store.runs()] == ["r4", "r3", "r2", "r1", "r0"]
    assert [run.run_id for run in store.runs("contacts", limit=1)] == ["r3"]


def test_the_first_window_wins(store: Store, run: Run) -> None:
    fixed = store.fix_window(run, None, TUESDAY, MONDAY)
    assert (fixed.window_fixed, fixed.window_start, fixed.window_end, fixed.cursor_before) == (
        True, None, TUESDAY, MONDAY,
    )  # fmt: skip
    assert store.fix_window(run, MONDAY, MONDAY, None) == fixed
    assert store.run("contacts", "run-1") == fixed


def test_a_retry_keeps_the_mapping_version_and_a_newer_epoch_decides_anew(store: Store, run: Run) -> None:
    assert store.pin_mapping(run, 0, 1).mapping_version == 1
    assert store.pin_mapping(run, 0, 2).mapping_version == 1
    cleared = store.pin_mapping(run, 1, 2)
    assert (cleared.mapping_version, cleared.mapping_epoch) == (2, 1)
    assert store.pin_mapping(run, 0, 1).mapping_version == 2  # an attempt that Airflow gave up but that still runs


def test_finishing_keeps_counts_and_names_no_cause(store: Store, run: Run) -> None:
    finished = finish(store, run)
    assert finished.state == "partial"
    assert finished.cursor_after == TUESDAY
    assert finished.ended_at is not None
    assert (finished.read, finished.written, finished.skipped, finished.failed, finished.unsent) == (10, 7, 0, 2, 1)
    assert finished.error_code is None


def test_a_failed_run_says_why_until_a_later_settle_says_otherwise(store: Store, run: Run) -> None:
    cause = FluxError("DESTINATION_OUTAGE", f"it said {NASTY}", next_step="Wait.", answer=f"503 {NASTY}")
    row = finish(store, run, Trace(Stage.WRITE, cause))
    assert (row.error_stage, row.error_code, row.error_next_step) == ("write", "DESTINATION_OUTAGE", "Wait.")
    assert row.error_message is not None
    assert row.error_message.startswith("it said n\\u0000ul")
    assert finish(store, row).error_message is None


def test_a_count_that_is_no_bucket_is_refused(store: Store, run: Run) -> None:
    with pytest.raises(ValueError, match="writen"):
        store.finish_run(run, state="succeeded", counts={"writen": 1}, cursor_after=None, trace=None)
    assert store.run("contacts", "run-1") == run


def test_runs_in_doubt_have_a_batch_that_was_sent_and_not_acknowledged(store: Store, run: Run) -> None:
    other = store.start_run("contacts", "run-2", "manual", "contacts")
    elsewhere = store.start_run("orders", "run-3", "manual", "orders")
    for one in (other, elsewhere, run):
        store.mark_sent(one, 0, 0, SHA, 1)
        store.mark_sent(one, 0, 1, SHA, 1)
    assert store.runs_in_doubt("contacts") == [run, other]
    store.forget_sent(other, 0, 0)
    store.ack(other, 0, 1, SHA, [], [], [], 1)
    assert store.runs_in_doubt("contacts") == [run]
