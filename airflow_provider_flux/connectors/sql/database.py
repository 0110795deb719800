"""One database behind one connection: its engine, and its errors in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.sql.fault import Fault, is_database_error
from airflow_provider_flux.connectors.sql.recognise import recognise
from airflow_provider_flux.connectors.sql.url import database_url
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.tally import REFUSED, Tally, kind_of_code

Side = Literal["source", "destination"]

_CONNECT_SECONDS = 10
_BUSY_SECONDS = 30

_EXTRAS = {"postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql"}
"""Extras of this package that bring a driver."""

_SESSION = {
    # Timestamps without a zone count as UTC, on both sides of every comparison.
    "postgresql": "SET TIME ZONE 'UTC'",
    "mysql": "SET time_zone = '+00:00'",
    "mariadb": "SET time_zone = '+00:00'",
}


class Database:
    """The engine of a connection; opened by the first use, safe to share between threads after it.

    :param connections: most connections at the same time
    :param tally: where its use is counted, one call for each block of `connect`; one of its own unless given
    """

    def __init__(
        self, credentials: Credentials, side: Side, connections: int = 1, tally: Tally | None = None
    ) -> None:
        self.credentials = credentials
        self.tally = tally or Tally()
        self._side = side
        self._url = database_url(credentials)
        hidden = (credentials.password, self._url.password, self._url.query.get("password"))
        self._secrets = [str(text) for text in hidden if text]
        self.engine = self._open(connections)

    @property
    def dialect(self) -> str:
        """SQLAlchemy's name of the dialect: `postgresql`, `sqlite`, `mysql`, ..."""
        return self.engine.dialect.name

    @property
    def driver(self) -> str:
        """SQLAlchemy's name of the driver: `psycopg`, `psycopg2`, `pysqlite`, ..."""
        return self.engine.dialect.driver

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection from the pool, with a transaction that is rolled back unless it is committed; one counted call.

        :raises FluxError: for every error of the database
        """
        try:
            with self._connect() as connection:
                yield connection
        except FluxError as error:
            self._count(error)
            raise
        except BaseException:
            # Not the database's doing: a record that it refused, or a reader that has enough.
            self.tally.good()
            raise
        self.tally.good()

    def _count(self, error: FluxError) -> None:
        kind = kind_of_code(error.code)
        if kind == REFUSED:
            self.tally.good()  # it answered: one statement or record was at fault, and the login was not
        else:
            self.tally.bad(kind, error.message, error.code)

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        try:
            connection = self.engine.connect()
        except SQLAlchemyError as error:
            raise self.failure(error, connecting=True) from None
        try:
            with connection:
                try:
                    yield connection
                except Exception as error:
                    if is_database_error(error):
                        # It may be dead, and then a rollback would fail as well.
                        connection.invalidate()
                    raise
        except Exception as error:
            if not is_database_error(error):
                raise
            raise self.failure(error) from None

    def fault(self, error: Exception, *, connecting: bool = False) -> Fault:
        """What kind of error of the database this is."""
        return recognise(error, self.dialect, connecting=connecting)

    def failure(self, error: Exception, *, connecting: bool = False) -> FluxError:
        """The error of a whole task that an error of the database amounts to."""
        fault = self.fault(error, connecting=connecting)
        where = f"connection '{self.credentials.conn_id}'"
        if fault.connection_field:
            where += f", field '{fault.connection_field}'"
        return FluxError(
            fault.code_for(self._side),
            self.safe(f"{where}: {fault.message}"),
            next_step=fault.next_step,
            answer=self.safe(fault.answer),
        )

    def safe(self, text: str) -> str:
        """The text without the password, should a driver have put it there."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def test(self) -> str:
        """Log in and say what answered.

        :raises FluxError: with the field of the connection at fault, if it is one
        """
        with self.connect() as connection:
            connection.execute(sqlalchemy.text("SELECT 1")).scalar()
            version = ".".join(str(part) for part in self.engine.dialect.server_version_info or ())
        place = self._url.database if self.dialect == "sqlite" else f"{self._url.host or 'local'}/{self._url.database}"
        return f"{self.dialect} {version} answers at {place} (driver {self.driver})"

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def _open(self, connections: int) -> Engine:
        options: dict[str, Any] = {"poolclass": QueuePool, "pool_size": connections, "max_overflow": 1}
        if sqlalchemy.__version__.startswith("1."):
            options["future"] = True  # transactions as in 2.x
        backend = self._url.get_backend_name()
        if backend == "sqlite":
            options["connect_args"] = {"check_same_thread": False, "timeout": _BUSY_SECONDS}
        else:
            options["pool_pre_ping"] = True
        if self._url.drivername in ("postgresql+psycopg", "postgresql+psycopg2"):
            options["connect_args"] = {"client_encoding": "utf8"}
            if "connect_timeout" not in self._url.query:
                options["connect_args"]["connect_timeout"] = _CONNECT_SECONDS
        try:
            engine = sqlalchemy.create_engine(self._url, **options)
        except NoSuchModuleError:
            raise self.credentials.invalid(
                "extra.dialect", f"SQLAlchemy has no dialect '{self._url.drivername}' here; is its package installed?"
            ) from None
        except ImportError as error:
            raise self.credentials.invalid(
                "extra.driver",
                f"the Python package '{error.name}' for {self._url.drivername} is not installed"
                + (f"; pip install 'airflow-provider-flux[{_EXTRAS[backend]}]'" if backend in _EXTRAS else ""),
            ) from None
        except (ArgumentError, TypeError, ValueError):
            # The text is not shown: it may hold the URL with its password.
            raise self.credentials.invalid("extra", f"{self._url.drivername} does not take these parameters") from None
        if backend == "sqlite":
            _sqlite_transactions(engine, writes=self._side == "destination")
        elif backend in _SESSION:
            _session_setting(engine, _SESSION[backend])
        return engine


def _sqlite_transactions(engine: Engine, *, writes: bool) -> None:
    """Begin transactions ourselves: the driver's own begin too late for savepoints and lose updates to other writers.

    Why: https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#transactions-with-sqlite-and-the-sqlite3-driver
    """

    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        if writes:
            # The table's own foreign keys, which SQLite checks only if each connection asks for it.
            connection.execute("PRAGMA foreign_keys = ON")

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


def _session_setting(engine: Engine, statement: str) -> None:
    def connected(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(statement)
        cursor.close()
        connection.commit()

    event.listen(engine, "connect", connected)
