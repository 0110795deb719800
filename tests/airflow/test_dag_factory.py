"""From flow files to DAGs: their shape, their timetable, and that parsing them is free."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import ParamValidationError

from airflow_provider_flux.dag_factory import build_dag, flow_dags, flow_problems
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.flow.loader import load_flow, load_flows
from tests.airflow.flows import flow_text, write_include

REPOSITORY = Path(__file__).parents[2]
AIRFLOW_3 = not version("apache-airflow").startswith("2.")
DELAYS = (60.0, 300.0, 1800.0)


def _dag(tmp_path: Path, more: str = "") -> Any:
    include = write_include(tmp_path / "include", {"contacts": flow_text(more)})
    return build_dag(load_flow(include, "contacts"), DELAYS)


def _python(script: str, include: Path, **environment: str) -> str:
    """Output of a script in a fresh process that sees this include folder."""
    everything = {**os.environ, "AIRFLOW__FLUX__INCLUDE": str(include), **environment}
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, env=everything, cwd=REPOSITORY, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()[-1]


# With the fingerprint by which Airflow itself notices that a DAG has changed.
SERIALIZE = """
import hashlib, json
from airflow_provider_flux.dag_factory import flow_dags
try:
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.serialized_objects import DagSerialization
    mark = lambda dag: SerializedDagModel.hash(DagSerialization.to_dict(dag))
except ImportError:
    from airflow.serialization.serialized_objects import SerializedDAG
    mark = lambda dag: hashlib.md5(json.dumps(SerializedDAG.to_dict(dag), sort_keys=True).encode()).hexdigest()
print(json.dumps([[dag_id, mark(dag)] for dag_id, dag in flow_dags().items()]))
"""


def test_a_flow_becomes_four_tasks_in_a_row(tmp_path: Path) -> None:
    dag = _dag(tmp_path, "owner: sales\ntags: [b, a]\n")
    assert dag.dag_id == "contacts"
    order = ["read", "transform", "write", "settle"]
    assert [task.task_id for task in dag.topological_sort()] == order
    for task, after in zip(order, [*order[1:], None], strict=True):
        assert dag.get_task(task).downstream_task_ids == ({after} if after else set())
    assert {task.owner for task in dag.tasks} == {"sales"}
    assert {task.pool for task in dag.tasks} == {"default_pool"}
    assert sorted(dag.tags) == ["a", "b", "flux"]
    assert dag.description == "Contacts into the warehouse."
    assert "Second line." in dag.doc_md


def test_one_run_and_one_writer_at_a_time_and_settle_always_runs(tmp_path: Path) -> None:
    dag = _dag(tmp_path)
    assert dag.max_active_runs == 1
    assert dag.catchup is False
    assert dag.get_task("write").max_active_tis_per_dag == 1
    assert dag.get_task("settle").trigger_rule == "all_done"
    assert dag.get_task("write").trigger_rule == "all_success"


def test_tasks_are_retried_as_often_as_there_are_delays(tmp_path: Path) -> None:
    for task in _dag(tmp_path).tasks:
        assert task.retries == 3
        assert task.retry_delay == timedelta(seconds=60)


def test_a_flow_may_name_a_pool(tmp_path: Path) -> None:
    assert {task.pool for task in _dag(tmp_path, "pool: crm\n").tasks} == {"crm"}


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("{every: 1m}", "* * * * *"),
        ("{every: 15m}", "*/15 * * * *"),
        ("{every: 1h}", "0 * * * *"),
        ("{every: 6h}", "0 */6 * * *"),
        ("{every: 1d}", "0 0 * * *"),
        ("{cron: '30 6 * * 1-5', timezone: Europe/Berlin}", "30 6 * * 1-5"),
    ],
)
def test_intervals_that_divide_hour_or_day_follow_the_clock(tmp_path: Path, schedule: str, expected: str) -> None:
    timetable = _dag(tmp_path, f"schedule: {schedule}\n").timetable
    assert type(timetable).__name__ == "CronDataIntervalTimetable"
    assert (timetable.expression if AIRFLOW_3 else timetable._expression) == expected
    zone = timetable.timezone if AIRFLOW_3 else timetable._timezone
    assert zone.name == ("Europe/Berlin" if "Berlin" in schedule else "UTC")


@pytest.mark.parametrize("every", ["30s", "7m", "90m", "5h", "2d"])
def test_other_intervals_are_counted_from_the_last_run(tmp_path: Path, every: str) -> None:
    timetable = _dag(tmp_path, f"schedule: {{every: {every}}}\n").timetable
    assert type(timetable).__name__ == "DeltaDataIntervalTimetable"


def test_without_a_schedule_a_flow_runs_on_demand(tmp_path: Path) -> None:
    assert _dag(tmp_path).timetable.can_be_scheduled is False


def test_a_run_has_a_data_interval_and_not_a_point_in_time(tmp_path: Path) -> None:
    """Airflow 3 gives `schedule="0 * * * *"` an interval of zero length; a window needs both ends."""
    script = (
        "import json, pendulum\n"
        "from airflow_provider_flux.dag_factory import flow_dags\n"
        "from airflow.timetables.base import TimeRestriction\n"
        "try:\n"
        "    from airflow.serialization.serialized_objects import DagSerialization as S\n"
        "except ImportError:\n"
        "    from airflow.serialization.serialized_objects import SerializedDAG as S\n"
        "dag = S.from_dict(S.to_dict(flow_dags()['contacts']))\n"
        "rule = TimeRestriction(pendulum.datetime(2026, 1, 1), None, catchup=True)\n"
        "run = dag.timetable.next_dagrun_info(last_automated_data_interval=None, restriction=rule)\n"
        "print(json.dumps([run.data_interval.start.isoformat(), run.data_interval.end.isoformat()]))"
    )
    include = write_include(tmp_path / "include", {"contacts": flow_text("schedule: {every: 1h}\n")})
    start, end = json.loads(_python(script, include))
    assert (start, end) == ("2026-01-01T00:00:00+00:00", "2026-01-01T01:00:00+00:00")


def test_replay_takes_a_run_and_nothing_else(tmp_path: Path) -> None:
    replay = _dag(tmp_path).params.get_param("replay")
    assert replay.resolve() is None
    assert replay.resolve({"run": "manual__1"}) == {"run": "manual__1"}
    for wrong in ({}, {"run": ""}, {"run": 1}, {"run": "a", "records": 3}, "manual__1", []):
        with pytest.raises(ParamValidationError):
            replay.resolve(wrong)


@pytest.mark.parametrize("day", [date(1970, 1, 1), date(2199, 12, 31)])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_every_start_date_that_is_valid_makes_a_dag(tmp_path: Path, day: date, zone: str) -> None:
    dag = _dag(tmp_path, f"start_date: {day}\nschedule: {{cron: '0 0 * * *', timezone: {zone}}}\n")
    assert dag.start_date.in_timezone(zone).date() == day


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "2200-01-01", "9999-12-31"])
def test_a_start_date_that_airflow_cannot_handle_is_a_problem_of_its_flow_alone(tmp_path: Path, day: str) -> None:
    include = write_include(tmp_path / "include", {"old": flow_text(f"start_date: {day}\n"), "good": flow_text()})
    flows, problems = load_flows(include)
    assert [flow.id for flow in flows] == ["good"]
    assert [problem.path for problem in problems] == ["start_date"]


@pytest.mark.parametrize("delays", ["soon", "60,-1", "nan", "inf", "1e9", ","])
def test_a_setting_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, delays: str) -> None:
    monkeypatch.setenv("AIRFLOW__FLUX__TASK_RETRY_DELAYS", delays)
    with pytest.raises(FluxError, match="task_retry_delays") as caught:
        flow_dags()
    assert caught.value.code == "CONFIG_INVALID"


def test_a_bad_flow_is_loud_and_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flows = {"good": flow_text(), "bad": flow_text("shedule: {every: 1h}\n"), "worse": flow_text("batch: none\n")}
    monkeypatch.setenv("AIRFLOW__FLUX__INCLUDE", str(write_include(tmp_path / "include", flows)))
    assert list(flow_dags()) == ["good"]
    assert [Path(problem.file).stem for problem in flow_problems()] == ["bad", "worse"]


def _parse(include: Path, **environment: str) -> dict[str, Any]:
    """What Airflow's own DagBag makes of the project's DAG folder."""
    script = (
        "import json\n"
        "try:\n"
        "    from airflow.dag_processing.dagbag import DagBag\n"
        "except ImportError:\n"
        "    from airflow.models.dagbag import DagBag\n"
        "bag = DagBag('dags')\n"
        "flows = sorted(dag for dag in bag.dags if not dag.startswith('flux_'))\n"
        "print(json.dumps({'dags': flows, 'errors': bag.import_errors}))"
    )
    found: dict[str, Any] = json.loads(_python(script, include, **environment))
    return found


def test_airflow_shows_the_bad_flows_in_one_import_error_and_runs_the_others(tmp_path: Path) -> None:
    flows = {"good": flow_text(), "bad": flow_text("shedule: {every: 1h}\n"), "worse": flow_text("batch: none\n")}
    found = _parse(write_include(tmp_path / "include", flows))
    assert found["dags"] == ["good"]
    [(file, text)] = found["errors"].items()
    assert Path(file).name == "flux_flow_errors.py"
    assert "flows/bad.yaml:16:1: shedule" in text
    assert "flows/worse.yaml:16:8: batch" in text


def test_airflow_shows_no_import_error_when_all_flows_are_valid(tmp_path: Path) -> None:
    assert _parse(write_include(tmp_path / "include", {"a": flow_text()})) == {"dags": ["a"], "errors": {}}


def test_a_task_loads_its_own_flow_only(tmp_path: Path) -> None:
    include = write_include(tmp_path / "include", {f"f{n}": flow_text() for n in range(5)})
    (include / "flows" / "f3.yaml").write_text("not: a flow")
    script = (
        "import sys, json, pathlib\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, args: event == 'open' and opened.append(str(args[0])))\n"
        "from airflow_provider_flux.dag_factory import flow_dags\n"
        "dags = list(flow_dags())\n"
        "flows = sorted(pathlib.Path(path).name for path in opened if '/flows/' in path and path.endswith('.yaml'))\n"
        "print(json.dumps([dags, flows]))"
    )
    assert json.loads(_python(script, include, _AIRFLOW_PARSING_CONTEXT_DAG_ID="f2")) == [["f2"], ["f2.yaml"]]


@pytest.mark.parametrize("text", ["shedule: {every: 1h}", "pool: [a]", "{not yaml", ""])
def test_a_task_of_a_flow_that_became_invalid_can_start_and_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("AIRFLOW__FLUX__INCLUDE", str(write_include(tmp_path / "include", {"bad": text})))
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "bad")
    assert flow_dags()["bad"].task_ids == ["read", "transform", "write", "settle"]


def test_a_task_sees_the_same_dag_as_the_dag_processor(tmp_path: Path) -> None:
    more = "schedule: {every: 15m}\nowner: sales\ntags: [b, a]\npool: crm\nstart_date: 2025-05-05\n"
    include = write_include(tmp_path / "include", {"contacts": flow_text(more)})
    assert _python(SERIALIZE, include) == _python(SERIALIZE, include, _AIRFLOW_PARSING_CONTEXT_DAG_ID="contacts")


def test_a_task_of_another_dag_file_gets_nothing_from_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__FLUX__INCLUDE", str(write_include(tmp_path / "include", {"a": flow_text()})))
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "somebody_elses")
    assert flow_dags() == {}


HEAVY = (
    "httpx", "phonenumbers", "email_validator", "alembic", "zstandard", "upath", "fsspec", "tenacity", "psycopg",
    "airflow_provider_flux.store", "airflow_provider_flux.stages", "airflow_provider_flux.staging",
    "airflow_provider_flux.hooks", "airflow_provider_flux.cli", "airflow_provider_flux.demo",
    "airflow.providers.http.hooks", "airflow.providers.common.sql.hooks",
)  # fmt: skip


def test_parsing_is_free(tmp_path: Path) -> None:
    """No network, no database, no heavy library beyond what Airflow itself has loaded."""
    include = write_include(tmp_path / "include", {"contacts": flow_text("schedule: {every: 1h}\n")})
    script = (
        "import sys, json\n"
        "from airflow.providers.common.compat.sdk import DAG, BaseOperator, Param\n"
        "import airflow.timetables.interval\n"
        "before = set(sys.modules); touched = []\n"
        "watched = ('socket.connect', 'socket.getaddrinfo', 'sqlite3.connect', 'subprocess.Popen')\n"
        "sys.addaudithook(lambda event, args: event in watched and touched.append(event))\n"
        "from airflow_provider_flux.dag_factory import flow_dags\n"
        "assert list(flow_dags()) == ['contacts']\n"
        "print(json.dumps([touched, sorted(set(sys.modules) - before)]))"
    )
    touched, loaded = json.loads(_python(script, include))
    assert touched == []
    assert [name for name in loaded if any(name == heavy or name.startswith(f"{heavy}.") for heavy in HEAVY)] == []


def test_the_same_files_always_give_the_same_dags(tmp_path: Path) -> None:
    """A difference would make Airflow store a new DAG version at every parse."""
    more = "schedule: {every: 15m}\ntags: [z, y, x, w, v]\npool: crm\n"
    include = write_include(tmp_path / "include", {"b": flow_text(more), "a": flow_text("schedule: {every: 7m}\n")})
    first, second = (_python(SERIALIZE, include, PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert first == second
    assert [dag_id for dag_id, _ in json.loads(first)] == ["a", "b"]
