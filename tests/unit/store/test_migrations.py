from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine

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
