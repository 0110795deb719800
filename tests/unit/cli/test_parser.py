"""Arguments: what is understood, and what a wrong one is told."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from importlib import import_module

import pytest

from airflow_provider_flux.cli.commands import all_commands
from airflow_provider_flux.cli.parser import parse


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """What the parser says to wrong arguments; it must be one line, with exit code 2."""
    with pytest.raises(SystemExit) as stopped:
        parse(argv)
    assert stopped.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err.strip()


def test_every_command_of_the_table_leads_to_a_function() -> None:
    for name, command in all_commands():
        module, _, function = command.run.partition(":")
        assert callable(getattr(import_module(module), function)), name


def test_options_become_values() -> None:
    found = parse(["run", "contacts", "--from", "2026-01-01", "--to", "2026-01-02T12:00:00+02:00", "--json"])
    assert (found.command.name, found.flow, found.json) == ("run", "contacts", True)
    assert found.start == datetime(2026, 1, 1, tzinfo=UTC)
    assert found.end == datetime(2026, 1, 2, 10, tzinfo=UTC)


def test_commands_behind_a_group_are_found() -> None:
    found = parse(["errors", "list", "--by", "code", "--by", "field"])
    assert (found.command.name, found.by, found.limit) == ("list", ["code", "field"], 50)


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["chek"], "airflow-flux: unknown command 'chek', did you mean 'check'?"),
        (["errors", "lst"], "airflow-flux errors: unknown command 'lst', did you mean 'list'?"),
        (["test", "x", "--limt", "5"], "airflow-flux test: unknown option '--limt', did you mean '--limit'?"),
        (["test", "x", "--limt=5"], "airflow-flux test: unknown option '--limt', did you mean '--limit'?"),
        (["test", "x", "--lim", "5"], "airflow-flux test: unknown option '--lim', did you mean '--limit'?"),
        (["errors", "list", "--by", "cod"], "airflow-flux errors list: unknown --by 'cod', did you mean 'code'?"),
        (["schema", "table"], "airflow-flux schema: unknown kind 'table'; it is one of flow, mapping"),
        (["runs", "a", "b"], "airflow-flux runs: unexpected argument 'b'"),
        (["test"], "airflow-flux test: the following arguments are required: FLOW"),
        ([], "airflow-flux: the following arguments are required: COMMAND"),
        (["test", "x", "--limit", "0"], "airflow-flux test: argument --limit: '0' is not a whole number above 0"),
        (["test", "x", "--limit", "¹"], "airflow-flux test: argument --limit: '¹' is not a whole number above 0"),
        (["errors", "show", "abc"], "airflow-flux errors show: argument ID: 'abc' is not a whole number above 0"),
        (
            ["run", "x", "--from", "yesterday"],
            "airflow-flux run: argument --from: 'yesterday' is not a date or time; "
            "write 2026-01-31 or 2026-01-31T13:00:00Z",
        ),
    ],
)
def test_a_wrong_argument_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], argv: list[str], expected: str
) -> None:
    assert refused(capsys, *argv).startswith(expected)


def test_the_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse(["--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert all(name.partition(" ")[0] in text for name, _ in all_commands())
    assert "Exit code: 0 good, 1 problems found, 2 wrong use." in text


def test_parsing_imports_neither_airflow_nor_anything_heavy() -> None:
    code = (
        "import sys; import airflow_provider_flux.cli_airflow; "
        "from airflow_provider_flux.cli.parser import parse; parse(['check']);"
        "heavy = {'airflow', 'pydantic', 'rich', 'sqlalchemy', 'jinja2', 'httpx', 'yaml'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
