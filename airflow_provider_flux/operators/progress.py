"""Progress of a stage in the task's log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

_SECONDS = 5.0


class Progress:
    """Says how many records a stage has handled, at most once in five seconds.

    :param say: takes a message and its arguments, as `Logger.info` does
    """

    def __init__(self, say: Callable[..., Any]) -> None:
        self._say = say
        self._started = self._last = time.monotonic()

    def __call__(self, stage: str, records: int) -> None:
        now = time.monotonic()
        if now - self._last < _SECONDS:
            return
        self._last = now
        seconds = now - self._started
        self._say("%s: %s records so far, %s per second", stage, f"{records:,}", f"{records / seconds:,.0f}")
