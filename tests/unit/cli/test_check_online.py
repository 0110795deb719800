"""`check --online`: what the systems of a flow say about it, at the place in the file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.contracts.servers.wire import Reply, serve, unused_port
from tests.unit.cli.conftest import Call, Said

FLOW = """\
source:
  connector: sql
  connection: crm
  table: people
  key: id
  cursor: {field: updated_at}
filter: record.stage != 'spam'
mapping: people
destination:
  connector: sql
  connection: warehouse
  table: contacts
  key: crm_id
"""
MAPPING = """\
rules:
  - {from: id, to: crm_id, required: true}
  - {from: name, to: name, transforms: [trim]}
  - from: stage
    to: state
    transforms:
      - value_map: {map: {lead: open, won: closed}}
"""
TABLES = {
    "crm": "CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(40), updated_at TIMESTAMP, "
    "stage TEXT CHECK (stage IN ('lead', 'won')))",
    "warehouse": "CREATE TABLE contacts (crm_id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, "
    "state TEXT CHECK (state IN ('open', 'closed')), upper_name TEXT GENERATED ALWAYS AS (upper(name)) VIRTUAL)",
}


@pytest.fixture
def place(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two SQLite databases, `crm` and `warehouse`, and a flow between them that fits."""
    include = tmp_path / "include"
    (include / "mappings/people").mkdir(parents=True)
    (include / "flows/people.yaml").write_text(FLOW)
    (include / "mappings/people/v1.yaml").write_text(MAPPING)
    for name, table in TABLES.items():
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as database:
            database.execute(table)
        connection = {"conn_type": "flux_sql", "host": str(tmp_path / f"{name}.db"), "extra": {"dialect": "sqlite"}}
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))
    return include


@pytest.fixture
def online(call: Call, place: Path) -> Callable[..., Said]:
    """Checks the flow after replacing parts of its files."""

    def run(*changes: tuple[str, str, str]) -> Said:
        for file, old, new in changes:
            path = place / {"flow": "flows/people.yaml", "mapping": "mappings/people/v1.yaml"}[file]
            text = path.read_text()
            assert text.count(old) == 1, old
            path.write_text(text.replace(old, new))
        return call("check", "--online")

    return run


def test_a_flow_that_fits_its_systems_has_nothing_to_say(online: Callable[..., Said]) -> None:
    said = online()
    assert (said.code, said.out) == (0, "1 valid flow, 1 valid mapping, 0 problems, 0 warnings\n")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("flow", "field: updated_at", "field: changed_at"),
            "include/flows/people.yaml:6:19: source.cursor.field: people has no field `changed_at`. "
            "Did you mean `updated_at`? It has: id, name, updated_at, stage.",
        ),
        (
            ("flow", "key: id\n", "key: ids\n"),
            "include/flows/people.yaml:5:8: source.key: people has no field `ids`. Did you mean `id`?",
        ),
        (
            ("flow", "record.stage", "record.stages"),
            "include/flows/people.yaml:7:9: filter: people has no field `stages`. Did you mean `stage`?",
        ),
        (
            ("mapping", "from: name", "from: full_name"),
            "include/mappings/people/v1.yaml:3:12: rules[1].from: people has no field `full_name`.",
        ),
        (
            ("mapping", "to: name", "to: nam"),
            "include/mappings/people/v1.yaml:3:22: rules[1].to: contacts has no field `nam`. Did you mean `name`?",
        ),
        (
            ("mapping", "  - {from: name, to: name, transforms: [trim]}\n", ""),
            "include/flows/people.yaml:8:10: mapping: contacts requires `name` in a new record, and mapping people@1 "
            "does not write it.",
        ),
        (
            ("mapping", "to: name", "to: upper_name"),
            "include/mappings/people/v1.yaml:3:22: rules[1].to: `upper_name` cannot be written",
        ),
        (
            ("mapping", "won: closed", "won: close"),
            "include/mappings/people/v1.yaml:7:9: rules[2].transforms[0]: the rule writes `close`, which `state` does "
            "not allow. Did you mean `closed`? Allowed: open, closed.",
        ),
        (
            ("flow", "table: contacts", "table: contact"),
            "include/flows/people.yaml:12:10: destination.table: connection 'warehouse': the database has no table",
        ),
        (
            ("flow", "connection: crm", "connection: crn"),
            "include/flows/people.yaml:3:15: source.connection: the variable AIRFLOW_CONN_CRN is neither a connection",
        ),
    ],
)
def test_what_does_not_fit_is_a_problem_at_its_place(
    online: Callable[..., Said], change: tuple[str, str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where no variable is, Airflow is asked: it is not imported into the process of these tests.
    monkeypatch.setenv("AIRFLOW_CONN_CRN", "{")
    said = online(change)
    assert said.code == 1
    assert any(line.startswith(expected) for line in said.out.splitlines()), said.out


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            [("mapping", "from: name", "expression: record.name ~ '!'")],
            "warning: include/mappings/people/v1.yaml:3:41: rules[1].to: `name` takes at most 40 characters: a longer "
            "value fails. Add `truncate: {length: 40}`.",
        ),
        (
            [("mapping", "{lead: open, won: closed}", "{lead: open}")],
            "warning: include/mappings/people/v1.yaml:7:9: rules[2].transforms[0]: the source may have `won`, which "
            "the map does not name",
        ),
    ],
)
def test_what_may_fail_some_records_is_a_warning(
    online: Callable[..., Said], changes: list[tuple[str, str, str]], expected: str
) -> None:
    said = online(*changes)
    assert said.code == 0
    assert any(line.startswith(expected) for line in said.out.splitlines()), said.out


def test_truncate_ends_the_warning_about_length(online: Callable[..., Said]) -> None:
    said = online(
        ("mapping", "from: name", "expression: record.name ~ '!'"),
        ("mapping", "[trim]", "[trim, truncate: {length: 40}]"),
    )
    assert said.out.endswith("0 problems, 0 warnings\n")


def test_an_update_needs_no_required_field(online: Callable[..., Said]) -> None:
    said = online(
        ("mapping", "  - {from: name, to: name, transforms: [trim]}\n", ""),
        ("flow", "  key: crm_id\n", "  key: crm_id\n  mode: update\n"),
    )
    assert said.code == 0


def test_one_unreachable_system_does_not_keep_the_other_flows_from_being_compared(
    online: Callable[..., Said], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{unused_port()}"
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "flux_rest", "host": url}))
    api = "source: {connector: rest, connection: shop, path: /c, key: id}\n"
    (place / "flows/api.yaml").write_text(api + "mapping: people\n" + FLOW.partition("mapping: people\n")[2])
    said = online(("flow", "field: updated_at", "field: changed_at"))
    assert "include/flows/api.yaml:1:39: source.connection: connection 'shop'" in said.out
    assert "include/flows/people.yaml:6:19: source.cursor.field" in said.out
    assert "2 valid flows" in said.out


def test_a_system_that_does_not_describe_itself_is_called_and_named(
    call: Call, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = "source: {connector: rest, connection: shop, path: /c, key: id}\n"
    (place / "flows/people.yaml").write_text(api + "mapping: people\n" + FLOW.partition("mapping: people\n")[2])
    with serve(lambda request: Reply(200, [])) as wire:
        monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "flux_rest", "host": wire.url}))
        said = call("check", "--online", "--json")
        assert wire.paths() == ["GET /c"]
    assert said.json["problems"] == []
    assert "shop answers, but does not describe its fields: they were not compared" in said.err


def test_without_online_no_system_is_asked(call: Call, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_CRM")
    assert call("check").code == 0


def test_the_version_that_runs_is_compared_and_not_a_draft(place: Path, call: Call) -> None:
    (place / "mappings/people/v2.yaml").write_text(MAPPING + "  - {value: x, to: no_such_column}\n")
    assert "no_such_column" not in call("check", "--online").out
    assert call("mapping", "promote", "people", "2").code == 0
    assert "no_such_column" in call("check", "--online").out
