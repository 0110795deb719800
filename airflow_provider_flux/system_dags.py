"""The few DAGs that serve every flow: the clock of the retries, the review of held records, housekeeping, verify."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from importlib.util import find_spec
from typing import Any

import pendulum
from airflow.providers.common.compat.sdk import DAG, Param, get_parsing_context

from airflow_provider_flux.compat import AIRFLOW_V_3_0_PLUS, AIRFLOW_V_3_1_PLUS, CronTriggerTimetable
from airflow_provider_flux.operators.housekeeping import FluxPurgeOperator, FluxReconcileOperator
from airflow_provider_flux.operators.review import REVIEW
from airflow_provider_flux.operators.timer import TIMER, FluxTimerOperator
from airflow_provider_flux.operators.verify import FluxVerifyOperator

HOUSEKEEPING = "flux_housekeeping"
VERIFY = "flux_verify"

_RETRIES: dict[str, Any] = {"retries": 3, "retry_delay": timedelta(seconds=10)}
"""For a store that is busy or an Airflow that restarts; whatever the installation's default is."""

_INSTANT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$"


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
            pattern=_INSTANT,  # not every Airflow checks formats
            title="Due",
            description="What is due until then is retried, at that time, for example 2026-01-31T06:00:00Z.",
        ),
    )
    FluxTimerOperator(task_id="start", dag=dag, **_RETRIES)
    return dag


def _review() -> DAG:
    """One run for every run of a flow that holds records: never inside the flow's own run, which it would keep open."""
    from airflow_provider_flux.operators.review_tasks import REASON, FluxDecisionOperator, FluxReviewOperator

    dag = _dag(
        REVIEW,
        "Asks a person about the records that a run holds",
        flow=Param(None, type="string", minLength=1, title="Flow"),
        run_id=Param(None, type="string", minLength=1, title="Run", description="Its run id."),
    )
    ask = FluxReviewOperator(task_id="ask", params={"reason": Param(None, **REASON)}, dag=dag, **_RETRIES)
    ask.set_downstream(FluxDecisionOperator(task_id="decide", asked_in="ask", dag=dag, **_RETRIES))
    return dag


def _housekeeping() -> DAG:
    """Once a day, in the small hours."""
    dag = _dag(
        HOUSEKEEPING,
        "Removes what is older than its retention, and closes what Airflow ended without Flux",
        CronTriggerTimetable("17 3 * * *", timezone="UTC"),
    )
    dag.max_active_runs = 1
    FluxPurgeOperator(task_id="purge", dag=dag, **_RETRIES)
    FluxReconcileOperator(task_id="reconcile", dag=dag, **_RETRIES)
    return dag


def _verify() -> DAG:
    """By hand or over Airflow's API: a task calls the vendor, which the API server never does."""
    dag = _dag(
        VERIFY,
        "Tests a connection with one harmless call, and notes its health",
        connection=Param(
            None,
            type="string",
            minLength=1,
            maxLength=250,
            title="Connection",
            description="Id of the Airflow connection.",
        ),
    )
    FluxVerifyOperator(task_id="verify", dag=dag, retries=0)
    return dag


def _dag(dag_id: str, description: str, schedule: Any = None, **params: Param) -> DAG:
    dag = DAG(
        dag_id=dag_id,
        schedule=schedule,
        # Without a start, Airflow 3 waits for the hour; 2.11 must have one, and runs at once.
        start_date=None if AIRFLOW_V_3_0_PLUS else pendulum.datetime(2000, 1, 1, tz="UTC"),
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


def _can_ask() -> bool:
    """Whether this Airflow has tasks that wait for a person."""
    return AIRFLOW_V_3_1_PLUS and find_spec("airflow.providers.standard") is not None


_BUILDERS: dict[str, Callable[[], DAG]] = {HOUSEKEEPING: _housekeeping, TIMER: _timer, VERIFY: _verify}
if _can_ask():
    _BUILDERS[REVIEW] = _review
