"""The version of the tables: which one this code needs, and which one a database has.

Alembic makes and moves the tables (`store.upgrade`), but opening a store must not pay for importing it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, MetaData, String, Table, inspect, select
from sqlalchemy.engine import Connection

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.store.tables import runs

REVISIONS = ("0001", "0002", "0003", "0004")
"""Every revision in `store/migrations/versions`, oldest first."""

VERSION_TABLE = "flux_version"

_version = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32), primary_key=True))


def revision(connection: Connection, place: str) -> str | None:
    """The revision of the tables, None where there are none.

    :raises FluxError: STORE_VERSION when there are tables of Flux whose version cannot be told
    """
    if inspect(connection).has_table(VERSION_TABLE):
        found = [str(row[0]) for row in connection.execute(select(_version.c.version_num))]
        if len(found) == 1:
            return found[0]
    elif not inspect(connection).has_table(runs.name):
        return None
    raise FluxError(
        "STORE_VERSION",
        f"the store at {place} has tables of Flux, but {VERSION_TABLE} does not say of which version",
        next_step="Restore the store from a backup, or point `[flux] store` to an empty database.",
    )


def check_known(found: str, place: str, known: Sequence[str] = REVISIONS) -> None:
    """:raises FluxError: STORE_VERSION when the revision is of a newer Flux than this one"""
    if found not in known:
        raise FluxError(
            "STORE_VERSION",
            f"the store at {place} has version {found}, which this Flux does not know (it knows up to {known[-1]})",
            next_step="Install the newest Flux that uses this store; a store is never moved back to an older version.",
        )


def check_current(found: str | None, place: str, known: Sequence[str] = REVISIONS) -> None:
    """:param known: every revision that this code knows, the one that it needs last
    :raises FluxError: STORE_VERSION unless the revision is the one that this code needs"""
    if found is None:
        raise FluxError(
            "STORE_VERSION",
            f"the database at {place} has no tables of Flux",
            next_step="Run `airflow-flux db upgrade` to make them.",
        )
    check_known(found, place, known)
    if found != known[-1]:
        raise FluxError(
            "STORE_VERSION",
            f"the store at {place} has version {found}, this Flux needs {known[-1]}",
            next_step="Run `airflow-flux db upgrade`.",
        )
