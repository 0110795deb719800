"""A real Airflow 3 for tests: API server, scheduler with LocalExecutor and DAG processor, on SQLite in its own folder.

Its clocks are set so that a test waits for seconds: a DAG file is parsed as soon as it changes, a task that is ready
starts within a second, and a worker that was killed together with its supervisor is noticed after ten.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from airflow_provider_flux.demo.airflow_process import COMPONENTS, AirflowProcess
from tests.airflow.airflow_settings import airflow_settings, clean_environment, free_port, statsd_settings

REPOSITORY = Path(__file__).parents[2]

# Fields that every line of a task's log carries.
_WHERE = {"filename", "lineno", "ti_id", "dag_id", "run_id", "task_id", "try_number", "map_index"}
_LOG_CONTEXT = {"event", "timestamp", "level", "logger"} | _WHERE

T = TypeVar("T")


class AirflowFault(AssertionError):
    """Airflow did not do what a test waited for; the message holds what it said."""


class RunningAirflow:
    """Starts Airflow in `home`, talks to it, and ends every process of it.

    Its places: `include` (flows, mappings, connectors), `dags` (a copy of the project's), `store_url` (Flux's store).

    :param home: an empty folder
    :param settings: more environment variables, for example `{"AIRFLOW__FLUX__TASK_RETRY_DELAYS": "1,1"}`
    """

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.include = home / "include"
        self.dags = home / "dags"
        self.store_url = f"sqlite:///{home / 'flux' / 'flux.db'}"
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.statsd_port = free_port()  # nobody listens there unless a test does
        statsd = statsd_settings(self.statsd_port)
        self.environment = {**clean_environment(), **airflow_settings(home, port), **statsd, **(settings or {})}
        self._processes = AirflowProcess(self.environment, home)
        self._client = httpx.Client(base_url=self.url, timeout=30)

    # --- life -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Make the database and start the three components; returns when all of them are healthy."""
        for folder in ("flows", "mappings", "connectors"):
            (self.include / folder).mkdir(parents=True, exist_ok=True)
        shutil.copytree(REPOSITORY / "dags", self.dags, ignore=shutil.ignore_patterns("__pycache__"))
        self._processes.prepare()
        self._processes.start()
        self._processes.wait_until(self._healthy, "Airflow did not become healthy", 200)
        # Whoever asks is an admin: `simple_auth_manager_all_admins`.
        token = self._client.get("/auth/token").raise_for_status().json()["access_token"]
        self._client.headers["Authorization"] = f"Bearer {token}"

    def stop(self) -> None:
        """End every process of this Airflow, workers included."""
        self._client.close()
        self._processes.__exit__(None, None, None)

    def command(self, *arguments: str) -> str:
        """Run `airflow ...` and return what it printed.

        :raises AirflowFault: when it exits with another code than 0
        """
        result = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments], env=self.environment, capture_output=True, text=True
        )
        if result.returncode:
            said = f"{result.stdout}\n{result.stderr}"
            raise AirflowFault(f"airflow {' '.join(arguments)}: exit {result.returncode}\n{said}")
        return result.stdout

    # --- files and connections ------------------------------------------------------------------

    def write(self, path: str, text: str) -> Path:
        """Write a file below `include`, for example `flows/contacts.yaml`, and have the DAG files parsed again."""
        target = self.include / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        self.reparse()
        return target

    def reparse(self) -> None:
        """Have the DAG files parsed again: they are when they look changed."""
        for file in self.dags.glob("*.py"):
            file.touch()

    def connection(self, conn_id: str, **fields: Any) -> None:
        """Create or replace an Airflow connection: conn_type, host, port, login, password, schema, extra (JSON)."""
        self._client.delete(f"/api/v2/connections/{conn_id}")
        self._json("POST", "/api/v2/connections", {"connection_id": conn_id, **fields})

    def import_errors(self) -> dict[str, str]:
        """Airflow's DAG import errors: file name to text."""
        errors = self._json("GET", "/api/v2/importErrors")["import_errors"]
        return {Path(error["filename"]).name: error["stack_trace"] for error in errors}

    def wait_for_import_error(self, file: str, text: str, timeout: float = 60) -> str:
        """Wait until the import error of that DAG file contains `text`; an empty text waits until there is no error."""

        def shown() -> str | None:
            error = self.import_errors().get(file)
            found = error is None if not text else text in (error or "")
            return (error or "none") if found else None

        return self.until(f"import error of {file} with {text!r}", shown, timeout)

    def wait_for_dag(self, dag_id: str, timeout: float = 60) -> None:
        """Wait until Airflow knows the DAG."""

        def known() -> bool:
            return self._client.get(f"/api/v2/dags/{dag_id}").status_code == 200

        self.until(f"DAG {dag_id}", known, timeout)

    # --- runs -----------------------------------------------------------------------------------

    def unpause(self, dag_id: str) -> None:
        """Let the DAG run; a DAG with a schedule starts its first run by itself then."""
        self.wait_for_dag(dag_id)
        self._json("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": False})

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None, **body: Any) -> str:
        """Start a manual run (the DAG is unpaused first) and return its run id.

        :param body: more fields of Airflow's request, for example `dag_run_id`, `logical_date`
        """
        self.unpause(dag_id)
        body = {"logical_date": None, "conf": dict(conf or {}), **body}
        run_id: str = self._json("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)["dag_run_id"]
        return run_id

    def create_run(self, dag_id: str, run_id: str) -> None:
        """Queue a manual run without unpausing the DAG."""
        body = {"logical_date": None, "conf": {}, "dag_run_id": run_id}
        self._json("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)

    def backfill(self, dag_id: str, from_date: str, to_date: str, **body: Any) -> list[str]:
        """Start a backfill over the logical dates `from_date`..`to_date` (inclusive) and return its run ids."""
        self.unpause(dag_id)
        body = {"dag_id": dag_id, "from_date": from_date, "to_date": to_date, **body}
        self._json("POST", "/api/v2/backfills", body)
        return self.until("backfill runs", lambda: self.runs(dag_id, run_type="backfill"), 30)

    def runs(self, dag_id: str, **query: str) -> list[str]:
        """Run ids of a DAG, oldest first."""
        runs = self._json("GET", f"/api/v2/dags/{dag_id}/dagRuns", params={"order_by": "id", **query})["dag_runs"]
        return [run["dag_run_id"] for run in runs]

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """Airflow's description of a run."""
        description: dict[str, Any] = self._json("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")
        return description

    def wait(self, dag_id: str, run_id: str, timeout: float = 90) -> str:
        """Wait until the run has ended and return its state, `success` or `failed`."""

        def ended() -> str | None:
            state: str = self.run(dag_id, run_id)["state"]
            return state if state in ("success", "failed") else None

        return self.until(f"run {run_id} of {dag_id} has ended", ended, timeout)

    def delete_run(self, dag_id: str, run_id: str) -> None:
        """Delete a run, whatever its state."""
        self._json("DELETE", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")

    def pause(self, dag_id: str) -> None:
        """Let no run of the DAG start any more."""
        self._json("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": True})

    def mark(self, dag_id: str, run_id: str, state: str) -> None:
        """What `Mark run as` in the UI does."""
        self._json("PATCH", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}", {"state": state})

    def answer(self, dag_id: str, run_id: str, task_id: str, option: str, **params: Any) -> None:
        """Choose an option of a task that asks a person; `params` are what its form asks for."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/-1/hitlDetails"
        self._json("PATCH", path, {"chosen_options": [option], "params_input": params})

    def clear(self, dag_id: str, run_id: str, *task_ids: str, downstream: bool = True) -> None:
        """What `Clear` in the UI does: those tasks (all without any) and what comes after them run again."""
        body = {
            "dry_run": False,
            "dag_run_id": run_id,
            "only_failed": False,
            "include_downstream": downstream,
            "reset_dag_runs": True,
            **({"task_ids": list(task_ids)} if task_ids else {}),
        }
        self._json("POST", f"/api/v2/dags/{dag_id}/clearTaskInstances", body)

    # --- tasks ----------------------------------------------------------------------------------

    def tasks(self, dag_id: str, run_id: str) -> dict[str, dict[str, Any]]:
        """Airflow's task instances of a run by task id: `state`, `try_number`, `pid`, ..."""
        instances = self._json("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return {instance["task_id"]: instance for instance in instances}

    def states(self, dag_id: str, run_id: str) -> dict[str, str]:
        """State of every task of a run."""
        return {task_id: task["state"] for task_id, task in self.tasks(dag_id, run_id).items()}

    def wait_for_task(
        self, dag_id: str, run_id: str, task_id: str, *states: str, timeout: float = 60
    ) -> dict[str, Any]:
        """Wait until the task is in one of `states` and return its instance."""

        def reached() -> dict[str, Any] | None:
            task = self.tasks(dag_id, run_id).get(task_id, {"state": None})
            return task if task["state"] in states else None

        return self.until(f"{task_id} of {run_id} is {' or '.join(states)}", reached, timeout)

    def kill_task(self, dag_id: str, run_id: str, task_id: str, *, supervisor: bool = False) -> int:
        """`kill -9` the process in which the task runs, and return its id.

        :param supervisor: also kill the executor's worker above it, as when a machine is lost
        """
        pid: int = self.wait_for_task(dag_id, run_id, task_id, "running")["pid"]
        victims = [psutil.Process(pid)]
        if supervisor:
            victims.insert(0, victims[0].parent())
        for victim in victims:
            victim.kill()
        return pid

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1) -> str:
        """The log of one try of a task, one event per line; fields such as tracebacks follow the event."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        content = self._json("GET", path, params={"full_content": "true"})["content"]
        return "\n".join(_log_line(entry) for entry in content)

    def xcom(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """What the task returned."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        return self._json("GET", path, params={"deserialize": "true"})["value"]

    def get(self, path: str, **query: str) -> Any:
        """Anything else of Airflow's HTTP API."""
        return self._json("GET", path, params=query)

    def until(self, what: str, probe: Callable[[], T | None], timeout: float = 60) -> T:
        """Ask `probe` until it answers something true, and return that.

        :raises AirflowFault: after `timeout` seconds, with the ends of Airflow's logs
        """
        deadline = time.monotonic() + timeout
        while True:
            value = probe()
            if value:
                return value
            if time.monotonic() > deadline:
                tails = "\n".join(self._tail(name) for name in COMPONENTS)
                raise AirflowFault(f"waited {timeout:.0f} s for: {what}\n{tails}")
            time.sleep(0.3)

    # --- inside ---------------------------------------------------------------------------------

    def _healthy(self) -> bool:
        try:
            health = self._client.get("/api/v2/monitor/health").json()
        except httpx.TransportError:
            return False
        return all(health[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "dag_processor"))

    def refusal(self, dag_id: str, conf: Any) -> tuple[int, str]:
        """Status and text of Airflow's answer to a run that is to be started with this conf."""
        body = {"logical_date": None, "conf": conf}
        response = self._client.post(f"/api/v2/dags/{dag_id}/dagRuns", json=body)
        return response.status_code, response.text

    def _json(self, method: str, path: str, body: Any = None, params: Mapping[str, str] | None = None) -> Any:
        response = self._client.request(method, path, json=body, params=params)
        if response.is_error:
            raise AirflowFault(f"{method} {path}: {response.status_code} {response.text}")
        return response.json() if response.content else None

    def _tail(self, component: str) -> str:
        text = (self.home / f"{component}.log").read_text(errors="replace")
        return f"--- {component} ---\n{text[-3000:]}"


def _log_line(entry: Any) -> str:
    if not isinstance(entry, dict):
        return str(entry)
    rest = {name: value for name, value in entry.items() if name not in _LOG_CONTEXT}
    return f"{entry.get('event', '')} {rest}" if rest else str(entry.get("event", ""))
