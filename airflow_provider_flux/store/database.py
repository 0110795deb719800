"""One database with transactions that report failures in words.

SQLite: write-ahead log, every commit on disk (synchronous=FULL), and BEGIN IMMEDIATE for every transaction that writes.
The default, which takes the write lock only at the first write, silently loses what another process wrote since the
transaction's first read. PostgreSQL: the defaults.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.pool import QueuePool

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.store.address import place, redact

LOCK_TIMEOUT = 30.0
"""Seconds to wait for another process's lock; `?timeout=` in a SQLite URL says otherwise."""

_CONNECT_TIMEOUT = 10  # seconds until an unreachable PostgreSQL counts as such


class Database:
    """An engine, and the two kinds of transaction on it. For one process: open it after a fork, not before.

    :param url: as `address.parse_url` gives it
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self.is_sqlite = url.drivername.startswith("sqlite")
        self._reader = _sqlite_engine(url) if self.is_sqlite else _postgres_engine(url)
        self._writer = self._reader.execution_options(flux_writes=True)
        self._joined = threading.local()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads.

        :raises FluxError: STORE_UNAVAILABLE
        """
        with self._failures(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that holds the right to write from its start and commits at its end, all or nothing.

        :raises FluxError: STORE_UNAVAILABLE
        """
        joined: Connection | None = getattr(self._joined, "connection", None)
        if joined is not None:
            yield joined
            return
        with self._failures(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make one transaction of those that this thread begins inside the block: one wait for the disk.

        All or nothing: when the block fails, nothing of it is there.

        :raises FluxError: STORE_UNAVAILABLE
        """
        with self.writing() as connection:
            self._joined.connection = connection
            try:
                yield
            finally:
                self._joined.connection = None

    def close(self) -> None:
        """Give all connections back."""
        self._reader.dispose()

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if not _is_outage(error):
                raise
            reason = redact(str(error.orig).strip(), self.url)
            # Not chained: the driver's own text may hold the password, its statement the data of customers.
            raise FluxError("STORE_UNAVAILABLE", f"the store at {place(self.url)}: {reason}") from None


def _is_outage(error: DBAPIError) -> bool:
    # A plain DatabaseError is how SQLite says that a file is damaged or is no database at all.
    return isinstance(error, (OperationalError, InterfaceError, InternalError)) or type(error) is DatabaseError


def _sqlite_engine(url: URL) -> Engine:
    timeout = float(str(url.query.get("timeout", LOCK_TIMEOUT)))
    engine = create_engine(
        url,
        future=True,
        hide_parameters=True,
        poolclass=QueuePool,
        max_overflow=-1,
        connect_args={"timeout": timeout, "isolation_level": None, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        # With isolation_level None the driver begins nothing by itself, and commits or rolls back what we began.
        writes = connection.get_execution_options().get("flux_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgres_engine(url: URL) -> Engine:
    connect_args = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_TIMEOUT}
    engine = create_engine(
        url, future=True, hide_parameters=True, pool_pre_ping=True, max_overflow=-1, connect_args=connect_args
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, record: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {int(LOCK_TIMEOUT * 1000)}")
            # To compile a query takes longer than any of ours does.
            cursor.execute("SET jit = off")
        connection.commit()

    return engine
