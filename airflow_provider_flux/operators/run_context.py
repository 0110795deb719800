"""From Airflow's context of a task to the context of our stages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_provider_flux import settings
from airflow_provider_flux.errors import FluxError, preview

if TYPE_CHECKING:
    from airflow_provider_flux.compat import Context
    from airflow_provider_flux.stages.context import ReplayOrder, RunContext

_TRIGGERS = {"scheduled": "scheduled", "backfill": "backfill"}


@contextmanager
def open_run(flow_id: str, context: Context, on_progress: Callable[[str, int], None]) -> Iterator[RunContext]:
    """The run that this task belongs to, with the flow as its file says now and the store open.

    :param on_progress: told the stage and its records so far
    :raises FluxError: CONFIG_INVALID when the flow's files, the settings or the run's conf are not valid; what opening
        the store raises
    """
    # A DAG file imports the operators and must stay quick: the stages' libraries are loaded when a task runs.
    from airflow_provider_flux.flow.loader import load_flow
    from airflow_provider_flux.hooks.connections import credentials
    from airflow_provider_flux.stages.context import RunContext
    from airflow_provider_flux.staging import open_staging
    from airflow_provider_flux.store import open_store

    configured = settings.load()
    flow = load_flow(configured.include, flow_id)
    dag_run: Any = context["dag_run"]
    check_conf(dag_run.conf)
    replay = replay_order(context["params"])
    store = open_store(configured.store)
    try:
        yield RunContext(
            flow=flow,
            run_id=dag_run.run_id,
            trigger=_trigger(dag_run.run_type) if replay is None else "retry" if replay.due else "replay",
            store=store,
            staging=open_staging(configured.staging),
            credentials=credentials,
            include=configured.include,
            # Raised by every clear and by no retry (2.11: by a clear of a run that had ended).
            epoch=dag_run.clear_number or 0,
            interval=_interval(dag_run),
            replay=replay,
            on_progress=on_progress,
        )
    finally:
        store.close()


def check_conf(conf: Any) -> None:
    """Refuse a run that was started with something that we would ignore: Airflow only checks the keys that it knows.

    :raises FluxError: CONFIG_INVALID
    """
    # Airflow's own keys have a slash: airflow/task_span_detail_level.
    unknown = sorted(key for key in conf or {} if key != "replay" and "/" not in key)
    if unknown:
        raise FluxError(
            "CONFIG_INVALID",
            f"the run was started with {', '.join(f'`{preview(key, 60)}`' for key in unknown)}, which means nothing",
            next_step='Start a new run, with {"replay": {"run": "<run id>"}} or with nothing.',
        )


def replay_order(params: Any) -> ReplayOrder | None:
    """What `{"replay": {...}}` says, if the DAG run was started with it; its form was checked by the DAG's Param."""
    from airflow_provider_flux.stages.context import ReplayOrder

    replay = params.get("replay")
    if not replay:
        return None
    return ReplayOrder(**{**replay, "errors": tuple(replay.get("errors", ()))})


def _trigger(run_type: Any) -> str:
    # An enum whose str() is its value on 2.11, and `DagRunType.SCHEDULED` in a task of 3.x.
    return _TRIGGERS.get(getattr(run_type, "value", run_type), "manual")


def _interval(dag_run: Any) -> Any:
    # A manual run of Airflow 3 has no logical date and therefore no interval.
    if dag_run.data_interval_start is None or dag_run.data_interval_end is None:
        return None
    return dag_run.data_interval_start, dag_run.data_interval_end
