"""What the demo shows: numbered steps that take their time, and commands with their own output."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Screen:
    """A spinner while a step works, on a terminal; plain lines elsewhere."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(highlight=False, soft_wrap=True)
        self._begin = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the demo began."""
        return time.monotonic() - self._begin

    def heading(self, text: str) -> None:
        self._console.print(f"\n{text}", style="bold", markup=False)

    def line(self, text: str = "") -> None:
        self._console.print(text, markup=False)

    @contextmanager
    def step(self, text: str) -> Iterator[Step]:
        """A piece of work that takes a while; its result stands on the same line."""
        step = Step(text)
        if self._console.is_terminal:
            with self._console.status(text) as status:
                step.show = status.update
                yield step
        else:
            self.line(f"[{self.seconds:4.0f} s] {text} ...")
            yield step
        self.line(f"[{self.seconds:4.0f} s] {text}: {step.result}")

    def shell(self, environment: dict[str, str], *arguments: str) -> int:
        """Run `airflow-flux` with these arguments, as a person would, and return its exit code."""
        self._console.print(f"\n$ airflow-flux {' '.join(arguments)}", style="bold cyan", markup=False)
        sys.stdout.flush()
        command = [sys.executable, "-m", "airflow_provider_flux.cli", *arguments]
        return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False).returncode  # noqa: S603


class Step:
    """A step that is under way."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.result = "done"
        self.show: Callable[[str], None] = _nowhere

    def now(self, what: str) -> None:
        """Say what the step is waiting for."""
        self.show(f"{self._text}: {what}")


def _nowhere(text: str) -> None:
    """There is no terminal to show it on."""
