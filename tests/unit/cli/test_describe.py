"""`connectors describe`: declarations without a call, and a system's own fields over its connection."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from airflow_provider_flux.store import open_store
from tests.unit.cli.conftest import Call

FLOW = """\
source: {connector: rest, connection: shop_eu, path: /v1/contacts, records: data, key: id}
destination: {connector: sql, connection: warehouse, table: contacts, key: id}
mapping: contacts
"""


@pytest.fixture
def place(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A flow from a REST API into the SQLite database `warehouse`."""
    include = tmp_path / "include"
    (include / "mappings/contacts").mkdir(parents=True)
    (include / "mappings/contacts/v1.yaml").write_text("rules:\n  - {from: id, to: id, required: true}\n")
    (include / "flows/contacts.yaml").write_text(FLOW)
    with closing(sqlite3.connect(tmp_path / "w.db")) as database:
        database.execute("CREATE TABLE contacts (id TEXT PRIMARY KEY, name VARCHAR(40) NOT NULL)")
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, state TEXT CHECK (state IN ('open', 'paid')))")
    connect(monkeypatch, tmp_path / "w.db")
    return tmp_path


def connect(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    connection = {"conn_type": "flux_sql", "host": str(path), "extra": {"dialect": "sqlite"}}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(connection))


def test_a_connector_tells_what_it_declares_without_flows_or_connections(call: Call) -> None:
    said = call("connectors", "describe", "sql")
    assert said.code == 0
    assert said.out.startswith("sql reads and writes; its connection type is flux_sql\n")
    (row,) = [line for line in said.out.splitlines() if line.startswith("any ")]
    assert "upsert" in row and "delete" in row and row.endswith("10000")
    facts = call("connectors", "describe", "rest", "--json").json
    assert (facts["connection_type"], facts["describes_itself"]) == ("flux_rest", False)
    assert "find" in facts["others"]["doubt"]


def test_the_answers_that_a_connector_recognises_are_told_in_words_once_per_code(call: Call) -> None:
    lines = call("connectors", "describe", "salesforce").out.splitlines()
    (locked,) = [line for line in lines if line.startswith("RECORD_LOCKED")]
    assert locked.split() == ["RECORD_LOCKED", "UNABLE_TO_LOCK_ROW"]
    (duplicate,) = [line for line in lines if line.startswith("DUPLICATE_RECORD")]
    assert "HTTP 300; duplicate value found: <field> duplicates value" in duplicate
    answers = call("connectors", "describe", "salesforce", "--json").json["answers"]
    known = {"code": "RECORD_LOCKED", "status": [], "where": "[0].errorCode", "pattern": "^(?:UNABLE_TO_LOCK_ROW)$"}
    assert known in answers


def test_an_object_tells_its_fields_and_what_a_lost_answer_leaves(call: Call) -> None:
    said = call("connectors", "describe", "salesforce", "Contact").out
    assert "  deletes       ignore, archive\n" in said
    assert "  in doubt      upserts and updates are sent again" in said
    assert "\nLastName" in said
    custom = call("connectors", "describe", "salesforce", "Region__c", "--json").json
    assert (custom["name"], custom["modes"][2], custom["fields"]) == ("Region__c", "upsert", [])


def test_a_connector_file_stands_for_its_connector(call: Call, place: Path) -> None:
    (place / "include/connectors").mkdir()
    (place / "include/connectors/ledger.yaml").write_text("connector: rest\nrecords: data\n")
    assert call("connectors", "describe", "ledger").out.startswith("rest reads and writes")


def test_a_connection_is_asked_for_the_objects_that_its_flows_use(call: Call, place: Path) -> None:
    said = call("connectors", "describe", "warehouse")
    assert said.code == 0
    title, heading, *rows = said.out.splitlines()
    assert (title, heading.split()) == ("warehouse: contacts", ["field", "type", "is", "longest", "allowed"])
    assert [row.split() for row in rows] == [["id", "string", "required"], ["name", "string", "required", "40"]]
    assert call("connectors", "list", "--json").json[1]["state"] == "active", "its calls count for its health"


def test_any_object_of_a_connection_can_be_asked_for_and_is_asked_anew_each_time(call: Call, place: Path) -> None:
    (orders,) = call("connectors", "describe", "warehouse", "orders", "--json").json["objects"]
    assert orders["fields"][1]["enum"] == ["open", "paid"]
    with closing(sqlite3.connect(place / "w.db")) as database:
        database.execute("ALTER TABLE orders ADD COLUMN note TEXT")
    (orders,) = call("connectors", "describe", "warehouse", "orders", "--json").json["objects"]
    assert [one["name"] for one in orders["fields"]] == ["id", "state", "note"]


def test_online_finds_the_only_connection_of_a_connector(call: Call, place: Path) -> None:
    said = call("connectors", "describe", "sql", "orders", "--online")
    assert said.out.startswith("warehouse: orders\n")


def test_online_asks_which_connection_where_there_are_several(call: Call, place: Path) -> None:
    more = FLOW.replace("warehouse", "archive")
    (place / "include/flows/archive.yaml").write_text(more)
    said = call("connectors", "describe", "sql", "--online")
    assert said.code == 2
    assert "name one of them: archive, warehouse" in said.err


def test_a_rest_api_is_said_not_to_describe_itself(call: Call, place: Path) -> None:
    said = call("connectors", "describe", "shop_eu")
    assert (said.code, said.out.startswith("shop_eu (rest): such a system does not describe itself")) == (0, True)
    assert call("connectors", "describe", "shop_eu", "--json").json["describes_itself"] is False


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("sqll",), "no connector 'sqll', and no flow uses a connection of that name, did you mean 'sql'?"),
        (("sql", "contacts"), "sql declares no object 'contacts'"),
    ],
)
def test_wrong_names_are_refused_with_what_there_is(call: Call, place: Path, argv: tuple[str, ...], words: str) -> None:
    said = call("connectors", "describe", *argv)
    assert said.code == 2
    assert words in said.err


def test_an_unknown_table_is_an_error_of_the_catalogue(call: Call, place: Path) -> None:
    said = call("connectors", "describe", "warehouse", "contact")
    assert said.code == 1
    assert said.err.startswith("NOT_FOUND: connection 'warehouse': the database has no table 'contact' (did you mean")


def test_a_connection_that_is_switched_off_is_not_called(call: Call, place: Path) -> None:
    with open_store(f"sqlite:///{place / 'flux.db'}") as store:
        store.disable_connection("warehouse", "sql", "eva", "moving house")
    said = call("connectors", "describe", "warehouse")
    assert said.code == 1
    assert "switched off" in said.err and "moving house" in said.err
