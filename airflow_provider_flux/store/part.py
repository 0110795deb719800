"""What the parts of the store share."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Table, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from airflow_provider_flux.store.database import Database

LARGEST_ID = 2**63 - 1
"""What a row's number can be at most; a larger one that a person typed is the number of nothing."""

_TURNS = text(f"SELECT pg_advisory_xact_lock({0x466C7578}, hashtext(:flow))")
_CLOCK = text("SELECT clock_timestamp()")


class StorePart:
    """One subject of the store; `store.store.Store` puts them together."""

    def __init__(self, database: Database) -> None:
        self._database = database


def shared_now(connection: Connection) -> datetime:
    """The time by the clock that all tasks share, on whichever machine they run: the database's."""
    if connection.dialect.name != "postgresql":
        return datetime.now(UTC)  # a SQLite store is on one machine
    now: datetime = connection.execute(_CLOCK).scalar_one()
    return now


def insert_into(table: Table, dialect: str) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say ON CONFLICT."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def take_turns(connection: Connection, flow: str) -> None:
    """Let one transaction at a time move errors of a flow, until it commits: each touches many rows in its own order,
    and two of them would deadlock. SQLite has one writer anyway.

    :param flow: or another name for what only one may change at a time
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_TURNS, {"flow": flow})
