from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection, Engine

from airflow_provider_flux.store import open_store, upgrade_store
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.tables import metadata
from airflow_provider_flux.store.upgrade import MIGRATIONS
from airflow_provider_flux.store.version import REVISIONS, VERSION_TABLE
from tests.conftest import Postgres


def test_the_code_knows_every_revision_in_order() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [REVISIONS[-1]]
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == REVISIONS


def test_migrations_make_the_tables_of_the_code(store_url: str) -> None:
    engine = create_engine(store_url, future=True)
    with engine.connect() as connection:
        options = {
            "compare_type": True,
            "version_table": VERSION_TABLE,
            "include_name": lambda name, kind, parents: name != "sqlite_sequence",  # SQLite's own
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_on_sqlite_migrations_and_code_say_the_same(made_sqlite: Path, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/direct.db", future=True)
    metadata.create_all(engine)
    engine.dispose()
    assert _sqlite_schema(made_sqlite) == _sqlite_schema(tmp_path / "direct.db")


def test_on_postgresql_migrations_and_code_make_the_same_columns_and_indexes(pg: Postgres, made_postgres: str) -> None:
    direct = create_engine(pg.new_database(), future=True)
    metadata.create_all(direct)
    migrated = create_engine(made_postgres, future=True)
    for query in (_COLUMNS, _INDEXES, _KEYS):
        found = _rows(migrated, query)
        assert found
        assert found == _rows(direct, query)
    direct.dispose()
    migrated.dispose()


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_errors_of_an_older_store_are_found_by_what_they_have_in_common(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/old.db" if database == "sqlite" else request.getfixturevalue("pg").new_database()
    engine = create_engine(url, future=True)
    with engine.begin() as connection:
        _upgrade(connection, "0001")
        connection.execute(text(_OLD_RUN))
        for field, fingerprint in (("email", "f1"), ("email", "f1"), ("lines[0].sku", "f2")):
            connection.execute(text(_OLD_ERROR), {"field": field, "fingerprint": fingerprint})
    engine.dispose()
    upgrade_store(url)
    with open_store(url) as store:
        groups = store.error_groups(["field", "code", "flow"])
        assert [(tuple(group.values.values()), group.count) for group in groups] == [
            (("email", "INVALID_EMAIL", "contacts"), 2),
            (("lines[0].sku", "INVALID_EMAIL", "contacts"), 1),
        ]
        assert [row.id for row in store.errors(ErrorFilter(flow="contacts", code="INVALID_EMAIL"))] == [1, 2, 3]


def _upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes.update(connection=connection, version_table=VERSION_TABLE)
    command.upgrade(config, revision)


_OLD_RUN = """
INSERT INTO flux_runs (flow, run_id, trigger, state, mapping, window_fixed, started_at)
VALUES ('contacts', 'run-1', 'scheduled', 'partial', 'contacts', 1, '2026-01-01T00:00:00.000000Z')
"""
_OLD_ERROR = """
INSERT INTO flux_errors
    (run, flow, stage, epoch, batch, ordinal, state, code, category, field, message, fingerprint, payload, occurred_at)
VALUES (1, 'contacts', 'transform', 0, 0, 0, 'open', 'INVALID_EMAIL', 'data', :field, 'no', :fingerprint, '{}',
    '2026-01-01T00:00:00.000000Z')
"""
_COLUMNS = """
SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default, collation_name
FROM information_schema.columns WHERE table_name LIKE 'flux%' AND table_name <> 'flux_version' ORDER BY 1, 2
"""
_INDEXES = "SELECT indexdef FROM pg_indexes WHERE tablename LIKE 'flux%' AND tablename <> 'flux_version' ORDER BY 1"
_KEYS = """
SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid::regclass::text LIKE 'flux%' AND conrelid::regclass::text <> 'flux_version' ORDER BY 1, 2
"""


def _rows(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


_CLAUSE = re.compile(r",\s*(?![^()]*\))")  # a comma outside of parentheses


def _sqlite_schema(file: Path) -> set[tuple[str, tuple[str, ...]]]:
    """By name of a table or index, its clauses; a column that a migration added stands behind the constraints."""
    with closing(sqlite3.connect(file)) as connection:
        query = "SELECT name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE '%flux_version%'"
        schema = {(name, _clauses(sql)) for name, sql in connection.execute(query)}
    assert len(schema) > len(metadata.tables)
    return schema


def _clauses(sql: str) -> tuple[str, ...]:
    head, opened, rest = sql.partition("(")
    body, _, tail = rest.rpartition(")")
    return (head.strip(), *sorted(" ".join(part.split()) for part in _CLAUSE.split(body)), tail.strip(), opened)
