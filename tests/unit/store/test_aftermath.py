"""Where the errors of a run stand now."""

from __future__ import annotations

from datetime import timedelta

from airflow_provider_flux.store import Store
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import Became, Run
from tests.unit.store.data import SHA, error, failed


def test_errors_are_counted_by_where_they_stand(store: Store, run: Run) -> None:
    waits = {"state": "retrying", "code": "DESTINATION_OUTAGE"}
    new = [
        *(error(number, f"k{number}") for number in range(4)),
        error(4, "k4", due_in=timedelta(minutes=9), **waits),
        error(5, "k5", due_in=timedelta(minutes=1), **waits),
    ]
    store.ack(run, 0, 0, SHA, [failed(number) for number in range(6)], new, [], 1)
    ids = [row.id for row in store.errors(ErrorFilter(run=run))]
    store.discard([ids[0]], "not ours", "kim")
    store.claim_errors("replay__1", ErrorFilter(flow=run.flow, ids=[ids[1]]))
    first_due = min(row.due_at for row in store.errors(ErrorFilter(state="retrying")) if row.due_at)
    assert store.became(run) == [
        Became("open", None, False, 2, None),
        Became("retrying", None, False, 2, first_due),
        Became("discarded", None, False, 1, None),
        Became("open", None, True, 1, None),
    ]


def test_a_run_without_errors_has_nothing_to_follow(store: Store, run: Run) -> None:
    assert store.became(run) == []
