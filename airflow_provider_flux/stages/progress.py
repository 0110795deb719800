"""How far a stage is, for whoever looks at the run while it works."""

from __future__ import annotations

import time

from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.store.rows import Run

_SECONDS = 1.0
"""Between two notes in the store: each is a transaction that waits for the disk."""


class Progress:
    """Tells the context's listener of every batch, and the store once a second."""

    def __init__(self, ctx: RunContext, run: Run, stage: str) -> None:
        self._ctx = ctx
        self._run = run
        self._stage = stage
        self._noted = time.monotonic()
        self._last = (0, 0)

    def __call__(self, records: int, batches: int) -> None:
        """:param records: handled so far by this attempt
        :param batches: likewise
        """
        self._ctx.on_progress(self._stage, records)
        self._last = (records, batches)
        if time.monotonic() - self._noted >= _SECONDS:
            self.note()

    def note(self) -> None:
        """Tell the store now, as when the stage ends without its seal."""
        self._noted = time.monotonic()
        self._ctx.store.progress_stage(self._run, self._stage, self._ctx.epoch, *self._last)
