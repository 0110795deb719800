"""`errors retry`: the failed records of one run, sent again in a new run."""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import Namespace

from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.place import find_flow, find_run, the_store
from airflow_provider_flux.cli.run import new_run_id, run_here
from airflow_provider_flux.cli.values import counted
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.store.filters import ErrorFilter

_SECONDS = 120.0


def retry(arguments: Namespace, out: Output) -> int:
    """Start the replay in Airflow, or run it here with `--local`."""
    with the_store() as store:
        run = find_run(store, arguments.run, arguments.flow)
        number = store.count_errors(ErrorFilter(run=run, state="open"))
    if not number:
        out.note(f"Run {run.run_id} of flow {run.flow} has no open errors: nothing to retry.")
        if out.json:
            out.data({"flow": run.flow, "replay_of": run.run_id, "records": 0, "run_id": None})
        return 0
    if arguments.local:
        from airflow_provider_flux.stages.context import ReplayOrder

        return run_here(find_flow(run.flow), out, "replay", replay=ReplayOrder(run=run.run_id))
    run_id = new_run_id("replay")
    trigger(run.flow, run_id, run.run_id)
    if out.json:
        out.data({"flow": run.flow, "replay_of": run.run_id, "records": number, "run_id": run_id})
    else:
        out.line(f"Airflow run {run_id} of flow {run.flow} was started; it sends {counted(number, 'record')} again.")
        out.line(f"See it with: airflow-flux show {run_id} (if its DAG is paused, it waits)")
    return 0


def trigger(flow: str, run_id: str, replay_of: str) -> None:
    """Start a DAG run that replays a run, through Airflow's own command line, which is the same on 2.11 and 3.x.

    :raises FluxError: CONFIG_INVALID when Airflow refuses
    """
    command = [sys.executable, "-m", "airflow", "dags", "trigger", flow, "--run-id", run_id]
    command += ["--conf", json.dumps({"replay": {"run": replay_of}})]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise _refused(flow, f"no answer within {_SECONDS:.0f} seconds") from None
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise _refused(flow, lines[-1].strip() if lines else f"exit code {done.returncode}")


def _refused(flow: str, why: str) -> FluxError:
    return FluxError(
        "CONFIG_INVALID",
        f"Airflow did not start a run of '{flow}': {why}",
        next_step="See whether Airflow knows this DAG (`airflow dags list`), or retry in this process with --local.",
    )
