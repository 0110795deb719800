"""`test`: what the destination would do with the records of a sample, without a write."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Call

FLOW = """\
source: {connector: sql, connection: crm, table: people, key: id}
destination: {connector: sql, connection: warehouse, table: people, key: id, mode: MODE}
mapping: people
"""
RULES = "rules: [{from: id, to: id}, {from: name, to: name}]"

Sql = Callable[..., None]


@pytest.fixture
def sql(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sql:
    """Statements for `crm` or `warehouse`: both have a table of people, the first one three of them."""
    for name in ("crm", "warehouse"):
        url = f"sqlite:///{tmp_path / name}.db"
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({"conn_type": "flux_sql", "extra": {"url": url}}))
    (tmp_path / "include" / "mappings" / "people").mkdir(parents=True)
    (tmp_path / "include" / "mappings" / "people" / "v1.yaml").write_text(RULES)

    def run(name: str, *statements: str) -> None:
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as database, database:
            for statement in statements:
                database.execute(statement)

    for name in ("crm", "warehouse"):
        run(name, "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)")
    run("crm", "INSERT INTO people VALUES (1, 'Ann'), (2, 'Bob'), (3, 'Cem')")
    write_flow(tmp_path, "upsert")
    return run


def write_flow(folder: Path, mode: str) -> None:
    (folder / "include" / "flows" / "sync.yaml").write_text(FLOW.replace("MODE", mode))


def effects(call: Call) -> dict[str, Any]:
    return {sample["key"]: sample["would"]["effect"] for sample in call("test", "sync", "--json").json["samples"]}


def test_create_update_and_no_change_are_told_apart(call: Call, sql: Sql) -> None:
    assert effects(call) == {"1": "create", "2": "create", "3": "create"}
    call("run", "sync")
    sql("crm", "UPDATE people SET name = 'Bobby' WHERE id = 2")
    sql("warehouse", "DELETE FROM people WHERE id = 3")
    assert effects(call) == {"1": "no change", "2": "update", "3": "create"}
    said = call("test", "sync").out
    assert "    would: update (the destination has it, as [2])\n" in said
    assert "The destination would: 1 no change, 1 update, 1 create\n" in said
    assert said.endswith("; nothing was written\n")


@pytest.mark.parametrize(
    ("mode", "there", "missing"),
    [
        ("create", "refused", "create"),
        ("update", "update", "refused"),
        ("create_if_missing", "left as it is", "create"),
    ],
)
def test_what_a_mode_does_with_what_is_there_and_what_is_not(
    call: Call, sql: Sql, tmp_path: Path, mode: str, there: str, missing: str
) -> None:
    write_flow(tmp_path, mode)
    sql("warehouse", "INSERT INTO people VALUES (1, 'Somebody')")
    assert effects(call) == {"1": there, "2": missing, "3": missing}


def test_a_destination_that_cannot_be_asked_is_said(
    call: Call, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", '{"conn_type": "flux_sql", "extra": {"url": "sqlite:////no/where.db"}}')
    said = call("test", "sync")
    assert said.code == 0
    assert "    would: not known (connection 'warehouse': " in said.out


def test_a_filter_that_fails_costs_its_record(call: Call, sql: Sql, tmp_path: Path) -> None:
    path = tmp_path / "include" / "flows" / "sync.yaml"
    path.write_text(path.read_text() + "filter: record.id + record.name == 'x'\n")
    said = call("test", "sync")
    assert said.code == 1
    assert "the flow's filter failed" in said.out
