"""The few DAGs that serve every flow: the clock of the retries, the review of held records, housekeeping."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, Param, get_parsing_context

from airflow_provider_flux.operators.timer import TIMER, FluxTimerOperator

_RETRIES: dict[str, Any] = {"retries": 3, "retry_delay": timedelta(seconds=10)}
"""For a store that is busy or an Airflow that restarts; whatever the installation's default is."""


def system_dags() -> dict[str, DAG]:
    """The generic DAGs; at the start of a task only its own."""
    only = get_parsing_context().dag_id
    return {dag_id: build() for dag_id, build in _BUILDERS.items() if only in (None, dag_id)}


def _timer() -> DAG:
    """One run for every instant at which records of a flow are due, delayed until then."""
    dag = _dag(
        TIMER,
        "Starts the automatic retries of failed records when they are due",
        flow=Param(None, type="string", minLength=1, title="Flow", description="Whose failed records are retried."),
        due=Param(
            None,
            type="string",
            format="date-time",
            title="Due",
            description="What is due until then is retried, at that time, for example 2026-01-31T06:00:00Z.",
        ),
    )
    FluxTimerOperator(task_id="start", dag=dag, **_RETRIES)
    return dag


def _dag(dag_id: str, description: str, schedule: Any = None, **params: Param) -> DAG:
    dag = DAG(
        dag_id=dag_id,
        schedule=schedule,
        start_date=pendulum.datetime(2000, 1, 1, tz="UTC"),
        catchup=False,
        # A paused timer would be a retry that never comes.
        is_paused_upon_creation=False,
        # Every flow may wait for something; what runs at once is up to the pool.
        max_active_runs=1000,
        max_active_tasks=1000,
        tags=["flux", "flux-system"],
        description=description,
    )
    for name, param in params.items():
        dag.params[name] = param
    return dag


_BUILDERS: dict[str, Callable[[], DAG]] = {TIMER: _timer}
