"""How far a long work is, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def bar(what: str) -> Iterator[Callable[[str, int], None]]:
    """A moving line per stage, for a terminal."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description:<10}"), TextColumn(f"{{task.completed:>12,.0f}} {what}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, records: int) -> None:
            if stage not in tasks:
                for task in tasks.values():
                    progress.stop_task(task)
                tasks[stage] = progress.add_task(stage, total=None)
            progress.update(tasks[stage], completed=records)

        yield report


@contextmanager
def lines(what: str) -> Iterator[Callable[[str, int], None]]:
    """A line every few seconds, for a log file."""
    last = time.monotonic()

    def report(stage: str, records: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            sys.stderr.write(f"{stage}: {records:,} {what}\n")

    yield report
