"""From an Airflow connection to the URL of a database, as the hooks of Airflow's SQL providers read it.

Fields: host, port, login, password, schema (the database). Extra: `dialect` (`postgresql`, `mysql`, ...), `driver`
(`psycopg2`, ...), `query` (URL parameters), the SSL settings of libpq, or `url`: a whole SQLAlchemy URL. No error shows
a URL, for it may hold the password.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from airflow_provider_flux.connectors.credentials import Credentials

_DIALECTS = {"postgres": "postgresql", "pgsql": "postgresql"}
"""Names of connection types that SQLAlchemy spells otherwise."""

_DRIVERS: dict[str, tuple[tuple[str, str], ...]] = {
    # SQLAlchemy's name of the driver, the Python package that must be there. psycopg 3 needs SQLAlchemy 2.
    "postgresql": (("psycopg", "psycopg"), ("psycopg2", "psycopg2")),
    "mysql": (("mysqldb", "MySQLdb"), ("pymysql", "pymysql"), ("mysqlconnector", "mysql.connector")),
    "mariadb": (("mysqldb", "MySQLdb"), ("pymysql", "pymysql"), ("mariadbconnector", "mariadb")),
}

_LIBPQ = ("sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "application_name", "connect_timeout", "options")
"""Extras that Airflow's PostgreSQL hook also hands to libpq."""

_NAME = re.compile(r"\w+")


def database_url(credentials: Credentials) -> URL:
    """The SQLAlchemy URL of a connection.

    :raises FluxError: CONNECTION_INVALID with the field of the connection that is missing or wrong
    """
    url = _whole_url(credentials) or _url_of_parts(credentials)
    if url.get_backend_name() == "sqlite":
        return _sqlite_url(credentials, url)
    return _with_driver(url)


def _whole_url(credentials: Credentials) -> URL | None:
    field, text = "extra.url", credentials.extra.get("url")
    if not text and credentials.host and "://" in credentials.host:
        field, text = "host", credentials.host
    if not text:
        return None
    try:
        url = make_url(str(text))
    except (ArgumentError, ValueError):
        raise credentials.invalid(
            field, "is not a SQLAlchemy URL (dialect+driver://user:...@host:port/database)"
        ) from None
    backend, _, driver = url.drivername.partition("+")
    dialect = _DIALECTS.get(backend, backend)
    url = url.set(drivername=f"{dialect}+{driver}" if driver else dialect)
    # The password may stand in its own field, where Airflow encrypts and masks it.
    return url.set(username=url.username or credentials.login, password=url.password or credentials.password)


def _url_of_parts(credentials: Credentials) -> URL:
    extra = credentials.extra
    query: dict[str, Any] = {name: str(extra[name]) for name in _LIBPQ if extra.get(name)}
    more = extra.get("query") or {}
    if not isinstance(more, dict):
        raise credentials.invalid("extra.query", "is not an object of URL parameters")
    return URL.create(
        _drivername(credentials),
        username=credentials.login or None,
        password=credentials.password or None,
        host=credentials.host or None,
        port=credentials.port,
        database=credentials.schema or None,
        query=query | {str(name): str(value) for name, value in more.items()},
    )


def _drivername(credentials: Credentials) -> str:
    extra = credentials.extra
    dialect = str(extra.get("dialect") or extra.get("sqlalchemy_scheme") or "")
    if not dialect and credentials.conn_type != "flux_sql":
        dialect = credentials.conn_type
    if not dialect:
        raise credentials.invalid("extra.dialect", "is missing: postgresql, mysql, sqlite, or another of SQLAlchemy's")
    backend, _, driver = dialect.partition("+")
    backend = _DIALECTS.get(backend, backend)
    # In an ODBC connection `driver` is the name of the ODBC driver, which is none of SQLAlchemy's.
    named = str(extra.get("driver") or "")
    driver = driver or (named if _NAME.fullmatch(named) else "")
    return f"{backend}+{driver}" if driver else backend


def _with_driver(url: URL) -> URL:
    """Choose the driver that is installed where the connection names none."""
    if "+" in url.drivername:
        return url
    for driver, package in _DRIVERS.get(url.drivername, ()):
        if driver == "psycopg" and sqlalchemy.__version__.startswith("1."):
            continue
        if find_spec(package.partition(".")[0]) is not None:
            return url.set(drivername=f"{url.drivername}+{driver}")
    return url


def _sqlite_url(credentials: Credentials, url: URL) -> URL:
    """A URL whose database is the path of an existing file; SQLite would create an empty one."""
    path = "/".join(part for part in (url.host, url.database) if part)
    if not path or path == ":memory:":
        raise credentials.invalid("host", "must be the path of a SQLite file")
    file = Path(path).expanduser().absolute()
    if not file.is_file():
        raise credentials.invalid("host", f"there is no SQLite file {file}")
    if url.query:
        # Parameters of SQLite, such as `mode=ro`, are taken from a file URI only.
        return URL.create(url.drivername, database=f"file:{file}", query={**url.query, "uri": "true"})
    return URL.create(url.drivername, database=str(file))
