"""`housekeeping`: removes what is older than its retention."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from datetime import UTC, datetime

from airflow_provider_flux import settings
from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.place import the_store
from airflow_provider_flux.cli.values import counted


def housekeeping(arguments: Namespace, out: Output) -> int:
    """Remove what is too old, or only say what would be."""
    from airflow_provider_flux.housekeeping import purge
    from airflow_provider_flux.staging import open_staging

    here = settings.load()
    with the_store() as store:
        staging = open_staging(here.staging)
        purged = purge(store, staging, datetime.now(UTC), here.retention, dry_run=arguments.dry_run)
    if out.json:
        out.data({**asdict(purged), "dry_run": arguments.dry_run})
        return 0
    said = "would be removed" if arguments.dry_run else "removed"
    keep = here.retention
    out.line(f"staged files of {counted(purged.staging, 'run')} {said} (over {_days(keep.staging)} ago)")
    out.line(f"customer data of {counted(purged.payloads, 'error')} {said} (over {_days(keep.payloads)} ago)")
    out.line(f"{counted(purged.runs, 'run')} {said} with all their rows (over {_days(keep.runs)} ago)")
    out.note(
        "Runs and replays that Airflow ended without Flux are reconciled by the DAG flux_housekeeping, which knows "
        "Airflow's state."
    )
    return 0


def _days(span: object) -> str:
    return str(span).removesuffix(", 0:00:00")
