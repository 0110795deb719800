"""One flow through `airflow dags test`, on the Airflow that is installed: the smoke lane of 3.3 and 2.11."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_provider_flux.store import open_store
from airflow_provider_flux.store.filters import ErrorFilter
from tests.airflow.flows import contacts, flow_text, make_database, read_contacts, write_include

REPOSITORY = Path(__file__).parents[2]


class Lane:
    """An Airflow home with a migrated database, in which flows are run one after another in this process's children."""

    def __init__(self, home: Path) -> None:
        self.home = home
        flows = {"contacts": flow_text(), "no_source": flow_text(source="nowhere")}
        write_include(home / "include", flows)
        self.source = make_database(home / "source.db", contacts(50, bad=2))
        self.destination = make_database(home / "destination.db", [])
        self.store_url = f"sqlite:///{home / 'flux' / 'flux.db'}"
        self.environment = {
            **os.environ,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
            "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
            "AIRFLOW__FLUX__INCLUDE": str(home / "include"),
            "AIRFLOW__FLUX__TASK_RETRY_DELAYS": "0",
            "AIRFLOW_CONN_SRC": _connection(self.source),
            "AIRFLOW_CONN_DST": _connection(self.destination),
        }

    def airflow(self, *arguments: str) -> str:
        """What `airflow ...` prints."""
        command = [sys.executable, "-m", "airflow", *arguments]
        result = subprocess.run(command, env=self.environment, cwd=self.home, capture_output=True, text=True)
        return result.stdout + result.stderr


def _connection(file: Path) -> str:
    return json.dumps({"conn_type": "flux_sql", "host": str(file), "extra": {"dialect": "sqlite"}})


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Lane:
    lane = Lane(tmp_path_factory.mktemp("lane"))
    lane.airflow("db", "migrate")
    return lane


def test_a_flow_runs_and_every_record_is_accounted_for(lane: Lane) -> None:
    output = lane.airflow("dags", "test", "contacts")
    rows = read_contacts(lane.destination)
    assert rows == [(n, f"user{n}@example.com") for n in range(3, 51)], output
    store = open_store(lane.store_url)
    [run] = store.runs("contacts")
    assert (run.state, run.trigger, run.read, run.written, run.failed) == ("partial", "manual", 50, 48, 2)
    assert [error.code for error in store.errors(ErrorFilter(run=run))] == ["INVALID_EMAIL", "INVALID_EMAIL"]
    store.close()
    assert "PARTIAL: run" in output
    assert "50 read = 48 written" in output
    assert "2 x Invalid email" in output


def test_a_run_that_cannot_start_says_what_is_at_fault(lane: Lane) -> None:
    output = lane.airflow("dags", "test", "no_source")
    store = open_store(lane.store_url)
    [run] = store.runs("no_source")
    assert (run.state, run.error_stage, run.error_code) == ("failed", "read", "CONNECTION_INVALID")
    store.close()
    assert "connection 'nowhere' does not exist" in output
    assert "AIRFLOW_CONN_NOWHERE" in output
