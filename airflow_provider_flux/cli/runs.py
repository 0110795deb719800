"""`runs` and `show`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.place import expect_flow, find_flow, find_run, the_store
from airflow_provider_flux.cli.run import print_report
from airflow_provider_flux.cli.values import UsageError, counted, moment
from airflow_provider_flux.errors import FluxError

if TYPE_CHECKING:
    from airflow_provider_flux.flow.models import FlowFile
    from airflow_provider_flux.store import Store
    from airflow_provider_flux.store.rows import Claim

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
        if not store.find_run(arguments.run, arguments.flow) and (waiting := _waiting(store, arguments)):
            if out.json:
                out.data({"state": "pending", "waiting": waiting})
            else:
                out.line("\n".join(map(pending_text, waiting)))
            return 0
        run = find_run(store, arguments.run, arguments.flow)
        report = run_report(store, run, _flow_file(run.flow))
    print_report(report, out)
    return 0


def pending_text(claim: Claim) -> str:
    """A replay that was asked for and has not begun."""
    return (
        f"PENDING: run {claim.run_id} of flow {claim.flow} has not begun\n"
        f"  {counted(claim.errors, 'record')} of earlier runs wait for it"
    )


def _waiting(store: Store, arguments: Namespace) -> list[Claim]:
    """Replays with this run id that have their records, but have not begun."""
    return [claim for claim in store.active_claims(arguments.flow) if claim.run_id == arguments.run]


def _flow_file(flow_id: str) -> FlowFile | None:
    """What the flow's file says; None where it is gone or not valid any more: old runs are shown all the same."""
    try:
        return find_flow(flow_id).file
    except (UsageError, FluxError):
        return None
