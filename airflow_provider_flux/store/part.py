"""What the parts of the store share."""

from __future__ import annotations

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from airflow_provider_flux.store.database import Database

LARGEST_ID = 2**63 - 1
"""What a row's number can be at most; a larger one that a person typed is the number of nothing."""


class StorePart:
    """One subject of the store; `store.store.Store` puts them together."""

    def __init__(self, database: Database) -> None:
        self._database = database


def insert_into(table: Table, dialect: str) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say ON CONFLICT."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
