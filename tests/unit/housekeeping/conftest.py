"""Stores on both databases, and a staging folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, insert, update
from sqlalchemy.engine import Engine
from sqlalchemy.sql import ColumnElement

from airflow_provider_flux.settings import Retention
from airflow_provider_flux.staging import Staging, open_staging
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.rows import NewError, Run
from airflow_provider_flux.store.tables import metadata
from airflow_provider_flux.store.text import instant_text
from tests.unit.store.conftest import (  # noqa: F401
    made_postgres,
    made_sqlite,
    postgres_url,
    sqlite_url,
    store,
    store_url,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEEP = Retention(timedelta(days=7), timedelta(days=30), timedelta(days=400))


class Past:
    """Changes the store's clock readings, as if things had happened long ago."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def set(self, table: str, where: dict[str, Any], **values: Any) -> None:
        columns = metadata.tables[table].c
        conditions: list[ColumnElement[bool]] = [columns[name] == value for name, value in where.items()]
        with self._engine.begin() as connection:
            changed = connection.execute(update(metadata.tables[table]).where(*conditions).values(values))
            assert changed.rowcount

    def age(self, run: Run, days: float) -> None:
        """Let a run, its stages and its errors have been so many days ago."""
        then = instant_text(NOW - timedelta(days=days))
        self.set("flux_runs", {"id": run.id}, started_at=then)
        with self._engine.begin() as connection:
            stages, errors = metadata.tables["flux_stages"], metadata.tables["flux_errors"]
            connection.execute(update(stages).where(stages.c.run == run.id).values(started_at=then, ended_at=then))
            connection.execute(update(errors).where(errors.c.run == run.id).values(occurred_at=then))
            runs = metadata.tables["flux_runs"]
            ended = update(runs).where(runs.c.id == run.id, runs.c.ended_at.is_not(None))
            connection.execute(ended.values(ended_at=then))


    def acknowledge(self, run: Run, batches: int) -> None:
        """Let the run have written so many batches, over three epochs."""
        row = {"run": run.id, "sha256": "a" * 64, "state": "acked", "sent_at": run.started_at}
        rows = [{**row, "epoch": number % 3, "batch": number} for number in range(batches)]
        with self._engine.begin() as connection:
            connection.execute(insert(metadata.tables["flux_batches"]), rows)


@pytest.fixture
def past(store: Store) -> Iterator[Past]:  # noqa: F811
    engine = create_engine(store._database.url, future=True)
    yield Past(engine)
    engine.dispose()


@pytest.fixture
def staging(tmp_path: Path) -> Staging:
    return open_staging(str(tmp_path / "staging"))


def staged(staging: Staging, flow: str, run_id: str, days: float = 0) -> Path:
    """Stage a file for a run, so many days ago."""
    files = staging.files(flow, run_id, "read", 0)
    files.start()
    files.add([{"id": 1}])
    files.seal()
    folder = Path(str(files._folder))
    then = (NOW - timedelta(days=days)).timestamp()
    for file in folder.iterdir():
        os.utime(file, (then, then))
    return folder


def ended(store: Store, run_id: str, new: list[NewError] = [], state: str = "partial") -> Run:  # noqa: B006, F811
    """A run of the flow `contacts` that is over."""
    run = store.start_run("contacts", run_id, "scheduled", "contacts")
    store.start_stage(run, "transform", 0)
    store.record_transform(run, 0, 0, [], new, 1)
    store.seal_stage(run, "transform", 0, records=10, batches=1, sha256=None)
    return store.finish_run(run, state=state, counts={"read": 10}, cursor_after=None, trace=None)
