"""What a terminal sees, and what a pipe does."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest

from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.store.rows import Run
from tests.unit.cli.conftest import Call


def on_a_terminal(*argv: str, columns: int = 80, code: int = 0) -> list[str]:
    """The lines that a terminal of that width would show, without colours; the command must end with `code`."""
    master, slave = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "airflow_provider_flux.cli", *argv]
    with subprocess.Popen(command, stdout=slave, stderr=slave, stdin=subprocess.DEVNULL, env=environment) as process:
        os.close(slave)
        shown = b""
        while True:
            try:
                chunk = os.read(master, 65536)
            except OSError:  # the other end is closed
                break
            shown += chunk
        os.close(master)
    assert process.returncode == code, shown.decode()
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()).splitlines()


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize(
    "argv",
    [
        ["runs"],
        ["errors", "list"],
        ["errors", "list", "--by", "field", "--by", "code"],
        ["show", "2"],
        ["errors", "show", "1"],
    ],
    ids=" ".join,
)
def test_tables_fit_the_terminal(runs: tuple[Run, Run], argv: list[str], columns: int) -> None:
    lines = on_a_terminal(*argv, columns=columns)
    assert len(lines) > 3
    assert max(len(line) for line in lines) <= columns
    text = "".join("".join(lines).split())
    assert "contacts" in text or "phone" in text or "orders" in text


def test_a_pipe_gets_a_row_per_line_without_colours(call: Call, runs: tuple[Run, Run]) -> None:
    out = call("errors", "list").out
    assert "\x1b" not in out
    assert len(out.splitlines()) == 5


def test_columns_of_a_pipe_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    Output().table(("#n", "name"), [(1, "a\nb"), (100, None), (20, "c")])
    assert capsys.readouterr().out == "  n  name\n  1  a b\n100\n 20  c\n"


def test_control_characters_of_a_record_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Output().table(("name",), [("\x1b[2J\x07Ada",)])
    Output().line("a\x1b[0m\tb\nc")
    assert capsys.readouterr().out == "name\n\\x1b[2J\\x07Ada\na\\x1b[0m\tb\nc\n"


def test_a_reader_that_goes_away_is_no_traceback(runs: tuple[Run, Run]) -> None:
    command = f"{sys.executable} -m airflow_provider_flux.cli errors list --json | head -c 1"
    answer = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert (answer.stdout, answer.stderr) == ("[", "")


@pytest.mark.parametrize(
    ("encoding", "line", "data"),
    [("ascii", "J\\xfalia \\ud800", '"J\\u00falia \\ud800"'), ("utf-8", "Júlia \\ud800", '"Júlia \\ud800"')],
)
def test_what_cannot_be_encoded_is_escaped(encoding: str, line: str, data: str) -> None:
    code = "from airflow_provider_flux.cli.output import Output as O; t = 'J\\xfalia \\ud800'; O().line(t); O().data(t)"
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", env=environment, check=True
    )
    assert answer.stdout.splitlines() == [line, data]
