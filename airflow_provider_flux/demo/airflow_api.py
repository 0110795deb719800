"""The few calls of Airflow's REST API that the demo makes."""

from __future__ import annotations

import json
import urllib.request
from typing import Any
from urllib.parse import quote


class AirflowApi:
    """Every call raises OSError when the server does not answer well.

    :param url: of the API server, which takes everybody for an admin
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def healthy(self) -> bool:
        """Whether the API server answers and sees its scheduler and DAG processor."""
        health = self._call("GET", "/monitor/health")
        return all(health[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "dag_processor"))

    def unpause(self, dag: str) -> bool:
        """Switch a DAG on; says whether it is."""
        return not self._call("PATCH", f"/dags/{dag}", {"is_paused": False})["is_paused"]

    def run_ids(self, dag: str) -> list[str]:
        """Run ids of a DAG, the oldest first."""
        return [run["dag_run_id"] for run in self._call("GET", f"/dags/{dag}/dagRuns?order_by=id")["dag_runs"]]

    def state(self, dag: str, run_id: str) -> str:
        """State of a DAG run."""
        state: str = self._call("GET", f"/dags/{dag}/dagRuns/{quote(run_id)}")["state"]
        return state

    def task_states(self, dag: str, run_id: str) -> dict[str, str | None]:
        """State of each task of a DAG run."""
        found = self._call("GET", f"/dags/{dag}/dagRuns/{quote(run_id)}/taskInstances")["task_instances"]
        return {task["task_id"]: task["state"] for task in found}

    def page(self, dag: str, run_id: str) -> str:
        """Address of a DAG run's page."""
        return f"{self._url}/dags/{dag}/runs/{quote(run_id)}"

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self._url}/api/v2{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return json.load(answer)
