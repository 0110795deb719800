"""Flux's own DAGs: what they are on each Airflow, and that parsing them costs nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import ParamValidationError

from airflow_provider_flux.dag_runs import LONGEST_ID, joined_id
from airflow_provider_flux.flow.folder import SYSTEM_DAGS
from airflow_provider_flux.system_dags import system_dags

REPOSITORY = Path(__file__).parents[2]
AIRFLOW_3 = not version("apache-airflow").startswith("2.")
EVERYWHERE = {"flux_housekeeping", "flux_timer", "flux_verify"}


def _python(script: str, **environment: str) -> Any:
    """What a script prints, as JSON, in a fresh process."""
    command = [sys.executable, "-c", script]
    result = subprocess.run(
        command, env={**os.environ, **environment}, cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return json.loads(result.stdout.splitlines()[-1])


def test_people_are_asked_where_airflow_can_ask() -> None:
    assert set(system_dags()) == (EVERYWHERE | {"flux_review"} if AIRFLOW_3 else EVERYWHERE)


def test_no_flow_may_have_the_id_of_one_of_them() -> None:
    assert set(system_dags()) <= SYSTEM_DAGS


def test_they_run_without_being_unpaused() -> None:
    for dag in system_dags().values():
        assert dag.is_paused_upon_creation is False
        assert dag.catchup is False
        # A verify says how it is now.
        assert all(task.retries == (0 if dag.dag_id == "flux_verify" else 3) for task in dag.tasks)


def test_only_housekeeping_runs_by_itself_and_only_once_at_a_time() -> None:
    dags = system_dags()
    scheduled = {dag_id for dag_id, dag in dags.items() if dag.timetable.can_be_scheduled}
    assert scheduled == {"flux_housekeeping"}
    assert dags["flux_housekeeping"].max_active_runs == 1
    assert dags["flux_timer"].max_active_runs >= 1000


@pytest.mark.parametrize(
    ("name", "wrong"), [("flow", ""), ("flow", 1), ("due", "soon"), ("due", None), ("due", "2026-01-01")]
)
def test_a_timer_that_makes_no_sense_is_refused(name: str, wrong: object) -> None:
    param = system_dags()["flux_timer"].params.get_param(name)
    with pytest.raises(ParamValidationError):
        param.resolve(wrong)


def test_a_task_builds_its_own_dag_only() -> None:
    script = (
        "import json, sys\n"
        "from airflow_provider_flux.system_dags import system_dags\n"
        "print(json.dumps([sorted(system_dags()), 'airflow.providers.standard.operators.hitl' in sys.modules]))"
    )
    assert _python(script, _AIRFLOW_PARSING_CONTEXT_DAG_ID="flux_timer") == [["flux_timer"], False]
    assert _python(script, _AIRFLOW_PARSING_CONTEXT_DAG_ID="somebody_elses") == [[], False]


def test_parsing_them_loads_no_library_of_the_stages() -> None:
    script = (
        "import json, sys\n"
        "import airflow_provider_flux.dag_factory\n"
        "before = set(sys.modules)\n"
        "from airflow_provider_flux.system_dags import system_dags\n"
        "system_dags()\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    heavy = ("sqlalchemy", "httpx", "msgspec", "airflow_provider_flux.store", "airflow_provider_flux.stages")
    heavy += ("airflow_provider_flux.inbox", "airflow_provider_flux.housekeeping", "airflow_provider_flux.staging")
    assert [name for name in _python(script) if name.startswith(heavy)] == []


def test_a_run_id_that_would_be_too_long_keeps_its_beginning_and_stays_unique() -> None:
    assert joined_id("contacts", "2026-01-01T00:00:00.000000Z") == "contacts__2026-01-01T00:00:00.000000Z"
    first, second = (joined_id("f" * 240, f"2026-01-01T00:00:0{n}.000000Z") for n in (1, 2))
    assert len(first) == len(second) == LONGEST_ID
    assert first != second
    assert first.startswith("f" * 200)
