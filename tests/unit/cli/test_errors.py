"""`errors list`, `errors show`, and what `errors retry` refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_flux.errors import CATALOGUE
from airflow_provider_flux.store.rows import Run
from tests.unit.cli.conftest import Call


def test_open_and_held_errors_are_listed_one_per_line(call: Call, runs: tuple[Run, Run]) -> None:
    heading, *rows = call("errors", "list").out.splitlines()
    assert heading.split() == ["id", "flow", "record", "code", "field", "message"]
    assert [row.split()[2:4] for row in rows] == [
        ["c-0", "INVALID_FORMAT"],
        ["c-1", "INVALID_EMAIL"],
        ["c-2", "INVALID_FORMAT"],
        ["c-3", "OUTCOME_UNKNOWN"],
    ]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--field", "phone"], ["c-0", "c-2"]),
        (["--code", "INVALID_EMAIL"], ["c-1"]),
        (["--state", "held"], ["c-3"]),
        (["--state", "resolved"], []),
        (["--state", "all"], ["c-0", "c-1", "c-2", "c-3"]),
        (["--run", "1", "--limit", "1"], ["c-0"]),
        (["--flow", "contacts", "--field", "email"], ["c-1"]),
    ],
)
def test_filters(call: Call, runs: tuple[Run, Run], options: list[str], expected: list[str]) -> None:
    assert [row["source_key"] for row in call("errors", "list", "--json", *options).json] == expected


def test_a_cut_list_says_how_many_there_are(call: Call, runs: tuple[Run, Run]) -> None:
    assert call("errors", "list", "--limit", "3").err.startswith("3 of 4 errors; ")


def test_counted_the_most_frequent_comes_first_with_its_next_step(call: Call, runs: tuple[Run, Run]) -> None:
    table, _, steps = call("errors", "list", "--by", "field", "--by", "code").out.partition("\n\n")
    heading, first, *others = table.splitlines()
    assert heading.split()[:3] == ["count", "field", "code"]
    assert first.split()[:3] == ["2", "phone", "INVALID_FORMAT"]
    assert first.endswith("'call me maybe' is not a phone number")
    assert len(others) == 2
    assert [line.split()[0] for line in steps.splitlines()] == ["INVALID_FORMAT", "OUTCOME_UNKNOWN", "INVALID_EMAIL"]
    assert f"Next: {CATALOGUE['INVALID_FORMAT'].solution}" in steps
    counted = call("errors", "list", "--by", "flow", "--json").json
    assert [(group["count"], group["values"]) for group in counted] == [(4, {"flow": "contacts"})]


@pytest.mark.parametrize("options", [[], ["--by", "code"]])
def test_no_errors_is_said(call: Call, options: list[str]) -> None:
    assert call("errors", "list", *options).out == "No errors.\n"


def test_an_unknown_code_is_wrong_use(call: Call) -> None:
    said = call("errors", "list", "--code", "INVALID_EMAL")
    assert (said.code, said.err) == (
        2,
        "airflow-flux: there is no error code 'INVALID_EMAL', did you mean 'INVALID_EMAIL'?\n",
    )


def test_an_error_is_shown_with_record_cause_and_next_step(call: Call, runs: tuple[Run, Run]) -> None:
    text = call("errors", "show", "1").out
    assert text.startswith("Invalid format (INVALID_FORMAT) in transform: 'call me maybe' is not a phone number\n")
    assert "properties.phone -> phone" in text
    assert CATALOGUE["INVALID_FORMAT"].solution in text
    assert '"id": "c-0"' in text
    assert call("errors", "show", "1", "--json").json["source_key"] == "c-0"


def test_an_error_that_is_not_there(call: Call) -> None:
    said = call("errors", "show", "7")
    assert (said.code, said.err) == (2, "airflow-flux: there is no error 7; `airflow-flux errors list` lists them\n")


def test_nothing_to_retry_is_said(call: Call, runs: tuple[Run, Run]) -> None:
    said = call("errors", "retry", "--run", "2")
    assert said.code == 0
    assert "has no open errors: nothing to retry" in said.err
    assert call("errors", "retry", "--run", "2", "--json").json["records"] == 0


def test_a_store_of_another_version_is_an_error_with_a_next_step(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "flux.db").write_bytes(b"this is no database" * 100)
    said = call("runs")
    assert said.code == 1
    assert said.err.splitlines()[-1].startswith("Next: ")
    assert "Traceback" not in said.err
