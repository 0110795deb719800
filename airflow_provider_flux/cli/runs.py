"""`runs` and `show`."""

from __future__ import annotations

from argparse import Namespace

from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.place import expect_flow, find_run, the_store
from airflow_provider_flux.cli.run import print_report

_COLUMNS = ("#run", "flow", "trigger", "state", "started", "#read", "#written", "#failed", "#held")


def runs(arguments: Namespace, out: Output) -> int:
    """Print the last runs as a table."""
    with the_store() as store:
        found = store.runs(arguments.flow, arguments.limit)
    if arguments.flow and not found:
        expect_flow(arguments.flow)
    if out.json:
        out.data(found)
        return 0
    if not found:
        out.line("No runs yet.")
        return 0
    rows = [
        (run.id, run.flow, run.trigger, run.state, moment(run.started_at), run.read, run.written, run.failed, run.held)
        for run in found
    ]
    out.table(_COLUMNS, rows)
    return 0


def show(arguments: Namespace, out: Output) -> int:
    """Print everything about one run."""
    from airflow_provider_flux.stages.report import run_report

    with the_store() as store:
        report = run_report(store, find_run(store, arguments.run, arguments.flow))
    print_report(report, out)
    return 0


def moment(instant: str) -> str:
    """An instant of the store, to the minute."""
    return f"{instant[:10]} {instant[11:16]}"
