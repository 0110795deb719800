"""What `[flux] store` may say: the URL of a SQLite file or of a PostgreSQL database."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from airflow_provider_flux.errors import FluxError

_NEXT_STEP = (
    "Set `[flux] store` to sqlite:////absolute/path/flux.db, or to postgresql://user:password@host/database "
    "where more than one machine runs tasks."
)
_SQLALCHEMY_1 = version("sqlalchemy").startswith("1.")


def parse_url(text: str) -> URL:
    """The URL with the driver that is installed.

    :raises FluxError: CONFIG_INVALID when it is no URL, or of a database that the store cannot live in
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # The text is not repeated: it may hold a password.
        raise _invalid("[flux] store is not a database URL") from None
    if url.drivername.startswith("postgres"):
        return url.set(drivername=f"postgresql+{_postgres_driver()}")
    if url.drivername in ("sqlite", "sqlite+pysqlite"):
        _check_file(url)
        return url
    raise _invalid(f"[flux] store is a {url.drivername} URL, but the store lives in SQLite or PostgreSQL")


def sqlite_file(url: URL) -> Path | None:
    """The file of a SQLite URL, None for another database."""
    if not url.drivername.startswith("sqlite"):
        return None
    assert url.database is not None, "parse_url lets none pass"
    return Path(url.database)


def place(url: URL) -> str:
    """Where the store is, for messages: no user, no password, no options."""
    file = sqlite_file(url)
    if file is not None:
        return str(file)
    host = url.host or url.query.get("host") or "localhost"
    port = f":{url.port}" if url.port else ""
    return f"PostgreSQL {host}{port}/{url.database or ''}"


def redact(text: str, url: URL) -> str:
    """The text without the URL's secrets, which drivers repeat in some of their messages."""
    secrets = [str(url.password or "")] + [str(value) for name, value in url.query.items() if "password" in name]
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _postgres_driver() -> str:
    # SQLAlchemy 1.4 knows only psycopg2, and Airflow 3 brings psycopg; either may be missing.
    for driver in ("psycopg2",) if _SQLALCHEMY_1 else ("psycopg", "psycopg2"):
        if find_spec(driver) is not None:
            return driver
    extra = "postgres-psycopg2" if _SQLALCHEMY_1 else "postgres"
    raise FluxError(
        "CONFIG_INVALID",
        "[flux] store is a PostgreSQL URL, but no driver for PostgreSQL is installed",
        next_step=f"Install airflow-provider-flux[{extra}].",
    )


def _check_file(url: URL) -> None:
    name = url.database or ""
    if name in ("", ":memory:") or name.startswith("file:") or "mode" in url.query or "uri" in url.query:
        raise _invalid(f"[flux] store is '{url}', but the store must be a plain file: every task is another process")
    try:
        float(str(url.query.get("timeout", 0)))
    except ValueError:
        raise _invalid(f"[flux] store is '{url}', but its timeout must be a number of seconds") from None
    if not Path(name).is_absolute():
        raise _invalid(
            f"[flux] store is '{url}', a relative path: each process would find another store in its own folder"
        )


def _invalid(message: str) -> FluxError:
    return FluxError("CONFIG_INVALID", message, next_step=_NEXT_STEP)
