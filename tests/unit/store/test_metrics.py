"""Metrics are counted from runs and errors, each record once."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import create_engine, text, update

from airflow_provider_flux.store import Store
from airflow_provider_flux.store.metrics import WEEK, Metrics, _failures, _resolutions
from airflow_provider_flux.store.rows import NewError, Run
from airflow_provider_flux.store.tables import errors, runs
from tests.unit.store.data import error

EVER = "2026-01-01"


def a_run(
    store: Store, number: int, day: str, new: list[NewError] = [], trigger: str = "scheduled", **counts: int  # noqa: B006
) -> Run:
    """A run of the flow `contacts` that began and failed on a day, an hour after midnight."""
    run = store.start_run("contacts", f"run-{number}", trigger, "contacts")
    store.record_transform(run, 0, 0, [], new, 1)
    repeated = counts.pop("repeated", 0)
    store.finish_run(run, state="partial", counts=counts, cursor_after=None, trace=None, repeated=repeated)
    engine = create_engine(store._database.url, future=True)
    with engine.begin() as connection:
        instant = f"{day}T01:00:00.000000Z"
        connection.execute(update(runs).where(runs.c.id == run.id).values(started_at=instant))
        connection.execute(update(errors).where(errors.c.run == run.id).values(occurred_at=instant))
    engine.dispose()
    return run


def change(store: Store, number: int, **values: object) -> None:
    engine = create_engine(store._database.url, future=True)
    with engine.begin() as connection:
        assert connection.execute(update(errors).where(errors.c.id == number).values(values)).rowcount == 1
    engine.dispose()


def test_the_rate_is_failed_and_held_per_read_by_category(store: Store) -> None:
    new = [error(0, "a"), error(1, "b", code="TRANSFORM_FAILED"), error(2, "c", code="OUTCOME_UNKNOWN", state="held")]
    a_run(store, 1, "2026-01-05", new, read=10, written=6, skipped=1, failed=2, held=1)
    (found,) = store.metrics(EVER)
    assert (found.flow, found.period, found.runs, found.read, found.failed) == ("contacts", "2026-01-05", 1, 10, 3)
    assert found.error_rate == pytest.approx(0.3)
    assert found.categories == {"data": 2, "mapping": 1}
    assert (found.retry_success, found.resolution_median) == (None, None)


def test_a_tick_that_skips_what_it_knows_changes_nothing(store: Store) -> None:
    a_run(store, 1, "2026-01-05", [error(0, "a")], read=10, written=9, failed=1)
    (before,) = store.metrics(EVER)
    for number in range(2, 6):
        a_run(store, number, "2026-01-05", read=10, skipped=10, repeated=10)
    (after,) = store.metrics(EVER)
    assert (after.read, after.failed, after.error_rate) == (10, 1, before.error_rate)
    assert after.runs == 5


def test_a_record_without_a_version_that_fails_at_every_tick_is_one_failure(store: Store) -> None:
    a_run(store, 1, "2026-01-05", [error(0, "a", version=None)], read=10, written=9, failed=1)
    run = a_run(store, 2, "2026-01-05", [error(0, "a", version=None)], read=10, skipped=9, failed=1, repeated=9)
    store.close_errors(run, {"transform": 0}, complete=True)
    (found,) = store.metrics(EVER)
    assert (found.read, found.failed) == (10, 1)


def test_what_was_not_sent_is_not_read_yet(store: Store) -> None:
    a_run(store, 1, "2026-01-05", read=100, unsent=100)
    (found,) = store.metrics(EVER)
    assert (found.read, found.failed, found.error_rate) == (0, 0, None)


def test_retries_are_apart_and_count_as_success_when_they_delivered(store: Store) -> None:
    a_run(store, 1, "2026-01-05", [error(0, "a"), error(1, "b"), error(2, "c")], read=10, written=7, failed=3)
    _, second, third = store.errors()
    again = [error(0, "b", replaces=second.id), error(1, "c", replaces=third.id)]
    a_run(store, 2, "2026-01-06", again, "replay", read=3, written=1, failed=2)
    a_run(store, 3, "2026-01-06", [], "retry", read=2, written=2)
    change(store, second.id, state="superseded")
    change(store, third.id, state="superseded")
    monday, tuesday = store.metrics(EVER)
    assert (monday.read, monday.failed, monday.replayed) == (10, 3, 0)
    assert (tuesday.runs, tuesday.read, tuesday.failed) == (0, 0, 0)
    assert (tuesday.replayed, tuesday.replay_delivered, tuesday.retry_success) == (5, 3, pytest.approx(0.6))


def test_resolution_takes_from_the_first_failure_of_a_record_to_its_delivery(store: Store) -> None:
    a_run(store, 1, "2026-01-05", [error(number, f"k{number}") for number in range(10)], read=10, failed=10)
    for minutes, row in enumerate(store.errors(), 1):
        change(store, row.id, state="resolved", resolved_at=f"2026-01-05T01:{minutes:02}:00.500000Z")
    (found,) = store.metrics(EVER)
    assert found.resolved == 10
    assert found.resolution_median == pytest.approx(300.5, abs=0.01)
    assert found.resolution_p90 == pytest.approx(540.5, abs=0.01)

    a_run(store, 2, "2026-01-06", [error(0, "late", replaces=1)], "replay", read=1, failed=1)
    change(store, 11, state="resolved", resolved_at="2026-01-07T01:00:00.000000Z")
    wednesday = store.metrics(EVER)[-1]
    assert (wednesday.period, wednesday.resolved, wednesday.runs) == ("2026-01-07", 1, 0)
    assert wednesday.resolution_median == wednesday.resolution_p90 == pytest.approx(2 * 86_400, abs=0.01)


def test_weeks_begin_on_monday_in_every_query(store: Store) -> None:
    for number, day in enumerate(("2026-01-04", "2026-01-05", "2026-01-11", "2026-01-12"), 1):
        assert date.fromisoformat(day).weekday() in (6, 0)
        a_run(store, number, day, [error(0, day)], read=2, written=1, failed=1)
        change(store, number, state="resolved", resolved_at=f"{day}T02:00:00.000000Z")
    found = store.metrics(EVER, WEEK)
    assert [(week.period, week.runs, week.failed, week.resolved) for week in found] == [
        ("2025-12-29", 1, 1, 1),
        ("2026-01-05", 2, 2, 2),
        ("2026-01-12", 1, 1, 1),
    ]


def test_one_flow_and_one_time_can_be_asked_for(store: Store) -> None:
    a_run(store, 1, "2026-01-05", [error(0, "a")], read=1, failed=1)
    a_run(store, 2, "2026-01-06", [error(0, "b")], read=1, failed=1)
    store.start_run("orders", "run-1", "scheduled", "orders")
    assert [found.period for found in store.metrics("2026-01-06", flow="contacts")] == ["2026-01-06"]
    assert {found.flow for found in store.metrics(EVER)} == {"contacts", "orders"}
    assert store.metrics(EVER, flow="nothing") == []


def test_an_empty_store_has_none(store: Store) -> None:
    assert store.metrics(EVER) == []
    assert Metrics("contacts", "2026-01-05").error_rate is None


def test_what_metrics_count_stands_in_indexes(sqlite_url: str) -> None:
    """With a million errors of a kilobyte each, the rows themselves must not be read."""
    engine = create_engine(sqlite_url, future=True)
    for statement in (_failures(EVER), _resolutions(EVER, sqlite=True)):
        query = statement.compile(engine, compile_kwargs={"literal_binds": True})
        with engine.connect() as connection:
            plan = [row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))]
        (of_errors,) = [step for step in plan if " flux_errors " in step]
        assert "USING COVERING INDEX" in of_errors, plan
    engine.dispose()
