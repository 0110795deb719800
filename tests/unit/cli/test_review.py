"""`errors retry`, `edit`, `approve` and `discard`, and `run --ids`, on the demo's flows and two APIs."""

from __future__ import annotations

import getpass
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_flux.cli import main
from tests.unit.cli.conftest import Call

FLOW = """\
source: {connector: sql, connection: crm, table: people, key: id, cursor: {field: updated_at}}
destination: {connector: sql, connection: warehouse, table: people, key: id}
mapping: people
errors: %s
"""

MAPPING = """\
rules:
  - {from: id, to: id, required: true}
  - {from: email, to: email, required: true, transforms: [email]}
"""


@pytest.fixture
def people(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The flow `people` between two SQLite files; person 2 of 3 has a bad mail address. Its flow file."""
    for name in ("crm", "warehouse"):
        file = tmp_path / f"{name}.db"
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({"conn_type": "sqlite", "host": str(file)}))
        with closing(sqlite3.connect(file)) as database:
            database.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, updated_at TEXT)")
            if name == "crm":
                rows = [(1, "ann@example.org"), (2, "bob@"), (3, "cy@example.org")]
                database.executemany("INSERT INTO people VALUES (?, ?, '2026-01-05T00:00:00Z')", rows)
            database.commit()
    (tmp_path / "include" / "mappings" / "people").mkdir(parents=True)
    (tmp_path / "include" / "mappings" / "people" / "v1.yaml").write_text(MAPPING)
    flow = tmp_path / "include" / "flows" / "people.yaml"
    flow.write_text(FLOW % "{}")
    return flow


def delivered(tmp_path: Path) -> dict[int, str]:
    with closing(sqlite3.connect(tmp_path / "warehouse.db")) as database:
        return dict(database.execute("SELECT id, email FROM people ORDER BY id"))


def shown(call: Call, number: int) -> dict[str, Any]:
    found = call("errors", "show", str(number), "--json").json
    return dict(found.get("error", found))


def test_a_corrected_record_is_delivered_and_resolved(people: Path, call: Call, tmp_path: Path) -> None:
    assert call("run", "people").code == 1
    said = call("errors", "edit", "1", "--set", "email=bob@example.org", "--by", "ann")
    assert (said.code, said.err) == (0, "")
    assert "people@1 makes no error of it" in said.out
    assert "airflow-flux errors retry 1" in said.out
    assert delivered(tmp_path) == {1: "ann@example.org", 3: "cy@example.org"}

    said = call("errors", "retry", "1", "--local", "--by", "ann", "--json")

    assert said.code == 0
    assert (said.json["run"]["state"], said.json["run"]["written"]) == ("succeeded", 1)
    assert said.json["run"]["requested_by"] == "ann"
    assert delivered(tmp_path)[2] == "bob@example.org"
    assert shown(call, 1)["state"] == "resolved"
    # The source still has what failed: a tick neither fails with it again nor undoes the correction.
    call("run", "people")
    assert delivered(tmp_path)[2] == "bob@example.org"


def test_an_edit_that_breaks_the_mapping_changes_nothing(people: Path, call: Call) -> None:
    call("run", "people")
    said = call("errors", "edit", "1", "--set", "email=still@")
    assert said.code == 2
    assert said.err.startswith("airflow-flux: error 1: people@1 makes an error of it at email: ")
    assert shown(call, 1)["corrected"] is None


def test_a_payload_from_a_file_and_from_standard_input(
    people: Path, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("run", "people")
    file = tmp_path / "bob.json"
    good = {"id": 2, "email": "bob@example.org", "updated_at": "2026-01-05T00:00:00Z"}
    file.write_text(json.dumps(good))
    assert call("errors", "edit", "1", "--payload", str(file), "--json").json["mapped"]["email"] == "bob@example.org"
    with file.open() as text:
        monkeypatch.setattr("sys.stdin", text)
        assert call("errors", "edit", "1", "--payload", "-").code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give either --set PATH=VALUE (once or more) or --payload FILE"),
        (["--set", "email"], "'email' is not PATH=VALUE"),
        (["--set", "email[0]=x"], "--set email[0]=x: 'email[0]' does not fit the record"),
        (["--payload", "nowhere.json"], "nowhere.json cannot be read"),
    ],
)
def test_an_edit_that_says_nothing_useful(people: Path, call: Call, options: list[str], message: str) -> None:
    call("run", "people")
    said = call("errors", "edit", "1", *options)
    assert said.code == 2
    assert said.err.startswith(f"airflow-flux: {message}")


def test_a_file_that_is_no_record(people: Path, call: Call, tmp_path: Path) -> None:
    call("run", "people")
    file = tmp_path / "record.json"
    wrong = {"[1]": "must hold one record, a JSON object", "{\n  oops": "is not JSON: line 2, column 3"}
    for text, message in wrong.items():
        file.write_text(text)
        assert message in call("errors", "edit", "1", "--payload", str(file)).err


def test_what_is_held_is_approved_and_delivered(people: Path, call: Call, tmp_path: Path) -> None:
    people.write_text(FLOW % "{strategy: review}")
    call("run", "people")
    assert shown(call, 1)["state"] == "held"
    said = call("errors", "retry", "1", "--local")
    assert said.code == 2
    assert "error 1 is held for a person: approve it (`airflow-flux errors approve 1`)" in said.err
    said = call("errors", "edit", "1", "--set", "email=bob@example.org")
    assert "airflow-flux errors approve 1" in said.out
    assert call("errors", "approve", "1", "--local").code == 0
    assert delivered(tmp_path)[2] == "bob@example.org"
    said = call("errors", "approve", "1", "--local")
    assert (said.code, "is resolved: run replay__" in said.err) == (2, True)


def test_a_discard_says_who_and_why(people: Path, call: Call) -> None:
    call("run", "people")
    assert call("errors", "discard", "1").code == 2
    said = call("errors", "discard", "1", "--reason", "a test record")
    assert said.out == "1 error discarded. A new version in the source is tried again by itself.\n"
    assert shown(call, 1)["state"] == "discarded"
    text = call("errors", "show", "1").out
    assert "a test record" in text
    assert getpass.getuser() in text
    assert call("errors", "discard", "1", "--reason", "again").code == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "say which errors: their numbers, filters such as --run, --flow or --code, or --all"),
        (["--all", "1"], "--all means every error; leave it out beside numbers and filters"),
        (["--flow", "peple"], "there is no flow 'peple'"),
        (["--code", "INVALID_EMIL"], "there is no error code 'INVALID_EMIL', did you mean 'INVALID_EMAIL'?"),
        (["--run", "nope"], "there is no run 'nope'"),
        (["7"], "there is no error 7 (`airflow-flux errors list` lists them). Nothing was changed."),
        (["--code", "DUPLICATE_RECORD"], "no error matches: code DUPLICATE_RECORD. Nothing was changed."),
        (["--payload", "source", "--field", "nothing"], "no error matches: field nothing. Nothing was changed."),
    ],
)
def test_a_retry_of_nothing_says_why(people: Path, call: Call, options: list[str], message: str) -> None:
    call("run", "people")
    said = call("errors", "retry", *options)
    assert said.code == 2
    assert said.err.startswith(f"airflow-flux: {message}")


def test_everything_is_retried_from_the_source(people: Path, call: Call, tmp_path: Path) -> None:
    call("run", "people")
    with closing(sqlite3.connect(tmp_path / "crm.db")) as database:
        database.execute("UPDATE people SET email = 'bob@example.org' WHERE id = 2")
        database.commit()
    said = call("errors", "retry", "--all", "--payload", "source", "--local", "--json")
    assert (said.code, said.json["run"]["replay_payload"]) == (0, "source")
    assert delivered(tmp_path)[2] == "bob@example.org"


def test_a_flow_whose_file_is_gone(people: Path, call: Call) -> None:
    call("run", "people")
    people.unlink()
    said = call("errors", "retry", "--all", "--local")
    assert said.code == 1
    assert "there is no flow `people`" in said.err
    assert shown(call, 1)["replay"] is None


@pytest.mark.parametrize(
    ("options", "read"), [(["--ids", "1,3, 9"], [1, 3]), (["--id-range", "2..7"], [3]), (["--ids", "1"], [1])]
)
def test_a_run_over_ids_reads_only_these_and_leaves_the_cursor(
    people: Path, call: Call, tmp_path: Path, options: list[str], read: list[int]
) -> None:
    said = call("run", "people", *options, "--json")
    assert said.json["run"]["cursor_after"] is None
    assert "only      the records with the key " in call("show", "1").out
    assert sorted(delivered(tmp_path)) == read


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--ids", "1", "--id-range", "1..2"], "give either --ids or --id-range"),
        (["--ids", " , "], "--ids names no id"),
        (["--id-range", "1..20000"], "20000 ids are too many, 10000 are allowed"),
        (["--ids", "1", "--from", "2026-01-01", "--to", "2026-01-02"], "give either a window or ids"),
    ],
)
def test_ids_that_make_no_sense(people: Path, call: Call, options: list[str], message: str) -> None:
    said = call("run", "people", *options)
    assert (said.code, said.err.startswith(f"airflow-flux: {message}")) == (2, True)


def test_a_range_that_is_none(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("7", "9..1", "a..b"):
        with pytest.raises(SystemExit):
            main(["run", "people", "--id-range", text])
        assert f"'{text}' is not a range of whole numbers, for example 100..200" in capsys.readouterr().err
