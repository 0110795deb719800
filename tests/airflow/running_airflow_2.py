"""The scheduler of a real Airflow 2.11, on SQLite in its own folder; what a test asks for is read from its database.

It has the methods of `RunningAirflow` that tests of both lines use.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from tests.airflow.airflow_settings import clean_environment, free_port, statsd_settings

REPOSITORY = Path(__file__).parents[2]

T = TypeVar("T")


class RunningAirflow2:
    """Connections and flows are made first; `start` then starts the scheduler, with every DAG unpaused.

    :param home: an empty folder
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.include = home / "include"
        self.store_url = f"sqlite:///{home / 'flux' / 'flux.db'}"
        self.statsd_port = free_port()
        self.environment = {**clean_environment(), **_settings(home), **statsd_settings(self.statsd_port)}
        self._scheduler: subprocess.Popen[bytes] | None = None

    def connection(self, conn_id: str, **fields: Any) -> None:
        """An Airflow connection: conn_type, host, ..., extra (JSON)."""
        self.environment[f"AIRFLOW_CONN_{conn_id.upper()}"] = json.dumps(fields)

    def write(self, path: str, text: str) -> Path:
        """Write a file below `include`."""
        target = self.include / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def start(self) -> None:
        """Make the database and start the scheduler; returns when it knows the DAGs."""
        shutil.copytree(REPOSITORY / "dags", self.home / "dags", ignore=shutil.ignore_patterns("__pycache__"))
        self.command("db", "migrate")
        with (self.home / "scheduler.log").open("wb") as log:
            self._scheduler = subprocess.Popen(
                [sys.executable, "-m", "airflow", "scheduler"],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        flows = {path.stem for path in (self.include / "flows").iterdir()}
        self.until("the DAGs are known", lambda: flows <= {row[0] for row in self.rows("SELECT dag_id FROM dag")}, 120)

    def stop(self) -> None:
        """End the scheduler and its workers."""
        if self._scheduler is not None:
            self._scheduler.terminate()
            try:
                self._scheduler.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self._scheduler.pid, 9)
                self._scheduler.wait()

    def command(self, *arguments: str) -> str:
        """Run `airflow ...` and return what it printed."""
        command = [sys.executable, "-m", "airflow", *arguments]
        result = subprocess.run(command, env=self.environment, cwd=self.home, capture_output=True, text=True)
        assert result.returncode == 0, f"airflow {' '.join(arguments)}\n{result.stdout}\n{result.stderr}"
        return result.stdout

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """A query in Airflow's database."""
        with closing(sqlite3.connect(self.home / "airflow.db", timeout=30)) as database:
            return database.execute(statement, values).fetchall()

    def runs(self, dag_id: str) -> list[str]:
        """Run ids of a DAG, oldest first."""
        return [row[0] for row in self.rows("SELECT run_id FROM dag_run WHERE dag_id = ? ORDER BY id", dag_id)]

    def trigger(self, dag_id: str) -> str:
        """Start a manual run and return its run id."""
        run_id = f"manual__{dag_id}_{len(self.runs(dag_id))}"
        self.command("dags", "trigger", dag_id, "--run-id", run_id)
        return run_id

    def wait(self, dag_id: str, run_id: str, timeout: float = 150) -> str:
        """Wait until the run has ended and return its state, `success` or `failed`."""

        def ended() -> str | None:
            [(state,)] = self.rows("SELECT state FROM dag_run WHERE dag_id = ? AND run_id = ?", dag_id, run_id)
            return state if state in ("success", "failed") else None

        return self.until(f"run {run_id} of {dag_id} has ended", ended, timeout)

    def log(self, dag_id: str, run_id: str, task_id: str) -> str:
        """The log of the first try of a task."""
        return (
            self.home / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={task_id}" / "attempt=1.log"
        ).read_text()

    def until(self, what: str, probe: Callable[[], T | None], timeout: float = 60) -> T:
        """Ask `probe` until it answers something true, and return that."""
        deadline = time.monotonic() + timeout
        while True:
            value = probe()
            if value:
                return value
            if time.monotonic() > deadline:
                tail = (self.home / "scheduler.log").read_text(errors="replace")[-3000:]
                raise AssertionError(f"waited {timeout:.0f} s for: {what}\n{tail}")
            time.sleep(0.3)


def _settings(home: Path) -> dict[str, str]:
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__FLUX__INCLUDE": str(home / "include"),
        "AIRFLOW__FLUX__TASK_RETRY_DELAYS": "1,2,3",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        # One task at a time, in a fork: SQLite bears that, which Airflow does not take for granted.
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "_AIRFLOW__SKIP_DATABASE_EXECUTOR_COMPATIBILITY_CHECK": "1",
        "AIRFLOW__CORE__PARALLELISM": "1",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
        "AIRFLOW__SCHEDULER__MIN_FILE_PROCESS_INTERVAL": "300",
        "AIRFLOW__SCHEDULER__PARSING_PROCESSES": "1",
        "AIRFLOW__SCHEDULER__SCHEDULE_AFTER_TASK_EXECUTION": "False",
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
    }
