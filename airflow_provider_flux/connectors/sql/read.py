"""The SQL source: rows of a window in pages, each page a query of its own.

Pages follow the key (keyset, no OFFSET): a row that changes, appears or goes while others are read moves nobody else.
An incremental read over a plain range follows (cursor, key), which an index on the cursor serves. A row whose cursor
moves while it is read is read once more, or in the next run; it is never lost.

Rows without a cursor value belong to no window: a read from the beginning takes them, later ones do not. Rows without
a key, and rows that share one, are read like all others; the read stage says what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from airflow_provider_flux.connectors.contract import Page, Source, Window
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.sql.database import Database
from airflow_provider_flux.connectors.sql.options import SqlSourceOptions
from airflow_provider_flux.connectors.sql.reading import Reading
from airflow_provider_flux.transport.tally import Tally

_CLOCKS = {
    # The others' CURRENT_TIMESTAMP is in the zone of the session, without saying so.
    "mysql": "SELECT UTC_TIMESTAMP(6)",
    "mariadb": "SELECT UTC_TIMESTAMP(6)",
    "mssql": "SELECT SYSUTCDATETIME()",
    "oracle": "SELECT SYS_EXTRACT_UTC(SYSTIMESTAMP) FROM dual",
}


class SqlSource(Source):
    """Reads one table or query."""

    def __init__(self, options: SqlSourceOptions, credentials: Credentials) -> None:
        self._options = options
        self._database = Database(credentials, "source")

    def now(self) -> datetime:
        """The clock of the database; SQLite's counts whole seconds."""
        statement = _CLOCKS.get(self._database.dialect, "SELECT CURRENT_TIMESTAMP")
        with self._database.connect() as connection:
            value = connection.execute(sa.text(statement)).scalar_one()
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment

    def read(self, window: Window) -> Iterator[Page]:
        yield from Reading(self._database, self._options).pages(window)

    def calls(self) -> Tally:
        return self._database.tally

    def fetch(self, keys: Sequence[Mapping[str, Any]]) -> Iterator[Page]:
        """Yield the rows with these keys that the table, or the query with its `where`, still has."""
        yield from Reading(self._database, self._options).rows(keys)

    def close(self) -> None:
        self._database.close()
