"""Modes and deletes through whole runs: what a record counts as, and that nothing older comes after its delete."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_flux.stages.report import run_report
from tests.processes.conftest import Flux, assert_sum_holds
from tests.processes.saas import Saas

FLOW = """\
source:
  connector: rest
  connection: saas
  path: /contacts
  records: data
  key: id
  cursor: {{field: updated_at, lookback: 5m}}
  incremental: {{param: since, until: until, format: iso}}
  page: {{kind: cursor, param: after, next: next, size_param: limit, size: 50}}
  deleted: {{field: deleted}}
destination:
  connector: sql
  connection: warehouse
  table: contacts
  mode: {mode}
  key: email
  deletes: {deletes}
  batch_size: 4
mapping: contacts
"""

MAPPING = """\
rules:
  - {from: email, to: email, required: true}
  - {from: name, to: name, required: true}
  - {from: phone, to: phone}
"""


class Warehouse:
    """The flow, and the table that it writes."""

    def __init__(self, flux: Flux, mode: str = "upsert", deletes: str = "delete") -> None:
        self.flux = flux
        self.path = flux.folder / "warehouse.db"
        flows, mappings = flux.folder / "include/flows", flux.folder / "include/mappings/contacts"
        flows.mkdir(parents=True, exist_ok=True)
        mappings.mkdir(parents=True, exist_ok=True)
        (flows / "contacts.yaml").write_text(FLOW.format(mode=mode, deletes=deletes))
        (mappings / "v1.yaml").write_text(MAPPING)
        self._execute("CREATE TABLE contacts (email TEXT PRIMARY KEY, name TEXT CHECK (length(name) < 20), phone TEXT)")

    def put(self, name: str, phone: str = "1") -> None:
        self._execute("INSERT INTO contacts VALUES (?, ?, ?)", f"{name}@example.com", name, phone)

    def rows(self) -> dict[str, str]:
        """By name: the phone."""
        return dict(self._execute("SELECT name, phone FROM contacts ORDER BY name"))

    def run(self, run_id: str) -> tuple[dict[str, Any], dict[str, int]]:
        """The run, and how many were skipped for which reason."""
        run = self.flux.run(run_id)
        assert_sum_holds(run)
        with self.flux.open_store() as store:
            found = store.run("contacts", run_id)
            assert found is not None
            return run, run_report(store, found).skipped

    def _execute(self, statement: str, *values: str) -> list[Any]:
        with closing(sqlite3.connect(self.path)) as database, database:
            return database.execute(statement, values).fetchall()


def contact(name: str, second: int, phone: str = "2", *, deleted: bool = False, bare: bool = False) -> dict[str, Any]:
    """:param bare: nothing but id and time, as many tombstones are"""
    record = {"id": name, "updated_at": f"2026-01-01T10:00:{second:02d}Z", "deleted": deleted}
    return record if bare else record | {"email": f"{name}@example.com", "name": name, "phone": phone}


@pytest.fixture
def warehouse(flux: Flux, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    found = Warehouse(flux)
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(found.path)}))
    return found


@pytest.fixture
def missing_only(flux: Flux, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    found = Warehouse(flux, mode="create_if_missing")
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(found.path)}))
    return found


def test_what_was_there_already_is_skipped_and_said(missing_only: Warehouse) -> None:
    missing_only.put("ada")
    missing_only.flux.saas.put(contact("ada", 1), contact("bob", 2), contact("cyd", 3))
    run, reasons = missing_only.run("r1")
    assert (run["state"], run["written"], run["skipped"]) == ("succeeded", 2, 1)
    assert reasons == {"already there": 1}
    assert missing_only.rows() == {"ada": "1", "bob": "2", "cyd": "2"}


def test_what_was_there_already_is_not_asked_for_by_every_tick(missing_only: Warehouse) -> None:
    missing_only.put("ada")
    missing_only.flux.saas.put(contact("ada", 1), contact("bob", 2))
    missing_only.run("r1")
    _, reasons = missing_only.run("r2")  # the lookback reads both again
    assert reasons == {"already delivered": 2}
    missing_only.flux.saas.put(contact("ada", 9, phone="3"))
    _, reasons = missing_only.run("r3")
    assert reasons == {"already delivered": 1, "already there": 1}
    assert missing_only.rows() == {"ada": "1", "bob": "2"}


@pytest.mark.parametrize("bare", [False, True])
def test_a_delete_that_comes_before_its_create_keeps_that_out(warehouse: Warehouse, bare: bool) -> None:
    warehouse.flux.saas.put(contact("ada", 9, deleted=True, bare=bare), contact("bob", 9))
    run, reasons = warehouse.run("r1")
    assert (run["written"], reasons) == ((1, {"never delivered": 1}) if bare else (2, {}))

    warehouse.flux.saas.put(contact("ada", 5))  # the create, older than the delete, is seen late
    _, reasons = warehouse.run("r2")
    assert reasons == {"already delivered": 1, "newer delivered": 1}
    assert warehouse.rows() == {"bob": "2"}

    warehouse.flux.saas.put(contact("ada", 20))  # made again afterwards
    warehouse.run("r3")
    assert warehouse.rows() == {"ada": "2", "bob": "2"}


def test_an_update_older_than_the_delete_does_not_bring_the_record_back(warehouse: Warehouse) -> None:
    warehouse.flux.saas.put(contact("ada", 1), contact("bob", 1))
    warehouse.run("r1")
    warehouse.flux.saas.put(contact("ada", 9, deleted=True, bare=True))
    run, _ = warehouse.run("r2")
    assert run["written"] == 1
    assert warehouse.rows() == {"bob": "2"}
    warehouse.flux.saas.put(contact("ada", 5, phone="5"))
    _, reasons = warehouse.run("r3")
    assert reasons["newer delivered"] == 1
    assert warehouse.rows() == {"bob": "2"}


def test_deletes_that_the_flow_ignores_are_skipped_and_said(flux: Flux, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = Warehouse(flux, deletes="ignore")
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(warehouse.path)}))
    flux.saas.put(contact("ada", 1))
    warehouse.run("r1")
    flux.saas.put(contact("ada", 9, deleted=True))
    _, reasons = warehouse.run("r2")
    assert reasons == {"delete ignored": 1}
    assert warehouse.rows() == {"ada": "2"}


def test_a_tombstone_without_the_key_is_found_by_a_fallback_key(warehouse: Warehouse) -> None:
    flow = warehouse.flux.folder / "include/flows/contacts.yaml"
    flow.write_text(flow.read_text().replace("  key: email\n", "  key: email\n  fallback_keys: [phone]\n"))
    warehouse.put("ada", phone="77")
    warehouse.put("bob", phone="88")
    warehouse.flux.saas.put(contact("x1", 1, deleted=True, bare=True) | {"phone": "77"})
    run, reasons = warehouse.run("r1")
    assert (run["written"], reasons) == (1, {})
    assert warehouse.rows() == {"bob": "88"}


FATES = ("new", "there", "too long", "no email", "deleted", "deleted and there")


@pytest.mark.timeout(120)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fates=st.lists(st.sampled_from(FATES), min_size=1, max_size=25))
def test_the_sum_holds_whatever_was_there(
    saas: Saas, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, fates: list[str]
) -> None:
    folder: Path = tmp_path_factory.mktemp("flow")
    connection = {"conn_type": "flux_rest", "host": saas.url, "extra": {"retry_budget": 0.2}}
    monkeypatch.setenv("AIRFLOW_CONN_SAAS", json.dumps(connection))
    saas.contacts.clear()
    warehouse = Warehouse(Flux(folder, saas, f"sqlite:///{folder}/flux.db"), mode="create_if_missing")
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(warehouse.path)}))
    for number, fate in enumerate(fates):
        name = f"p{number}"
        record = contact(name, number, deleted=fate.startswith("deleted"))
        if fate.endswith("there"):
            warehouse.put(name)
        if fate == "too long":
            record["name"] = "x" * 20
        if fate == "no email":
            record["email"] = None
        saas.put(record)

    run, reasons = warehouse.run("r1")

    assert run["read"] == len(fates)
    assert reasons.get("already there", 0) == fates.count("there")
    assert run["written"] == fates.count("new") + fates.count("deleted") + fates.count("deleted and there")
    assert run["failed"] == fates.count("too long") + fates.count("no email")
    left = {f"p{number}": fate for number, fate in enumerate(fates) if fate in ("new", "there")}
    assert warehouse.rows() == {name: "1" if fate == "there" else "2" for name, fate in left.items()}
