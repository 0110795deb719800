"""`check --online` beyond the systems' fields: pools, and one question per object however many flows use it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from contextlib import closing
from pathlib import Path

import pytest

from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.flow.check import examine
from airflow_provider_flux.stages.online import OnlineReport, check_online
from airflow_provider_flux.store import open_store

FLOW = """\
pool: nightly
source: {connector: sql, connection: one, table: people, key: id}
mapping: people
destination: {connector: sql, connection: one, table: people, key: id}
"""
Pools = Callable[[], Collection[str] | None]


@pytest.fixture
def include(tmp_path: Path) -> Path:
    include = tmp_path / "include"
    (include / "flows").mkdir(parents=True)
    (include / "mappings/people").mkdir(parents=True)
    (include / "mappings/people/v1.yaml").write_text("rules:\n  - {from: id, to: id}\n")
    for name in ("a", "b", "c"):
        (include / f"flows/{name}.yaml").write_text(FLOW)
    with closing(sqlite3.connect(tmp_path / "one.db")) as database:
        database.execute("CREATE TABLE people (id INTEGER PRIMARY KEY)")
    return include


def online(include: Path, pools: Pools) -> tuple[OnlineReport, int, list[tuple[str, int]]]:
    """The report, how often a connection was asked for, and the progress."""
    asked: list[str] = []
    progress: list[tuple[str, int]] = []

    def find(connection: str, conn_type: str) -> Credentials:
        asked.append(connection)
        return Credentials(connection, conn_type, host=str(include.parent / "one.db"), extra={"dialect": "sqlite"})

    checked = examine(include)
    with open_store(f"sqlite:///{include.parent / 'flux.db'}") as store:
        report = check_online(
            checked.flows, checked.library, store, find, pools, lambda *step: progress.append(step)
        )
    return report, len(asked), progress


def broken() -> Collection[str]:
    raise FluxError("CONFIG_INVALID", "the pools of Airflow cannot be read", next_step="Run `airflow db migrate`.")


@pytest.mark.parametrize(
    ("pools", "problem", "warning"),
    [
        (lambda: {"nightly", "default_pool"}, None, None),
        (lambda: {"nightli", "default_pool"}, "Airflow has no pool `nightly`: the tasks would wait for ever. Did you "
         "mean `nightli`? Allowed: default_pool, nightli.", None),
        (lambda: None, None, "whether Airflow has a pool `nightly` is not known: Airflow is not installed here"),
        (broken, None, "whether Airflow has a pool `nightly` is not known: the pools of Airflow cannot be read. Run "
         "`airflow db migrate`."),
    ],
)  # fmt: skip
def test_a_pool_that_airflow_does_not_have_is_a_problem(
    include: Path, pools: Pools, problem: str | None, warning: str | None
) -> None:
    report, _, _ = online(include, pools)
    assert [(one.path, one.message) for one in report.problems[:1]] == ([("pool", problem)] if problem else [])
    assert [(one.path, one.message) for one in report.warnings[:1]] == ([("pool", warning)] if warning else [])


def test_each_side_is_asked_once_however_many_flows_share_it_and_progress_is_told(include: Path) -> None:
    _, asked, progress = online(include, lambda: {"nightly"})
    assert asked == 2
    assert progress == [("check", 1), ("check", 2), ("check", 3)]


def test_a_connection_that_is_down_is_asked_once_and_every_flow_that_needs_it_is_told(include: Path) -> None:
    for name in ("a", "b", "c"):
        path = include / f"flows/{name}.yaml"
        path.write_text(FLOW.replace("table: people", f"table: {name}"))
    (include.parent / "one.db").unlink()
    report, asked, _ = online(include, lambda: {"nightly"})
    assert asked == 1
    assert len([one for one in report.problems if one.path.endswith(".connection")]) == 6
