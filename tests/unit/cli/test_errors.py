"""`errors list`, `errors show`, and what `errors retry` refuses."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from airflow_provider_flux.cli.commands import ERROR_STATES, ERROR_TYPES
from airflow_provider_flux.errors import CATALOGUE, Category, RecordError
from airflow_provider_flux.store import open_store
from airflow_provider_flux.store.error_rows import STATES
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import NewError, Run
from tests.unit.cli.conftest import Call


def test_what_has_not_arrived_is_listed_one_per_line_the_newest_first(call: Call, runs: tuple[Run, Run]) -> None:
    heading, *rows = call("errors", "list").out.splitlines()
    assert heading.split() == ["id", "when", "flow", "record", "error"]
    assert [row.split()[0] for row in rows] == ["4", "3", "2", "1"]
    assert rows[0].endswith("  contacts  c-3     OUTCOME_UNKNOWN no answer came back (held)")
    assert rows[1].endswith("  contacts  c-2     INVALID_FORMAT phone: 'call me maybe' is not a phone number")


def test_the_list_fits_a_terminal_of_80_columns(call: Call, runs: tuple[Run, Run]) -> None:
    for options in ([], ["--by", "code", "--by", "field"]):
        lines = on_a_terminal(["errors", "list", *options], columns=80)
        assert max(map(len, lines)) <= 80
        assert "phone number" in " ".join(" ".join(lines).split())


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--field", "phone"], ["c-2", "c-0"]),
        (["--code", "INVALID_EMAIL"], ["c-1"]),
        (["--category", "data", "--limit", "2"], ["c-3", "c-2"]),
        (["--category", "mapping"], []),
        (["--connector", "rest"], ["c-3"]),
        (["--mapping", "contacts"], ["c-3", "c-2", "c-1", "c-0"]),
        (["--key", "c-1"], ["c-1"]),
        (["--since", "1h"], ["c-3", "c-2", "c-1", "c-0"]),
        (["--since", "2025-01-01", "--until", "1h"], []),
        (["--until", "2100-01-01T00:00:00Z", "--field", "email"], ["c-1"]),
        (["--state", "held"], ["c-3"]),
        (["--state", "resolved"], []),
        (["--state", "all"], ["c-3", "c-2", "c-1", "c-0"]),
        (["--run", "1", "--limit", "1"], ["c-3"]),
        (["--flow", "contacts", "--field", "email"], ["c-1"]),
    ],
)
def test_filters(call: Call, runs: tuple[Run, Run], options: list[str], expected: list[str]) -> None:
    assert [row["source_key"] for row in call("errors", "list", "--json", *options).json] == expected


def test_a_cut_list_says_how_many_there_are(call: Call, runs: tuple[Run, Run]) -> None:
    assert call("errors", "list", "--limit", "3").err.startswith("The newest 3 of 4 errors; ")
    assert call("errors", "list", "--by", "field", "--limit", "2").err == (
        "The 2 most frequent; see more with --limit\n"
    )
    assert call("errors", "list", "--by", "field", "--limit", "3").err == ""


def test_counted_the_most_frequent_comes_first_with_its_next_step(call: Call, runs: tuple[Run, Run]) -> None:
    table, _, steps = call("errors", "list", "--by", "field", "--by", "code").out.partition("\n\n")
    heading, first, *others = table.splitlines()
    assert heading.split() == ["count", "field", "code", "first", "seen", "last", "seen", "for", "example"]
    assert first.split()[:3] == ["2", "phone", "INVALID_FORMAT"]
    assert first.endswith("#3 'call me maybe' is not a phone number")
    assert [line.split()[:3] for line in others] == [
        ["1", "(none)", "OUTCOME_UNKNOWN"],
        ["1", "email", "INVALID_EMAIL"],
    ]
    assert [line.split()[0] for line in steps.splitlines()] == ["INVALID_FORMAT", "OUTCOME_UNKNOWN", "INVALID_EMAIL"]
    assert f"Next: {CATALOGUE['INVALID_FORMAT'].solution}" in steps
    counted = call("errors", "list", "--by", "field", "--by", "field", "--json").json
    assert [(group["count"], group["values"]) for group in counted] == [
        (2, {"field": "phone"}),
        (1, {"field": None}),
        (1, {"field": "email"}),
    ]


@pytest.mark.parametrize("by", ["flow", "connector", "mapping", "category"])
def test_errors_are_counted_by_what_they_have_in_common(call: Call, runs: tuple[Run, Run], by: str) -> None:
    expected = {
        "flow": {"contacts": 4},
        "connector": {None: 3, "rest": 1},
        "mapping": {"contacts": 4},
        "category": {"data": 4},
    }
    counted = call("errors", "list", "--by", by, "--json").json
    assert {group["values"][by]: group["count"] for group in counted} == expected[by]


@pytest.mark.parametrize("options", [[], ["--by", "code"]])
def test_no_errors_is_said(call: Call, options: list[str]) -> None:
    assert call("errors", "list", *options).out == "No errors.\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--field", "phnoe"], "No errors. None has ever had the field 'phnoe', did you mean 'phone'?"),
        (["--connector", "nothing"], "No errors. None has ever had the connector 'nothing'."),
        (["--field", "email", "--code", "INVALID_FORMAT"], "No errors."),
        (
            ["--field", "phone", "--state", "held"],
            "No held errors; 2 errors in other states: 2 open. See them with --state all.",
        ),
    ],
)
def test_a_filter_that_matches_nothing_says_why(
    call: Call, runs: tuple[Run, Run], options: list[str], said: str
) -> None:
    assert call("errors", "list", *options).out == said + "\n"
    quiet = call("errors", "list", *options, "--json")
    assert (quiet.code, quiet.json, quiet.err) == (0, [], said + "\n")


def test_an_unknown_flow_is_wrong_use(call: Call, runs: tuple[Run, Run]) -> None:
    said = call("errors", "list", "--flow", "contcts")
    assert said.code == 2
    assert "there is no flow 'contcts' in " in said.err


def test_an_unknown_code_is_wrong_use(call: Call) -> None:
    said = call("errors", "list", "--code", "INVALID_EMAL")
    assert (said.code, said.err) == (
        2,
        "airflow-flux: there is no error code 'INVALID_EMAL', did you mean 'INVALID_EMAIL'?\n",
    )


def test_a_time_that_is_none_is_wrong_use(call: Call) -> None:
    said = call("errors", "list", "--since", "yesterday")
    assert said.code == 2
    assert "'yesterday' is not a date or time; write 2026-01-31 or 2026-01-31T13:00:00Z, or how long ago" in said.err


def test_types_of_the_command_line_are_those_of_the_catalogue() -> None:
    assert set(ERROR_TYPES) == set(Category)
    assert set(ERROR_STATES) == set(STATES)


def test_an_error_is_shown_with_record_cause_and_next_step(call: Call, runs: tuple[Run, Run]) -> None:
    text = call("errors", "show", "1").out
    assert text.startswith("Invalid format (INVALID_FORMAT) in transform: 'call me maybe' is not a phone number\n")
    assert "properties.phone -> phone" in text
    assert "mapping    contacts version 1" in text
    assert "seen       2 times with this cause (2 open), first 2" in text
    assert CATALOGUE["INVALID_FORMAT"].solution in text
    assert all(f"  or         {advice}\n" in text for advice in CATALOGUE["INVALID_FORMAT"].advice)
    assert '"id": "c-0"' in text
    assert "attempts:" not in text
    shown = call("errors", "show", "1", "--json").json
    assert shown["source_key"] == "c-0"
    assert shown["occurrences"]["count"] == 2
    assert shown["occurrences"]["states"] == {"open": 2}
    assert [one["id"] for one in shown["attempts"]] == [1]
    assert shown["solution"] == CATALOGUE["INVALID_FORMAT"].solution


def test_an_error_is_shown_with_its_attempts_and_what_people_decided(
    call: Call, runs: tuple[Run, Run], tmp_path: Path
) -> None:
    with open_store(f"sqlite:///{tmp_path / 'flux.db'}") as store:
        replay = store.start_run("contacts", "replay__2", "replay", "contacts")
        assert store.correct(1, '{"id": "c-0", "phone": "+1415555"}', "kim") is True
        assert store.claim_errors(replay.run_id, ErrorFilter(ids=[1])) == 1
        assert store.note_retry("contacts", replay.run_id, "kim") == 1
        refused = RecordError("RECORD_REJECTED", "the CRM refused it", "phone", answer="422 bad phone")
        again = NewError(0, "c-0", None, refused, '{"id": "c-0"}', sent='{"phone": "+1415555"}', replaces=1)
        store.record_transform(replay, 0, 0, [], [again], 2)
    taken = call("errors", "show", "1").out
    assert "replay replay__2 has it now" in taken
    assert re.search(r"record as corrected:\n  \{\n    \"id\": \"c-0\",\n    \"phone\": \"\+1415555\"", taken)
    attempts = taken.partition("attempts:\n")[2].splitlines()
    assert re.fullmatch(r"  1  \S+ in run scheduled__1: INVALID_FORMAT: 'call me maybe' is not a .*", attempts[0])
    assert re.fullmatch(r"  2  \S+ in run replay__2: RECORD_REJECTED: the CRM refused it", attempts[1])
    assert attempts[2] == "     answer: 422 bad phone"
    decided = taken.partition("decisions:\n")[2].splitlines()
    assert [line.split()[1:4] for line in decided[:2]] == [["edit", "by", "kim"], ["retry", "by", "kim"]]
    shown = call("errors", "show", "5", "--json").json
    assert [one["answer"] for one in shown["attempts"]] == [None, "422 bad phone"]
    assert [one["action"] for one in shown["decisions"]] == ["edit", "retry"]


def test_an_error_that_flux_tries_again_by_itself_says_when(
    call: Call, runs: tuple[Run, Run], tmp_path: Path
) -> None:
    with open_store(f"sqlite:///{tmp_path / 'flux.db'}") as store:
        busy = RecordError("RATE_LIMIT_EXCEEDED", "too many calls", answer="429")
        later = NewError(0, "c-9", None, busy, "{}", state="retrying", rung=1, due_in=timedelta(minutes=5))
        store.record_transform(store.start_run("contacts", "r-3", "scheduled", "contacts"), 0, 0, [], [later], 1)
        [row] = store.errors(ErrorFilter(state="retrying"))
    assert f"state      retrying, tried again by itself at {row.due_at}" in call("errors", "show", str(row.id)).out


def test_an_error_that_is_not_there(call: Call) -> None:
    said = call("errors", "show", "7")
    assert (said.code, said.err) == (2, "airflow-flux: there is no error 7; `airflow-flux errors list` lists them\n")


def on_a_terminal(arguments: list[str], columns: int) -> list[str]:
    """What a command prints on a terminal of that width."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    command = [sys.executable, "-m", "airflow_provider_flux.cli", *arguments]
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        printed = bytearray()
        # Reading from a terminal whose other side is closed is an error.
        with contextlib.suppress(OSError):
            while block := os.read(ours, 65536):
                printed += block
        assert process.wait(60) == 0, printed.decode()
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;]*m", "", printed.decode()).splitlines()


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
