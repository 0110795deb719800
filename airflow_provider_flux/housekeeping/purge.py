"""Removes what is older than its retention: staged files, the data of customers in error rows, whole runs.

Every step is small and can be repeated: a purge that is killed is simply done again. Links and cursors always stay,
for they keep older data from overwriting newer data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from airflow_provider_flux.settings import Retention
from airflow_provider_flux.staging import Staging
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.text import instant_text

_HOUR = len("2026-01-01T00")


@dataclass(frozen=True)
class Purged:
    """What was removed, or would be.

    :param staging: runs whose files went
    :param payloads: errors that were emptied of the data of customers
    :param runs: runs that went with their stages, outcomes and errors
    """

    staging: int
    payloads: int
    runs: int


def purge(store: Store, staging: Staging, now: datetime, retention: Retention, *, dry_run: bool = False) -> Purged:
    """Remove what is too old.

    :param now: aware
    :param dry_run: count only, and change nothing
    :raises FluxError: STORE_UNAVAILABLE, STAGING_FAILED; what was removed by then stays removed
    """
    stale = instant_text(now - retention.payloads)
    old = instant_text(now - retention.runs)
    files = 0
    for flow, run_id in _old_files(store, staging, now - retention.staging):
        if not dry_run:
            staging.remove(flow, run_id)
        files += 1
    if dry_run:
        return Purged(files, store.count_payloads(stale), store.count_old_runs(old))
    payloads = 0
    while emptied := store.purge_payloads(stale):
        payloads += emptied
    while store.purge_traces(stale):
        pass
    while store.purge_shapes(stale):
        pass
    store.purge_calls(old[:_HOUR], stale[:_HOUR])
    return Purged(files, payloads, _remove_runs(store, old))


def _remove_runs(store: Store, before: str) -> int:
    removed = 0
    while numbers := store.old_runs(before):
        gone = sum(store.remove_run(number, before) for number in numbers)
        removed += gone
        if not gone:
            break  # all of them were cleared since
    return removed


def _old_files(store: Store, staging: Staging, before: datetime) -> Iterator[tuple[str, str]]:
    """The runs whose files nobody needs any more.

    Files of a run that the store does not know (its row is gone, or was never made) go by their own age.
    """
    for flow, pairs in groupby(staging.runs(), key=lambda pair: pair[0]):
        run_ids = [run_id for _, run_id in pairs]
        ended = store.ended_runs(flow, run_ids, instant_text(before))
        for run_id in run_ids:
            if run_id in ended:
                if ended[run_id]:
                    yield flow, run_id
                continue
            changed = staging.changed_at(flow, run_id)
            if changed is None or changed < before:
                yield flow, run_id
