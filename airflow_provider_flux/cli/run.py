"""`run`: one whole run in this process."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_flux import settings
from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.place import credentials_for, find_flow, the_store
from airflow_provider_flux.cli.values import UsageError

if TYPE_CHECKING:
    from airflow_provider_flux.flow.models import Flow
    from airflow_provider_flux.stages.report import RunReport

_MOST_IDS = 10_000


def run(arguments: Namespace, out: Output) -> int:
    """Run the flow and print its report; 1 unless every record arrived."""
    window = _window(arguments.start, arguments.end)
    ids = _ids(arguments.ids, arguments.id_range)
    if window is not None and ids:
        raise UsageError("give either a window or ids")
    flow = find_flow(arguments.flow)
    if ids:
        from airflow_provider_flux.stages.ids import check_ids

        check_ids(flow.id, flow.file.source.key, can_fetch=flow.file.source.can_fetch())
        return run_here(flow, out, "cli", ids=ids)
    if window is None:
        return run_here(flow, out, "cli")
    return run_here(flow, out, "backfill", interval=window)


def run_here(flow: Flow, out: Output, trigger: str, run_id: str | None = None, **more: Any) -> int:
    """Run a flow in this process and print its report.

    :param run_id: a new one unless given
    :param more: further fields of the `RunContext`
    """
    from airflow_provider_flux.stages.context import RunContext
    from airflow_provider_flux.stages.local import run_flow
    from airflow_provider_flux.staging import open_staging

    here = settings.load()
    with the_store() as store, out.progress() as progress:
        report = run_flow(
            RunContext(
                flow=flow,
                run_id=run_id or new_run_id(trigger),
                trigger=trigger,
                store=store,
                staging=open_staging(here.staging),
                credentials=credentials_for(flow),
                include=here.include,
                on_progress=progress,
                **more,
            )
        )
    print_report(report, out)
    return 0 if report.run.state == "succeeded" else 1


def print_report(report: RunReport, out: Output) -> None:
    """The report of a run: the trace first."""
    from airflow_provider_flux.stages.report import trace_text

    if out.json:
        out.data(report)
    else:
        out.line(trace_text(report))


def new_run_id(trigger: str) -> str:
    """A run id that no other run has, in the style of Airflow's."""
    return f"{trigger}__{datetime.now(UTC).isoformat()}"


def _window(start: datetime | None, end: datetime | None) -> tuple[datetime, datetime] | None:
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise UsageError("give both --from and --to, or neither")
    if start >= end:
        raise UsageError(f"--from {start.isoformat()} is not before --to {end.isoformat()}")
    return start, end


def _ids(listed: str | None, id_range: tuple[int, int] | None) -> tuple[int | str, ...]:
    if listed is not None and id_range is not None:
        raise UsageError("give either --ids or --id-range")
    if id_range is not None:
        first, last = id_range
        return _few_enough(range(first, last + 1))
    if listed is None:
        return ()
    ids = tuple(dict.fromkeys(part.strip() for part in listed.split(",") if part.strip()))
    if not ids:
        raise UsageError("--ids names no id; write for example --ids 17,42")
    return _few_enough(ids)


def _few_enough(ids: Sequence[int | str]) -> tuple[int | str, ...]:
    if len(ids) > _MOST_IDS:
        raise UsageError(f"{len(ids)} ids are too many, {_MOST_IDS} are allowed; run the flow over a window instead")
    return tuple(ids)
