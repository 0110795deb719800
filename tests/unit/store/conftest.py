"""Every test of the store runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import create_engine, text

from airflow_provider_flux.store import Store, open_store, upgrade_store
from airflow_provider_flux.store.rows import Run
from airflow_provider_flux.store.tables import metadata
from tests.conftest import Postgres

T = TypeVar("T")

PROCESSES = 8


@dataclass(frozen=True)
class EightProcesses:
    """Eight processes that do the same at once."""

    _pool: ProcessPoolExecutor

    def run(self, work: Callable[[str, int], T], url: str) -> list[T]:
        """Each process calls `work` with the URL of a store and its own number from 0."""
        return list(self._pool.map(work, [url] * PROCESSES, range(PROCESSES)))


@pytest.fixture(scope="session")
def eight() -> Iterator[EightProcesses]:
    """Eight processes, started anew: they share nothing with this one."""
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        # Each has its imports behind it, so that what a test asks of them truly happens at once.
        list(pool.map(_imported, range(PROCESSES)))
        yield EightProcesses(pool)


def _imported(number: int) -> None:
    """Unpickling this function has imported the store."""
    time.sleep(0.5)


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
