"""Real databases for the SQL connector: every test runs on SQLite and on PostgreSQL unless it says otherwise."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from airflow_provider_flux.connectors.contract import Destination, Page, Source, Verdict, Window, WriteItem
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.sql import Sql


@dataclass
class Place:
    """A database, the connection to it, and the test's own eyes on it."""

    credentials: Credentials
    engine: sa.engine.Engine
    dialect: str

    def run(self, statement: str, **params: Any) -> None:
        """Execute statements, separated by semicolons, and commit."""
        with self.engine.begin() as connection:
            for part in statement.split(";"):
                connection.execute(sa.text(part), params)

    def rows(self, statement: str, **params: Any) -> list[tuple[Any, ...]]:
        """What a query answers."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement), params)]

    def source(self, **options: Any) -> Source:
        given = {"connector": "sql", "connection": "db", "key": "id", **options}
        return Sql.source(Sql.source_options(**given), self.credentials)

    def destination(self, **options: Any) -> Destination:
        given = {"connector": "sql", "connection": "db", "key": "id", **options}
        return Sql.destination(Sql.destination_options(**given), self.credentials)

    def read(self, window: Window = Window(), **options: Any) -> list[Page]:  # noqa: B008  it is frozen
        """Every page of a read."""
        source = self.source(**options)
        try:
            return list(source.read(window))
        finally:
            source.close()

    def records(self, window: Window = Window(), **options: Any) -> list[dict[str, Any]]:  # noqa: B008
        """Every record of a read."""
        return [record for page in self.read(window, **options) for record in page.records]

    def write(self, items: Sequence[WriteItem], **options: Any) -> list[Verdict]:
        """Write in batches of `batch_size`, `in_flight` at a time; the verdicts in the order of the items."""
        destination = self.destination(**options)
        size = destination.batch_size
        batches = [items[start : start + size] for start in range(0, len(items), size)]
        try:
            with ThreadPoolExecutor(destination.in_flight) as pool:
                return [verdict for verdicts in pool.map(destination.write, batches) for verdict in verdicts]
        finally:
            destination.close()


def _sqlite(folder: Path) -> Place:
    path = folder / "crm.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
    engine = sa.create_engine(f"sqlite:///{path}", future=True)
    return Place(Credentials("db", "sqlite", host=str(path)), engine, "sqlite")


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Iterator[Place]:
    place = _sqlite(tmp_path)
    yield place
    place.engine.dispose()


@pytest.fixture(scope="module")
def pg_database(pg: Any) -> Iterator[Place]:
    url = pg.new_database()
    place = Place(Credentials("db", "flux_sql", extra={"url": url}), sa.create_engine(url, future=True), "postgresql")
    yield place
    place.engine.dispose()


@pytest.fixture
def pg_place(pg_database: Place) -> Iterator[Place]:
    # Emptied, not made anew: a database costs PostgreSQL far more than a test does.
    yield pg_database
    schemas = (
        "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg@_%' ESCAPE '@' AND nspname <> 'information_schema'"
    )
    for (name,) in pg_database.rows(schemas):
        pg_database.run(f'DROP SCHEMA "{name}" CASCADE')
    pg_database.run("CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO PUBLIC")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue("sqlite_place" if request.param == "sqlite" else "pg_place")
    return found


@pytest.fixture
def people(place: Place) -> Place:
    """A database with a table of people."""
    place.run(PEOPLE)
    return place


PEOPLE = """
CREATE TABLE people (
    id         BIGINT PRIMARY KEY,
    email      VARCHAR(80) UNIQUE,
    name       TEXT NOT NULL,
    age        INTEGER CHECK (age >= 0),
    salary     NUMERIC(10, 2),
    score      DOUBLE PRECISION,
    active     BOOLEAN,
    updated_at TIMESTAMP
)
"""


@pytest.fixture
def person() -> Callable[..., WriteItem]:
    """Builds a good record; what is given replaces its values."""

    def build(number: Any, **values: Any) -> WriteItem:
        good = {
            "id": number,
            "email": f"person{number}@example.com",
            "name": f"Person {number}",
            "age": 30,
            "salary": "1234.50",
            "score": 0.5,
            "active": True,
            "updated_at": "2026-01-01T10:00:00Z",
        }
        return WriteItem({**good, **values})

    return build
