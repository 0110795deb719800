"""What `run.py` tells the person in front of it: one line per step, with the seconds since the start."""

from __future__ import annotations

import time

_START = time.monotonic()


class ToolError(Exception):
    """A step failed. The message says what, why and what to do next; no traceback is shown."""


class UsageError(ToolError):
    """The command was given something that it does not know."""


def say(text: str) -> None:
    """Print one line of progress, marked with the seconds since the command began."""
    print(f"[{time.monotonic() - _START:6.1f} s] {text}", flush=True)
