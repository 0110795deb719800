"""Runs that Airflow ended without a word are closed, and replays that never came give back what they had."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from airflow_provider_flux.housekeeping import Reconciled, reconcile
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import Run
from tests.unit.housekeeping.conftest import NOW, Past, ended
from tests.unit.store.data import SHA, error, failed, link, written


def says(state: str | None) -> Callable[[str, str], str | None]:
    """An Airflow that says the same of every run."""
    return lambda flow, run_id: state


def half_written(store: Store) -> Run:
    """A run that read ten records, lost one in transform, and wrote five of the rest before its worker died."""
    run = store.start_run("contacts", "r1", "scheduled", "contacts")
    store.start_stage(run, "read", 0)
    store.seal_stage(run, "read", 0, records=10, batches=1, sha256=None)
    store.start_stage(run, "transform", 0, 0)
    store.record_transform(run, 0, 0, [failed(0)], [error(0, "a")], 1)
    store.seal_stage(run, "transform", 0, records=9, batches=1, sha256=None)
    store.start_stage(run, "write", 0, 0)
    store.ack(run, 0, 0, SHA, [written(1, 5)], [], [link("b")], 1)
    return run


@pytest.mark.parametrize("state", ["queued", "running"])
def test_what_airflow_still_runs_is_left_alone(store: Store, past: Past, state: str) -> None:
    past.age(half_written(store), 30)
    assert reconcile(store, says(state), NOW) == Reconciled((), (), ())
    assert store.runs()[0].state == "running"


def test_a_run_whose_worker_died_is_closed_as_failed_with_what_is_known(store: Store) -> None:
    half_written(store)
    (run,) = reconcile(store, says("failed"), NOW).closed
    assert (run.state, run.error_stage, run.error_code) == ("failed", "write", "WORKER_DIED")
    assert (run.read, run.written, run.failed, run.unsent) == (10, 5, 1, 4)
    assert run.ended_at is not None and run.cursor_after is None
    assert reconcile(store, says("failed"), NOW).closed == ()


@pytest.mark.parametrize(("state", "what"), [(None, "deleted in Airflow"), ("success", "marked as successful")])
def test_a_run_that_a_person_ended_is_canceled(store: Store, past: Past, state: str | None, what: str) -> None:
    past.age(half_written(store), 2)
    (run,) = reconcile(store, says(state), NOW).closed
    assert (run.state, run.error_code) == ("canceled", "STAGE_NOT_RUN")
    assert what in str(run.error_message)


def test_a_run_that_never_began_a_stage_is_closed_with_nothing_read(store: Store) -> None:
    store.start_run("contacts", "r1", "scheduled", "contacts")
    (run,) = reconcile(store, says("failed"), NOW).closed
    assert (run.error_stage, run.read, run.unsent) == ("read", 0, 0)


def test_a_run_of_the_command_line_which_airflow_does_not_know_has_a_day(store: Store, past: Past) -> None:
    run = half_written(store)
    past.age(run, 0.9)
    assert reconcile(store, says(None), NOW).closed == ()
    past.age(run, 1.1)
    assert len(reconcile(store, says(None), NOW).closed) == 1


def claimed(store: Store, replay: str) -> None:
    ended(store, "r1", [error(0, "a"), error(1, "b")])
    assert store.claim_errors(replay, ErrorFilter(flow="contacts", key="a")) == 1


@pytest.mark.parametrize(
    ("state", "released"), [("queued", 0), ("running", 0), ("failed", 1), ("success", 1), (None, 1)]
)
def test_a_replay_that_is_over_or_gone_gives_back_its_errors(store: Store, state: str | None, released: int) -> None:
    claimed(store, "replay-1")
    found = reconcile(store, says(state), NOW)
    assert [(claim.flow, claim.run_id, claim.errors) for claim in found.released] == [
        ("contacts", "replay-1", 1)
    ] * released
    assert sum(row.replay_active for row in store.errors()) == 1 - released


def test_a_replay_of_the_command_line_keeps_its_errors_until_it_is_silent_for_a_day(store: Store, past: Past) -> None:
    claimed(store, "replay-1")
    replay = store.start_run("contacts", "replay-1", "replay", "contacts")
    past.age(replay, 0.5)
    assert reconcile(store, says(None), NOW).released == ()
    past.age(replay, 1.5)
    found = reconcile(store, says(None), NOW)
    assert [run.run_id for run in found.closed] == ["replay-1"]
    assert [claim.run_id for claim in found.released] == ["replay-1"]


def test_flows_with_overdue_retries_are_named(store: Store) -> None:
    for flow, minutes in (("late", -5), ("later", 5)):
        run = store.start_run(flow, "r1", "scheduled", "m")
        new = [error(0, "a", state="retrying", due_in=timedelta(minutes=minutes))]
        store.record_transform(run, 0, 0, [], new, 1)
        store.finish_run(run, state="partial", counts={}, cursor_after=None, trace=None)
    assert reconcile(store, says("success")).overdue == ("late",)
    assert store.claim_errors("retry-1", ErrorFilter(flow="late")) == 1
    assert reconcile(store, says("running")).overdue == ()
