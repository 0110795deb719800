"""How well flows do: error rate, kinds of errors, time to resolution, success of retries; per flow and day or week.

Every record counts once. A tick that reads again what was delivered, or what is known to fail, changes nothing; a
record that fails again and again is one failure, of the day on which it last failed anew; attempts to deliver it are
apart. What counts comes from indexes that hold it, so that a million errors are no matter.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import DateTime, and_, case, cast, func, or_, select
from sqlalchemy.sql import ColumnElement, Select

from airflow_provider_flux.store.error_rows import RESOLVED, SUPERSEDED
from airflow_provider_flux.store.part import StorePart
from airflow_provider_flux.store.tables import errors, runs
from airflow_provider_flux.store.text import clean

DAY, WEEK = "day", "week"

_REPLAYS = ("replay", "retry")
_DATE = len("2026-01-01")


@dataclass
class Metrics:
    """One flow in one day or week (named by its first day, UTC).

    :param read: records read, each once
    :param failed: of these: failed or held
    :param categories: the failures by category
    :param resolved: errors that were resolved in this time, whenever they came up
    :param resolution_median: seconds from the first failure of such a record to its delivery
    :param resolution_p90: likewise; nine of ten took no longer
    :param replayed: records that a retry or a replay tried again
    :param replay_delivered: of these: delivered
    """

    flow: str
    period: str
    runs: int = 0
    read: int = 0
    failed: int = 0
    categories: dict[str, int] = field(default_factory=dict)
    resolved: int = 0
    resolution_median: float | None = None
    resolution_p90: float | None = None
    replayed: int = 0
    replay_delivered: int = 0

    @property
    def error_rate(self) -> float | None:
        """Failed per read; None where nothing was read."""
        return self.failed / self.read if self.read else None

    @property
    def retry_success(self) -> float | None:
        """Delivered per replayed; None where nothing was replayed."""
        return self.replay_delivered / self.replayed if self.replayed else None


class Reporting(StorePart):
    """Counts what happened; raises FluxError STORE_UNAVAILABLE."""

    def metrics(self, since: str, by: str = DAY, flow: str | None = None) -> list[Metrics]:
        """The metrics of every flow and period in which something happened, by flow and time.

        :param since: an instant of the store, or a date; of a week that it cuts only the rest counts
        :param by: `DAY` or `WEEK` (from Monday on)
        :param flow: only of this flow
        """
        found: dict[tuple[str, str], Metrics] = {}

        def of(flow: str, day: str) -> Metrics:
            period = _monday(day) if by == WEEK else day
            return found.setdefault((flow, period), Metrics(flow, period))

        with self._database.reading() as connection:
            for row in connection.execute(_of_flow(_counts(since), runs.c.flow, flow)):
                metrics = of(row.flow, row.day)
                # A sum of big integers is a decimal on PostgreSQL.
                metrics.runs += int(row.runs)
                metrics.read += int(row.fine)
                metrics.replayed += int(row.replayed)
                metrics.replay_delivered += int(row.delivered)
            for row in connection.execute(_of_flow(_failures(since), errors.c.flow, flow)):
                metrics = of(row.flow, row.day)
                metrics.read += row.failed
                metrics.failed += row.failed
                metrics.categories[row.category] = metrics.categories.get(row.category, 0) + row.failed
            spans: dict[tuple[str, str], array[float]] = {}
            rows = _of_flow(_resolutions(since, sqlite=connection.dialect.name == "sqlite"), errors.c.flow, flow)
            for name, day, seconds in connection.execution_options(stream_results=True).execute(rows):
                key = (name, _monday(day)) if by == WEEK else (name, day)
                if key not in spans:
                    spans[key] = array("d")
                spans[key].append(seconds)
        for (name, period), unsorted in spans.items():
            _set_resolution(of(name, period), sorted(unsorted))
        return [found[key] for key in sorted(found)]


def _counts(since: str) -> Select[Any]:
    """By flow and day: runs, records that were read for the first time and did not fail, and replays."""
    day = func.substr(runs.c.started_at, 1, _DATE).label("day")
    replay = runs.c.trigger.in_(_REPLAYS)
    not_fine = [func.coalesce(runs.c[name], 0) for name in ("repeated", "failed", "held", "unsent")]
    fine = func.coalesce(runs.c.read, 0) - sum(not_fine[1:], not_fine[0])
    tried = func.coalesce(runs.c.read, 0) - func.coalesce(runs.c.unsent, 0)
    return (
        select(
            runs.c.flow,
            day,
            func.sum(case((replay, 0), else_=1)).label("runs"),
            func.sum(case((replay, 0), else_=fine)).label("fine"),
            func.sum(case((replay, tried), else_=0)).label("replayed"),
            func.sum(case((replay, func.coalesce(runs.c.written, 0)), else_=0)).label("delivered"),
        )
        .where(runs.c.started_at >= since)
        .group_by(runs.c.flow, day)
    )


def _failures(since: str) -> Select[Any]:
    """By flow, day and category: records that failed, each once."""
    day = func.substr(errors.c.occurred_at, 1, _DATE).label("day")
    later = errors.alias("later")
    tried_again = select(later.c.id).where(later.c.origin == errors.c.id).correlate(errors).exists()
    # Superseded without a later attempt: the same failure stands in a newer run or epoch, and counts there.
    first = and_(errors.c.origin.is_(None), or_(errors.c.state != SUPERSEDED, tried_again))
    return (
        select(errors.c.flow, day, errors.c.category, func.count().label("failed"))
        .where(errors.c.occurred_at >= since, first)
        .group_by(errors.c.flow, day, errors.c.category)
    )


def _resolutions(since: str, *, sqlite: bool) -> Select[Any]:
    """Flow, day and seconds of every resolution, from the first failure of the record on.

    The databases need three times as long to find a median as Python needs to sort.
    """
    first = errors.alias("first")
    opened = func.coalesce(first.c.occurred_at, errors.c.occurred_at)
    day = func.substr(errors.c.resolved_at, 1, _DATE)
    return (
        select(errors.c.flow, day, _seconds(opened, errors.c.resolved_at, sqlite))
        .select_from(errors.outerjoin(first, first.c.id == errors.c.origin))
        .where(errors.c.state == RESOLVED, errors.c.resolved_at >= since)
    )


def _set_resolution(metrics: Metrics, seconds: list[float]) -> None:
    """:param seconds: ascending"""
    metrics.resolved = len(seconds)
    metrics.resolution_median = seconds[(len(seconds) - 1) // 2]
    metrics.resolution_p90 = seconds[-(-len(seconds) * 9 // 10) - 1]


def _of_flow(statement: Select[Any], column: ColumnElement[str], flow: str | None) -> Select[Any]:
    return statement if flow is None else statement.where(column == clean(flow))


def _seconds(start: Any, end: Any, sqlite: bool) -> ColumnElement[Any]:
    if sqlite:
        return (func.julianday(end) - func.julianday(start)) * 86_400.0
    aware = DateTime(timezone=True)
    return func.date_part("epoch", cast(end, aware) - cast(start, aware))


@lru_cache(maxsize=1024)
def _monday(day: str) -> str:
    found = date.fromisoformat(day)
    return (found - timedelta(days=found.weekday())).isoformat()
