"""`drift`: what people read of a source that changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Call

FLOW = """\
source: {connector: sql, connection: crm, table: people, key: id}
destination: {connector: sql, connection: warehouse, table: people, key: id}
mapping: people
"""
RULES = """\
rules:
  - {from: id, to: id, required: true}
  - {from: phone, to: phone, required: true}
"""
_PEOPLE = "CREATE TABLE people (id INTEGER PRIMARY KEY, phone TEXT)"


def sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        for statement in statements:
            database.execute(statement)


@pytest.fixture
def crm(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with thirty people, and a flow that copies them."""
    for name in ("crm", "warehouse"):
        path = tmp_path / f"{name}.db"
        sql(path, _PEOPLE)
        fields = f'{{"conn_type": "flux_sql", "extra": {{"url": "sqlite:///{path}"}}}}'
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", fields)
    include = tmp_path / "include"
    (include / "mappings" / "people").mkdir(parents=True)
    (include / "flows" / "sync.yaml").write_text(FLOW)
    (include / "mappings" / "people" / "v1.yaml").write_text(RULES)
    crm = tmp_path / "crm.db"
    sql(crm, *(f"INSERT INTO people VALUES ({number}, '030')" for number in range(30)))
    return crm


def rename(crm: Path) -> None:
    sql(crm, "ALTER TABLE people RENAME COLUMN phone TO phone_number")


def test_a_source_that_nobody_read_yet(call: Call, crm: Path) -> None:
    said = call("drift")
    assert (said.code, said.out) == (0, "sync: no run has read its source yet.\n")


def test_a_source_that_is_as_it_was(call: Call, crm: Path) -> None:
    call("run", "sync")
    said = call("drift", "sync")
    assert said.code == 0
    assert said.out.startswith("sync: its source over connection 'crm' is as it was (read ")


def test_a_broken_rule_is_named_with_the_next_step(call: Call, crm: Path) -> None:
    call("run", "sync")
    rename(crm)
    call("run", "sync")
    said = call("drift", "sync")
    assert said.code == 1
    assert "  phone was renamed to phone_number, for example 030\n" in said.out
    assert "rule phone -> phone of people@1 breaks: every record fails: it is required" in said.out
    assert "airflow-flux mapping try people" in said.out
    [found] = call("drift", "--json").json
    [change] = found["changes"]
    assert (change["kind"], change["path"], change["now"]) == ("renamed", "phone", "phone_number")


def test_online_it_is_found_before_a_run_meets_it(call: Call, crm: Path) -> None:
    call("run", "sync")
    rename(crm)
    assert call("drift", "sync").code == 0
    said = call("drift", "sync", "--online")
    assert said.code == 1
    assert "  phone is gone\n    rule phone -> phone of people@1 breaks" in said.out


def test_a_system_that_cannot_be_asked_is_said_and_the_rest_is_shown(
    call: Call, crm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("run", "sync")
    monkeypatch.setenv("AIRFLOW_CONN_CRM", '{"conn_type": "flux_sql", "extra": {"url": "sqlite:////nowhere/x.db"}}')
    said = call("drift", "--online")
    assert (said.code, "is as it was" in said.out, "connection 'crm'" in said.err) == (0, True, True)
