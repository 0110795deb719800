"""`errors retry`: records that did not arrive, sent again in a new run of their flow."""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_flux import settings
from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.place import find_flow, the_store
from airflow_provider_flux.cli.run import run_here
from airflow_provider_flux.cli.selection import person, selected
from airflow_provider_flux.cli.values import UsageError, counted
from airflow_provider_flux.errors import FluxError

if TYPE_CHECKING:
    from airflow_provider_flux.inbox.retry import Queued
    from airflow_provider_flux.store.filters import ErrorFilter

_SECONDS = 120.0


def retry(arguments: Namespace, out: Output) -> int:
    """Start the replays in Airflow, or run them here with `--local`; 1 when one of these lost a record."""
    from airflow_provider_flux.inbox.retry import queue
    from airflow_provider_flux.store.error_rows import HELD

    with the_store() as store:
        filter = selected(arguments, store)
        of_run = _of_one_run(filter)
        if of_run is not None and not store.count_claimable(filter, arguments.payload):
            held = store.count_errors(replace(filter, state=HELD))
            hint = f" What it holds needs `airflow-flux errors approve --run {of_run.id}`." if held else ""
            out.note(f"Run {of_run.run_id} of flow {of_run.flow} has no open errors: nothing to retry.{hint}")
            if out.json:
                out.data({"flow": of_run.flow, "replay_of": of_run.run_id, "records": 0, "run_id": None})
            return 0
        starter = Starter(out, local=arguments.local)
        with refusals():
            queued = queue(
                store,
                settings.load().include,
                filter,
                by=person(arguments.by),
                start=starter.start,
                payload=arguments.payload,
                force=arguments.force,
            )
    if not arguments.local:
        _tell(queued, out, replay_of=None if of_run is None else of_run.run_id)
    return starter.code


class Starter:
    """Starts replays, in Airflow or in this process.

    :param local: run them here, one after the other
    """

    def __init__(self, out: Output, *, local: bool) -> None:
        self._out = out
        self._local = local
        self.code = 0

    def start(self, flow: str, run_id: str, conf: dict[str, Any]) -> None:
        """:raises FluxError: CONFIG_INVALID when Airflow refuses"""
        if not self._local:
            trigger(flow, run_id, conf)
            return
        from airflow_provider_flux.stages.context import ReplayOrder

        order = ReplayOrder(**conf["replay"])
        self.code = max(self.code, run_here(find_flow(flow), self._out, "replay", run_id=run_id, replay=order))


@contextmanager
def refusals() -> Iterator[None]:
    """What the inbox refuses is a wrong use of the command.

    :raises UsageError: in place of `inbox.refusal.Refused`
    """
    from airflow_provider_flux.inbox.refusal import Refused

    try:
        yield
    except Refused as refused:
        raise UsageError(str(refused)) from None


def tell_queued(queued: list[Queued], out: Output) -> None:
    """Say which runs were started in Airflow."""
    _tell(queued, out, replay_of=None)


def trigger(flow: str, run_id: str, conf: dict[str, Any]) -> None:
    """Start a DAG run, through Airflow's own command line, which is the same on 2.11 and 3.x.

    :raises FluxError: CONFIG_INVALID when Airflow refuses
    """
    command = [sys.executable, "-m", "airflow", "dags", "trigger", flow, "--run-id", run_id]
    command += ["--conf", json.dumps(conf)]
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


def _of_one_run(filter: ErrorFilter) -> Any:
    """The run whose errors are meant, all of them; None for any other selection."""
    from airflow_provider_flux.store.filters import ErrorFilter

    # A run belongs to one flow: naming that too changes nothing.
    return filter.run if filter.run is not None and replace(filter, flow=None) == ErrorFilter(run=filter.run) else None


def _tell(queued: list[Queued], out: Output, replay_of: str | None) -> None:
    if out.json:
        if replay_of is not None:
            [one] = queued
            out.data({"flow": one.flow, "replay_of": replay_of, "records": one.records, "run_id": one.run_id})
        else:
            out.data({"replays": queued, "records": sum(one.records for one in queued)})
        return
    for one in queued:
        records = counted(one.records, "record")
        out.line(f"Airflow run {one.run_id} of flow {one.flow} was started; it sends {records} again.")
        out.line(f"See it with: airflow-flux show {one.run_id} (if its DAG is paused, it waits)")
