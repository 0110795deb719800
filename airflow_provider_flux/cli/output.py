"""What commands print: JSON for programs, tables for a terminal, plain columns for a pipe."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import Any

from airflow_provider_flux.cli.values import counted
from airflow_provider_flux.errors import ConfigError, FluxError

Progress = Callable[[str, int], None]
"""Called with the stage and how many records, or whatever it counts, so far."""


class Output:
    """Where a command prints.

    :param json: the command was called with `--json`: `data` is then the only thing on standard output
    """

    def __init__(self, json: bool = False) -> None:
        self.json = json
        self._rich = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._width = shutil.get_terminal_size().columns

    def data(self, value: Any) -> None:
        """A value as JSON; dataclasses become objects."""
        unicode = (sys.stdout.encoding or "").lower() in ("utf-8", "utf8")
        # What is still not printable, a lone surrogate, is then escaped by `_encodable` as JSON would do it.
        sys.stdout.write(_encodable(json.dumps(plain(value), indent=2, ensure_ascii=not unicode)) + "\n")

    def line(self, text: str = "") -> None:
        """A line of text, or several. On a terminal long ones are broken, and go on below where their text began."""
        for line in _printable(text).split("\n"):
            sys.stdout.write((_folded(line, self._width) if self._rich else line) + "\n")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Rows under headings. A column whose heading starts with `#` holds numbers and stands to the right."""
        texts = [["" if cell is None else _printable(str(cell)) for cell in row] for row in rows]
        if self._rich:
            self._rich_table(columns, texts)
        else:
            self._plain_table(columns, texts)

    def note(self, text: str) -> None:
        """A remark beside the result, on standard error."""
        sys.stdout.flush()
        sys.stderr.write(_printable(text) + "\n")

    def refuse(self, message: str) -> None:
        """The command was used wrongly."""
        if self.json:
            self.data({"error": {"code": "USAGE", "message": message}})
        self.note(f"airflow-flux: {message}")

    def fail(self, error: FluxError) -> None:
        """The command met an error."""
        if self.json:
            self.data({"error": {"code": error.code, "message": error.message, "next_step": error.next_step}})
        if isinstance(error, ConfigError):
            self.note(f"{error}\n{counted(len(error.problems), 'problem')}")
            return
        answer = f"\nAnswer: {error.answer}" if error.answer else ""
        self.note(f"{error}{answer}\nNext: {error.next_step}")

    @contextmanager
    def progress(self, what: str = "records") -> Iterator[Progress]:
        """Shows how far a long work is: a moving line per stage on a terminal, else a line now and then.

        :param what: is counted
        """
        from airflow_provider_flux.cli.progress import bar, lines

        with bar(what) if sys.stderr.isatty() else lines(what) as report:
            yield report

    def _rich_table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
        roomy = sum(widths) + 2 * len(columns) <= self._width
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, int(roomy), 0, 0))
        for column in columns:
            number = column.startswith("#")
            table.add_column(
                column.removeprefix("#"), justify="right" if number else "left", overflow="fold", no_wrap=number
            )
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        Console(highlight=False, width=self._width).print(table)

    def _plain_table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        headings = [column.removeprefix("#") for column in columns]
        lines = [headings, *([" ".join(cell.split()) for cell in row] for row in rows)]
        widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
        for line in lines:
            cells = [
                cell.rjust(width) if column.startswith("#") else cell.ljust(width)
                for cell, width, column in zip(line, widths, columns, strict=True)
            ]
            sys.stdout.write("  ".join(cells).rstrip() + "\n")


def plain(value: Any) -> Any:
    """The value as JSON can hold it."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {key if isinstance(key, str) else "/".join(map(str, key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


_LABEL = re.compile(r" *(?:\S+ {2,}|\S+: |\d+ x )?")
"""What a folded line goes on below the end of: `  next      `, `    why: `, `   14 x `."""


def _folded(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    label = _LABEL.match(line)
    assert label is not None
    hanging = " " * min(label.end(), width // 2)
    # A word that is longer than a line, an address, is better left whole.
    return textwrap.fill(line, width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False)


def _printable(text: str) -> str:
    """The text without the control characters that a record could use to play with the terminal."""
    shown = "".join(char if char.isprintable() or char in "\n\t" else ascii(char)[1:-1] for char in text)
    return _encodable(shown)


def _encodable(text: str) -> str:
    """The text with what standard output cannot encode written as escapes."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
