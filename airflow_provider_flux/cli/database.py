"""`db upgrade`."""

from __future__ import annotations

from argparse import Namespace

from airflow_provider_flux import settings
from airflow_provider_flux.cli.output import Output


def upgrade(arguments: Namespace, out: Output) -> int:
    """Make or migrate the tables of the store."""
    from airflow_provider_flux.store.upgrade import upgrade_store

    done = upgrade_store(settings.load().store)
    if out.json:
        out.data({"message": done})
    else:
        out.line(done)
    return 0
