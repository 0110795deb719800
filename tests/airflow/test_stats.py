"""What a run did reaches a real StatsD server, through Airflow's own stats."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.airflow.airflow_settings import free_port, statsd_settings
from tests.airflow.flows import MAPPING, contacts, flow_text, make_database, write_include
from tests.airflow.running_airflow import REPOSITORY, RunningAirflow
from tests.airflow.statsd import listen

pytestmark = pytest.mark.timeout(240)


def _expected(flow: str) -> list[str]:
    return [
        f"flux.errors,flow={flow},code=INVALID_EMAIL,category=format:2|c",
        f"flux.records.failed,flow={flow}:2|c",
        f"flux.records.read,flow={flow}:10|c",
        f"flux.records.written,flow={flow}:8|c",
        f"flux.runs,flow={flow},state=partial,trigger=manual:1|c",
    ]


def test_a_task_of_airflow_3_sends_its_runs_metrics(airflow_standalone: RunningAirflow) -> None:
    airflow = airflow_standalone
    source = make_database(airflow.home / "stats_src.db", contacts(10, bad=2))
    destination = make_database(airflow.home / "stats_dst.db", [])
    for name, file in (("stats_src", source), ("stats_dst", destination)):
        airflow.connection(name, conn_type="flux_sql", host=str(file), extra='{"dialect": "sqlite"}')
    airflow.write("mappings/contacts/v1.yaml", MAPPING)
    airflow.write("flows/stats.yaml", flow_text(source="stats_src", destination="stats_dst"))
    with listen(airflow.statsd_port) as received:
        assert airflow.wait("stats", airflow.trigger("stats")) == "success"
        received.wait("stats")
    assert received.of("stats") == _expected("stats")
    [milliseconds] = received.times("stats")
    assert 0 < milliseconds < 240_000


@pytest.mark.skipif(not version("apache-airflow").startswith("2."), reason="`dags test` of Airflow 3 sends no metrics")
def test_a_task_of_airflow_2_sends_its_runs_metrics(tmp_path: Path) -> None:
    write_include(tmp_path / "include", {"stats": flow_text()})
    files = {
        "SRC": make_database(tmp_path / "source.db", contacts(10, bad=2)),
        "DST": make_database(tmp_path / "destination.db", []),
    }
    port = free_port()
    environment = {
        **os.environ,
        **statsd_settings(port),
        **{f"AIRFLOW_CONN_{name}": _sqlite(file) for name, file in files.items()},
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__FLUX__INCLUDE": str(tmp_path / "include"),
    }
    with listen(port) as received:
        for arguments in (("db", "migrate"), ("dags", "test", "stats")):
            command = [sys.executable, "-m", "airflow", *arguments]
            subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, check=True)
        received.wait("stats")
    assert received.of("stats") == _expected("stats")


def _sqlite(file: Path) -> str:
    return json.dumps({"conn_type": "flux_sql", "host": str(file), "extra": {"dialect": "sqlite"}})
