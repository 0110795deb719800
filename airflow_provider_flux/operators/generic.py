"""Runs of Flux's own DAGs, which every flow needs and not every Airflow has."""

from __future__ import annotations

from collections.abc import Callable

from airflow_provider_flux import dag_runs


def why_not(dag_id: str, start: Callable[[], object]) -> str | None:
    """Start a run of one of `dags/flux_system.py`.

    :param start: does it, and may raise DagRunRefused
    :return: None, or why the run does not start, to follow the DAG's name in a sentence
    """
    try:
        start()
        return "is paused: unpause it" if dag_runs.paused(dag_id) else None
    except dag_runs.DagRunRefused as refusal:
        if refusal.missing:
            return "is not there: copy dags/flux_system.py into Airflow's DAG folder"
        return f"refused a run: {refusal}"
