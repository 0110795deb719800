"""Every test of the store runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from airflow_provider_flux.store import Store, open_store, upgrade_store
from airflow_provider_flux.store.rows import Run
from airflow_provider_flux.store.tables import metadata
from tests.conftest import Postgres


@pytest.fixture(scope="session")
def made_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new SQLite store, to be copied: to make one takes a fifth of a second."""
    file = tmp_path_factory.mktemp("made") / "flux.db"
    open_store(f"sqlite:///{file}").close()
    return file


@pytest.fixture(scope="session")
def made_postgres(pg: Postgres) -> str:
    """The URL of a PostgreSQL store, to be emptied before every test."""
    url = pg.new_database()
    upgrade_store(url)
    return url


@pytest.fixture
def sqlite_url(made_sqlite: Path, tmp_path: Path) -> str:
    """An empty SQLite store."""
    file = tmp_path / "store" / "flux.db"
    file.parent.mkdir()
    shutil.copy(made_sqlite, file)
    return f"sqlite:///{file}"


@pytest.fixture
def postgres_url(made_postgres: str) -> str:
    """An empty PostgreSQL store."""
    engine = create_engine(made_postgres, future=True)
    tables = ", ".join(metadata.tables)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    engine.dispose()
    return made_postgres


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest) -> str:
    """An empty store."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store, open."""
    with open_store(store_url) as store:
        yield store


@pytest.fixture
def run(store: Store) -> Run:
    """A run of the flow `contacts`."""
    return store.start_run("contacts", "run-1", "scheduled", "contacts")
