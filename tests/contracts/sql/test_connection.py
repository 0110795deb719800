"""Connections that are wrong say which field is; none of them shows the password."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_flux.connectors.contract import WriteItem
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.sql import Sql
from airflow_provider_flux.errors import FluxError

SECRET = "hunter2-s3cret"


def failure(credentials: Credentials) -> FluxError:
    """The error of a connection test; it holds no secret anywhere."""
    with pytest.raises(FluxError) as caught:
        Sql.test(credentials)
    error = caught.value
    shown = f"{error} {error.next_step} {error.answer}"
    cause: BaseException | None = error
    while cause is not None and not cause.__suppress_context__:
        cause = cause.__context__
        shown += str(cause)
    assert SECRET not in shown
    assert "db" in error.message
    return error


def test_a_good_connection_says_what_answered(place: Any) -> None:
    answer = Sql.test(place.credentials)
    assert answer.startswith(f"{place.dialect} ")
    assert place.engine.dialect.driver in answer


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: refuses
        port = unused.getsockname()[1]
        error = failure(Credentials("db", "postgres", "127.0.0.1", port, "u", SECRET, "crm"))
    assert (error.code, error.transient) == ("CONNECTION_TIMEOUT", True)
    assert "field 'host'" in error.message


def test_a_server_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        extra = {"connect_timeout": 2}
        started = time.monotonic()
        error = failure(Credentials("db", "postgres", "127.0.0.1", silent.getsockname()[1], "u", SECRET, "crm", extra))
    assert error.code == "CONNECTION_TIMEOUT"
    assert time.monotonic() - started < 30


def test_a_host_name_that_does_not_exist() -> None:
    error = failure(Credentials("db", "postgres", "no-such-host.invalid", 5432, "u", SECRET, "crm"))
    assert error.code == "CONNECTION_TIMEOUT"
    assert "field 'host'" in error.message


@pytest.fixture
def guarded(pg: Any, pg_place: Any) -> Iterator[tuple[str, Any]]:
    """A PostgreSQL user that needs a password, and the database."""
    user = f"guarded_{pg_place.engine.url.database}"
    pg_place.run(f"CREATE ROLE {user} LOGIN PASSWORD '{SECRET}'")
    rules = Path(pg.socket) / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"local all {user} scram-sha-256\n{before}")
    pg_place.rows("SELECT pg_reload_conf()")
    time.sleep(0.2)
    yield user, pg_place
    rules.write_text(before)
    pg_place.rows("SELECT pg_reload_conf()")
    pg_place.run(f"DROP ROLE {user}")


def test_a_password_that_is_wrong_or_missing(pg: Any, guarded: tuple[str, Any]) -> None:
    user, place = guarded
    database = place.engine.url.database
    good = Credentials("db", "postgres", str(pg.socket), None, user, SECRET, database)
    assert "postgresql" in Sql.test(good)
    for password in (f"{SECRET}-wrong", None):
        error = failure(replace(good, password=password))
        assert error.code == "AUTHENTICATION_FAILED"
        assert "field 'password'" in error.message
    in_url = Credentials(
        "db", "flux_sql", password=SECRET, extra={"url": f"postgresql://{user}@/{database}?host={pg.socket}"}
    )
    assert "postgresql" in Sql.test(in_url), "the password may stand in its own field"


def test_a_user_or_database_that_does_not_exist(pg: Any) -> None:
    error = failure(Credentials("db", "postgres", str(pg.socket), None, "nobody_here", SECRET, "postgres"))
    assert error.code == "AUTHENTICATION_FAILED"
    assert "field 'login'" in error.message
    error = failure(Credentials("db", "postgres", str(pg.socket), None, "postgres", SECRET, "no_such_database"))
    assert error.code == "CONNECTION_INVALID"
    assert "field 'schema'" in error.message


def test_a_sqlite_file_that_is_not_there_is_not_created(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    error = failure(Credentials("db", "sqlite", host=str(path)))
    assert error.code == "CONNECTION_INVALID"
    assert str(path) in error.message
    assert not path.exists()


def test_a_file_that_is_no_sqlite_database(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    path.write_bytes(b"not a database" * 100)
    error = failure(Credentials("db", "sqlite", host=str(path)))
    assert error.code == "CONNECTION_INVALID"
    assert "field 'host'" in error.message


@pytest.mark.parametrize(
    ("credentials", "field"),
    [
        (Credentials("db", "flux_sql", host="h", password=SECRET), "extra.dialect"),
        (Credentials("db", "flux_sql", extra={"dialect": "nosql"}, password=SECRET), "extra.dialect"),
        (Credentials("db", "flux_sql", extra={"url": f"u:{SECRET}@h"}), "extra.url"),
        (Credentials("db", "flux_sql", host=f"postgresql://u:{SECRET}@h:port/d"), "host"),
        (Credentials("db", "flux_sql", host=f"nosql://u:{SECRET}@h/d"), "extra.dialect"),
        (Credentials("db", "postgres", host="h", password=SECRET, extra={"query": "x"}), "extra.query"),
        (Credentials("db", "mssql", host="h", password=SECRET), "extra.driver"),
        (Credentials("db", "sqlite"), "host"),
        (Credentials("db", "sqlite", host=":memory:"), "host"),
    ],
)
def test_a_connection_that_cannot_be_used_names_its_field(credentials: Credentials, field: str) -> None:
    error = failure(credentials)
    assert error.code == "CONNECTION_INVALID"
    assert f"field '{field}'" in error.message
    assert f"'{field}'" in error.next_step


def test_a_database_that_is_opened_read_only(sqlite_place: Any) -> None:
    sqlite_place.run("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)")
    credentials = replace(sqlite_place.credentials, extra={"query": {"mode": "ro"}})
    read_only = replace(sqlite_place, credentials=credentials)
    with pytest.raises(FluxError) as caught:
        read_only.write([WriteItem({"id": 2})], table="t")
    assert caught.value.code == "PERMISSION_DENIED"
    assert read_only.records(table="t") == [{"id": 1}]
