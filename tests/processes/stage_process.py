"""One stage of one run in a process of its own, as an Airflow task is: `python -m tests.processes.stage_process JSON`.

Prints a JSON object: what the stage reports, or its error; the exit code is 1 when the stage failed.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from airflow_provider_flux.connectors.credentials import from_environment
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.flow.loader import load_flow
from airflow_provider_flux.stages.context import ReplayOrder, RunContext
from airflow_provider_flux.stages.read import read
from airflow_provider_flux.stages.settle import settle
from airflow_provider_flux.stages.transform import transform
from airflow_provider_flux.stages.write import write
from airflow_provider_flux.staging import open_staging
from airflow_provider_flux.store import open_store

STAGES = {"read": read, "transform": transform, "write": write, "settle": settle}


def perform(order: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Run the stage; 0 and its report, or 1 and its error."""
    include = Path(order["include"])
    interval = order.get("interval")
    store = open_store(order["store"])
    ctx = RunContext(
        flow=load_flow(include, order["flow"]),
        run_id=order["run_id"],
        trigger=order.get("trigger", "manual"),
        store=store,
        staging=open_staging(order["staging"]),
        credentials=_credentials,
        include=include,
        epoch=order.get("epoch", 0),
        interval=(datetime.fromisoformat(interval[0]), datetime.fromisoformat(interval[1])) if interval else None,
        replay=_replay(order.get("replay")),
    )
    try:
        result = STAGES[order["stage"]](ctx)
    except FluxError as error:
        return 1, {"code": error.code, "message": error.message, "transient": error.transient}
    finally:
        store.close()
    return 0, dataclasses.asdict(result)


def _replay(told: dict[str, Any] | None) -> ReplayOrder | None:
    return None if told is None else ReplayOrder(**{**told, "errors": tuple(told.get("errors", ()))})


def _credentials(conn_id: str) -> Any:
    found = from_environment(conn_id)
    if found is None:
        raise FluxError("CONNECTION_INVALID", f"no connection '{conn_id}'")
    return found


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    told = json.loads(sys.argv[1])
    Path(told["pid_file"]).write_text(str(os.getpid()))
    code, answer = perform(told)
    print(json.dumps(answer, default=str))
    sys.exit(code)
