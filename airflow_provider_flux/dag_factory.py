"""One DAG per flow: `read >> transform >> write >> settle`.

Airflow parses DAG files all day long, and again before every task. Nothing here opens a connection, reads a Variable or
loads a heavy library, and the same files always give the same DAGs.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, Param, TriggerRule, get_parsing_context

from airflow_provider_flux import settings
from airflow_provider_flux.compat import CronDataIntervalTimetable, DeltaDataIntervalTimetable
from airflow_provider_flux.errors import Problem
from airflow_provider_flux.flow.face import flow_face
from airflow_provider_flux.flow.models import Flow, Schedule
from airflow_provider_flux.operators.retries import retry_arguments
from airflow_provider_flux.operators.stages import (
    FluxReadOperator,
    FluxSettleOperator,
    FluxTransformOperator,
    FluxWriteOperator,
)

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)

REPLAY: dict[str, Any] = {
    "type": ["object", "null"],
    "title": "Replay",
    "description": 'Deliver failed records again: {"run": "<its run id>"}, or {"errors": [1, 2]}, their numbers.',
    "properties": {
        "run": {"type": "string", "minLength": 1, "maxLength": 250},
        "errors": {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1, "maxItems": 1000},
        "due": {"const": True},
        "claimed": {"const": True},
        "payload": {"enum": ["stored", "source"]},
        "by": {"type": "string", "maxLength": 250},
        "force": {"type": "boolean"},
        "what": {"type": "string", "maxLength": 1000},
    },
    # Of null, which is the default, `required` says nothing: it would be valid under all four.
    "if": {"type": "object"},
    "then": {"oneOf": [{"required": [key]} for key in ("run", "errors", "due", "claimed")]},
    "additionalProperties": False,
}
"""JSON Schema of the one parameter of a flow's DAG; Airflow refuses a run whose `conf` does not fit."""


def flow_dags() -> dict[str, DAG]:
    """The DAG of every valid flow, in the order of their ids; at the start of a task only that of its own flow."""
    configured = settings.load()
    only = get_parsing_context().dag_id
    if only is None:
        flows, _ = _load_flows(configured.include)
    else:
        flow = flow_face(configured.include, only)
        flows = [flow] if flow is not None else []
    return {flow.id: build_dag(flow, configured.task_retry_delays) for flow in flows}


def flow_problems() -> list[Problem]:
    """Every problem of every flow that is not valid."""
    _, problems = _load_flows(settings.load().include)
    return problems


def _load_flows(include: Path) -> tuple[list[Flow], list[Problem]]:
    # Imported here because the start of a task does not need it.
    from airflow_provider_flux.flow.loader import load_flows

    return load_flows(include)


def build_dag(flow: Flow, retry_delays: tuple[float, ...]) -> DAG:
    """The DAG of one flow.

    :param retry_delays: seconds before each retry of a task
    """
    file = flow.file
    dag = DAG(
        dag_id=flow.id,
        schedule=_timetable(file.schedule),
        start_date=_start(flow),
        catchup=False,
        max_active_runs=1,
        tags=sorted({"flux", *file.tags}),
        description=_first_line(file.description),
        doc_md=file.description or None,
    )
    common: dict[str, Any] = {"flow_id": flow.id, "dag": dag, "owner": file.owner, **_retries(retry_delays)}
    if file.pool is not None:
        common["pool"] = file.pool
    read = FluxReadOperator(task_id="read", **common)
    transform = FluxTransformOperator(task_id="transform", **common)
    # One writer per flow, also when a backfill runs beside a tick.
    write = FluxWriteOperator(task_id="write", max_active_tis_per_dag=1, **common)
    settle = FluxSettleOperator(task_id="settle", trigger_rule=TriggerRule.ALL_DONE, **common)
    read.set_downstream(transform)
    transform.set_downstream(write)
    write.set_downstream(settle)
    # Last: given to DAG(), Airflow would check its schema anew for every flow and copy it into every task.
    dag.params["replay"] = Param(None, **REPLAY)
    return dag


_retries = cache(retry_arguments)


def _timetable(schedule: Schedule | None) -> Any:
    """A timetable that states its data interval: a plain cron string gives one of zero length in Airflow 3."""
    if schedule is None:
        return None
    cron = schedule.cron or _cron_of(schedule.every)
    if cron is None:
        return DeltaDataIntervalTimetable(schedule.every)
    return CronDataIntervalTimetable(cron, timezone=_zone(schedule.timezone))


def _cron_of(every: timedelta | None) -> str | None:
    """`*/15 * * * *` for 15m: what divides the hour or the day starts on the clock, not whenever a DAG was unpaused."""
    if every is None or every % _MINUTE:
        return None
    if every < _HOUR and not _HOUR % every:
        return f"{_each(every // _MINUTE)} * * * *"
    if every < _DAY and not _DAY % every and not every % _HOUR:
        return f"0 {_each(every // _HOUR)} * * *"
    return "0 0 * * *" if every == _DAY else None


def _each(step: int) -> str:
    return "*" if step == 1 else f"*/{step}"


_zone = cache(pendulum.timezone)


def _start(flow: Flow) -> datetime:
    day = flow.file.start_date
    zone = flow.file.schedule.timezone if flow.file.schedule else "UTC"
    return pendulum.datetime(day.year, day.month, day.day, tz=_zone(zone))


def _first_line(text: str) -> str | None:
    return text.strip().partition("\n")[0] or None
