"""Whole runs of flows into and out of an org."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from airflow_provider_flux.cli import main
from tests.contracts.salesforce.conftest import Org

INTO = """\
source: {connector: sql, connection: warehouse, table: people, key: id, cursor: {field: changed},
         deleted: {field: gone, equals: 1}}
mapping: into
destination: {connector: salesforce, connection: org, object: Contact, key: Email__c, deletes: archive}
"""
OUT = """\
source: {connector: salesforce, connection: org, object: Contact, fields: [Email__c, LastName],
         deleted: {field: IsDeleted}}
mapping: out
destination: {connector: sql, connection: warehouse, table: copies, key: id, deletes: delete}
"""
MAPPINGS = {
    "into": "rules:\n  - {from: email, to: Email__c, required: true}\n  - {from: name, to: LastName}\n",
    "out": "rules:\n  - {from: Id, to: id, required: true}\n  - {from: LastName, to: name}\n",
}


class Warehouse:
    """A SQLite database with people, and copies of contacts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, name TEXT, changed TIMESTAMP, gone INT)")
        self.execute("CREATE TABLE copies (id TEXT PRIMARY KEY, name TEXT)")

    def execute(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as database, database:
            return database.execute(statement, values).fetchall()

    def person(self, number: int, name: str, second: int, *, gone: bool = False) -> None:
        row = (number, f"p{number}@example.com", name, f"2026-03-01 00:00:{second:02d}", int(gone))
        self.execute("INSERT OR REPLACE INTO people VALUES (?, ?, ?, ?, ?)", *row)


@pytest.fixture
def warehouse(org: Org, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    include = tmp_path / "include"
    (include / "flows").mkdir(parents=True)
    for name, flow in (("into", INTO), ("out", OUT)):
        (include / f"flows/{name}.yaml").write_text(flow)
        (include / f"mappings/{name}").mkdir(parents=True)
        (include / f"mappings/{name}/v1.yaml").write_text(MAPPINGS[name])
    warehouse = Warehouse(tmp_path / "w.db")
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__FLUX__INCLUDE", str(include))
    monkeypatch.setenv("AIRFLOW__FLUX__STORE", f"sqlite:///{tmp_path / 'flux.db'}")
    monkeypatch.setenv("AIRFLOW__FLUX__FERNET_KEY", Fernet.generate_key().decode())
    monkeypatch.setenv("AIRFLOW_CONN_ORG", json.dumps(org.vendor.connection(org.wire.url)))
    database = {"conn_type": "flux_sql", "host": str(warehouse.path), "extra": {"dialect": "sqlite"}}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(database))
    return warehouse


def run(flow: str, capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    """The counts of a run that are not zero."""
    main(["run", flow, "--json"])
    told = json.loads(capsys.readouterr().out)["run"]
    return {name: told[name] for name in ("read", "written", "skipped", "failed", "held", "unsent") if told[name]}


def test_a_bad_record_is_kept_a_change_arrives_and_a_delete_is_archived(
    org: Org, warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        warehouse.person(number, f"Person {number}", number)
    warehouse.person(3, "x" * 81, 3)
    assert run("into", capsys) == {"read": 4, "written": 3, "failed": 1}
    warehouse.person(1, "Changed", 10)
    warehouse.person(2, "Person 2", 11, gone=True)
    assert run("into", capsys) == {"read": 4, "written": 2, "skipped": 1, "failed": 1}
    stored = org.vendor.stored()
    assert stored["p1@example.com"]["name"] == "Changed"
    assert (stored["p2@example.com"]["archived"], stored["p0@example.com"]["archived"]) == (True, False)


def test_contacts_and_their_deletes_come_out(
    org: Org, warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    org.vendor.seed(3)
    assert run("out", capsys) == {"read": 3, "written": 3}
    gone = org.vendor.records["Contact"]["003000000000001SED"]
    gone.update(IsDeleted=True, SystemModstamp="2026-03-01T01:00:00.000+0000")
    assert run("out", capsys)["written"] == 1
    assert warehouse.execute("SELECT name FROM copies ORDER BY id") == [("Person 0",), ("Person 2",)]
