"""What a run did, as metrics through Airflow's own stats: StatsD or OpenTelemetry, whichever the installation uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import Stats

from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import BUCKETS

if TYPE_CHECKING:
    from airflow_provider_flux.stages.report import RunReport
    from airflow_provider_flux.store import Store


def emit(store: Store, report: RunReport) -> None:
    """Send the metrics of a run that has settled; docs/airflow.md lists them.

    A run that is cleared and settles anew counts anew.
    """
    run = report.run
    flow = {"flow": run.flow}
    Stats.incr("flux.runs", tags={**flow, "state": run.state, "trigger": run.trigger})
    for bucket in ("read", *BUCKETS):
        _count(f"flux.records.{bucket}", getattr(run, bucket), flow)
    for group in store.error_groups(("code", "category"), ErrorFilter(run=run)):
        _count("flux.errors", group.count, {**flow, **group.values})
    if run.trigger in ("replay", "retry"):
        _count("flux.retry.delivered", run.written, {**flow, "trigger": run.trigger})
        _count("flux.retry.failed", report.lost, {**flow, "trigger": run.trigger})
    if run.ended_at is not None:
        from airflow_provider_flux.stages.report import duration

        milliseconds = duration(run.started_at, run.ended_at) * 1000
        Stats.timing("flux.run.duration", milliseconds, tags={**flow, "state": run.state})


def _count(name: str, count: int | None, tags: dict[str, str]) -> None:
    if count:
        Stats.incr(name, count, tags=tags)
