"""Where every record of a run ended, counted from ranges of ordinals."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import and_, bindparam, delete, insert, or_, select
from sqlalchemy.engine import Connection

from airflow_provider_flux.errors import Stage
from airflow_provider_flux.store.part import StorePart
from airflow_provider_flux.store.rows import Counts, Outcome, Run
from airflow_provider_flux.store.tables import outcomes

_PAGE = 1000  # rows in memory at once
_MOST_OVERLAPS = 100  # a fault is as clear from a hundred as from a million

_INSERT = insert(outcomes)
_DELETE_BATCH = delete(outcomes).where(
    *(outcomes.c[name] == bindparam(name) for name in ("run", "stage", "epoch", "batch"))
)


class Outcomes(StorePart):
    """Ranges of records with their bucket; every method raises FluxError STORE_UNAVAILABLE."""

    def count(self, run: Run, transform_epoch: int | None, write_epoch: int | None) -> Counts:
        """Count the records of the chain of stages that holds, each once, however many rows say where it ended.

        :param transform_epoch: None when no transform has begun
        :param write_epoch: None when no write has begun
        """
        chain = [
            and_(outcomes.c.stage == stage, outcomes.c.epoch == epoch)
            for stage, epoch in ((Stage.TRANSFORM.value, transform_epoch), (Stage.WRITE.value, write_epoch))
            if epoch is not None
        ]
        if not chain:
            return Counts()
        columns = (outcomes.c.bucket, outcomes.c.reason, outcomes.c.first, outcomes.c.last)
        ordered = select(*columns).where(outcomes.c.run == run.id, or_(*chain))
        ordered = ordered.order_by(outcomes.c.first, outcomes.c.last, outcomes.c.id)
        with self._database.reading() as connection:
            streaming = connection.execution_options(stream_results=True, max_row_buffer=_PAGE)
            return count_ranges(Outcome(*row) for row in streaming.execute(ordered))


def count_ranges(ranges: Iterable[Outcome]) -> Counts:
    """Count distinct ordinals per bucket; one in several ranges counts for the first and is reported.

    :param ranges: ascending by `first`
    """
    buckets: dict[str, int] = {}
    reasons: dict[tuple[str, str], int] = {}
    overlaps: list[tuple[int, int]] = []
    end = 0  # one past the greatest ordinal counted; ascending `first` leaves no gap between an overlap and here
    for outcome in ranges:
        if outcome.first < end:
            _note_overlap(overlaps, outcome.first, min(outcome.last, end - 1))
        fresh = outcome.last + 1 - max(outcome.first, end)
        if fresh > 0:
            buckets[outcome.bucket] = buckets.get(outcome.bucket, 0) + fresh
            reason = (outcome.bucket, outcome.reason)
            reasons[reason] = reasons.get(reason, 0) + fresh
            end = outcome.last + 1
    return Counts(buckets, reasons, tuple(overlaps))


def _note_overlap(overlaps: list[tuple[int, int]], first: int, last: int) -> None:
    if overlaps and first <= overlaps[-1][1] + 1:
        overlaps[-1] = (overlaps[-1][0], max(last, overlaps[-1][1]))
    elif len(overlaps) < _MOST_OVERLAPS:
        overlaps.append((first, last))


def write_outcomes(connection: Connection, key: dict[str, object], new: Iterable[Outcome]) -> None:
    """Replace the outcomes of one batch inside the caller's transaction.

    :param key: run, stage, epoch and batch
    """
    connection.execute(_DELETE_BATCH, key)
    rows = [
        {**key, "bucket": outcome.bucket, "reason": outcome.reason, "first": outcome.first, "last": outcome.last}
        for outcome in new
    ]
    if rows:
        connection.execute(_INSERT, rows)
