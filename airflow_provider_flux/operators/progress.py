"""Progress of a stage in the task's log."""

from __future__ import annotations

import time
from logging import Logger

_SECONDS = 5.0


class Progress:
    """Logs how many records a stage has handled, at most once in five seconds."""

    def __init__(self, log: Logger) -> None:
        self._log = log
        self._started = self._last = time.monotonic()

    def __call__(self, stage: str, records: int) -> None:
        now = time.monotonic()
        if now - self._last < _SECONDS:
            return
        self._last = now
        seconds = now - self._started
        self._log.info("%s: %s records so far, %s per second", stage, f"{records:,}", f"{records / seconds:,.0f}")
