"""The way of databases that have no ON CONFLICT: look up, update, insert. SQLite stands in, told nothing of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from airflow_provider_flux.connectors.sql.plan import Mode, Step
from airflow_provider_flux.connectors.sql.statements import StatementWriter
from airflow_provider_flux.connectors.sql.tables import Column, Table

TABLE = Table(
    "t",
    None,
    {
        name: Column(name, kind, nullable=name == "c", required=name != "c")
        for name, kind in {"a": sa.Text(), "b": sa.Integer(), "c": sa.JSON()}.items()
    },
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sa.engine.Connection]:
    with closing(sqlite3.connect(tmp_path / "t.db")) as database:
        database.execute("CREATE TABLE t (a TEXT, b INTEGER, c JSON)")
        database.executemany("INSERT INTO t VALUES ('x', ?, 'null')", [(n,) for n in range(250)])
        database.commit()
    engine = sa.create_engine(f"sqlite:///{tmp_path / 't.db'}", future=True)
    with engine.begin() as found:
        yield found
    engine.dispose()


def writer(mode: Mode, *key: str) -> StatementWriter:
    return StatementWriter(TABLE, mode, key, "native", "a dialect of its own")


def rows(connection: sa.engine.Connection, where: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(sa.text(f"SELECT a, b, c FROM t WHERE {where} ORDER BY a, b"))]


def test_upsert_updates_what_is_there_and_inserts_the_rest(connection: sa.engine.Connection) -> None:
    step = Step(False, ("a", "b", "c"), [0, 1, 2], [("x", 1, {"n": 1}), ("y", 1, None), ("x", 900, [])])
    assert writer("upsert", "a", "b").write(connection, step) == []
    assert rows(connection, "b IN (1, 900)") == [("x", 1, '{"n": 1}'), ("x", 900, "[]"), ("y", 1, None)]
    assert connection.execute(sa.text("SELECT count(*) FROM t")).scalar() == 252


def test_upsert_of_more_keys_than_one_query_asks_for(connection: sa.engine.Connection) -> None:
    step = Step(False, ("b", "a"), list(range(300)), [(n, "z") for n in range(300)])
    assert writer("upsert", "b").write(connection, step) == []
    assert connection.execute(sa.text("SELECT count(*), min(a), max(a) FROM t")).one() == (300, "z", "z")


def test_update_tells_what_is_not_there(connection: sa.engine.Connection) -> None:
    step = Step(False, ("b", "a"), [10, 11, 12], [(1, "z"), (999, "z"), (2, "z")])
    assert writer("update", "b").write(connection, step) == [1]
    assert rows(connection, "a = 'z'") == [("z", 1, "null"), ("z", 2, "null")]


def test_delete(connection: sa.engine.Connection) -> None:
    step = Step(True, ("a", "b"), [0, 1], [("x", 1), ("y", 1)])
    assert writer("upsert", "a", "b").write(connection, step) == []
    assert connection.execute(sa.text("SELECT count(*) FROM t")).scalar() == 249


def test_create_if_missing_tells_what_is_there_and_leaves_it(connection: sa.engine.Connection) -> None:
    step = Step(False, ("a", "b", "c"), [5, 6, 7], [("x", 1, {"n": 1}), ("y", 1, None), ("x", 2, [])])
    assert writer("create_if_missing", "a", "b").write(connection, step) == [0, 2]
    assert rows(connection, "b IN (1, 2)") == [("x", 1, "null"), ("x", 2, "null"), ("y", 1, None)]


def test_keys_that_only_the_database_finds_equal_are_there(connection: sa.engine.Connection) -> None:
    connection.execute(sa.text("CREATE TABLE people (a TEXT COLLATE NOCASE, b INTEGER, c JSON)"))
    connection.execute(sa.text("INSERT INTO people (a, b) VALUES ('Ada', 1), ('bob', 2)"))
    people = StatementWriter(Table("people", None, TABLE.columns), "upsert", ("a",), "native", "a dialect of its own")
    assert people.there(connection, [("ada",), ("bob",), ("cyd",), ("BOB",)]) == {0, 1, 3}
    step = Step(False, ("a", "b"), [0, 1], [("ADA", 7), ("cyd", 8)])
    assert people.write(connection, step) == []
    found = connection.execute(sa.text("SELECT a, b FROM people ORDER BY b"))
    assert [tuple(row) for row in found] == [("bob", 2), ("Ada", 7), ("cyd", 8)]


def test_an_archive_sets_columns_in_place_of_a_delete(connection: sa.engine.Connection) -> None:
    archiving = StatementWriter(TABLE, "upsert", ("a", "b"), "native", "a dialect of its own", lambda: {"c": ["gone"]})
    assert archiving.write(connection, Step(True, ("a", "b"), [0, 1], [("x", 1), ("y", 1)])) == []
    assert rows(connection, "b IN (1, 2)") == [("x", 1, '["gone"]'), ("x", 2, "null")]
    assert connection.execute(sa.text("SELECT count(*) FROM t")).scalar() == 250
