"""The read stage: everything of the window, from the source into sealed files."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator
from contextlib import closing

import msgspec

from airflow_provider_flux.connectors.contract import Page
from airflow_provider_flux.errors import FluxError, RecordError, Stage
from airflow_provider_flux.stages.context import RunContext, StageReport
from airflow_provider_flux.stages.failing import stage_failure
from airflow_provider_flux.stages.health import watched_source
from airflow_provider_flux.stages.ids import by_ids
from airflow_provider_flux.stages.judge import Judge
from airflow_provider_flux.stages.keys import KeyIndex
from airflow_provider_flux.stages.memory import few_collections
from airflow_provider_flux.stages.progress import Progress
from airflow_provider_flux.stages.records import Duplicate, ReadRecord
from airflow_provider_flux.stages.replay import replayed
from airflow_provider_flux.stages.shapes import Observer
from airflow_provider_flux.stages.waiting import refuse_while_waiting
from airflow_provider_flux.stages.window import window_of
from airflow_provider_flux.staging import StageFiles
from airflow_provider_flux.store.rows import Run

log = logging.getLogger(__name__)

SUPERSEDED = "superseded"
"""Name of the staged files that list the older versions of records read twice."""


def read(ctx: RunContext) -> StageReport:
    """Read the run's window into `read-<epoch>` and seal it.

    A retry reads the same window again from its beginning; what an earlier attempt sealed is kept.

    :raises FluxError: what the source answered; nothing of an unsealed read is used; WAITING_FOR_A_PERSON when a
        `fail_fast` flow still waits
    """
    started = time.monotonic()
    run = ctx.run()
    row = ctx.store.stage(run, Stage.READ, ctx.epoch)
    if row is not None and row.state == "sealed":
        log.info("read was sealed by an earlier attempt: %d records", row.records)
        return StageReport(Stage.READ, row.records, row.batches, 0.0, {})
    ctx.store.start_stage(run, Stage.READ, ctx.epoch)
    with stage_failure(ctx, run, Stage.READ), few_collections():
        refuse_while_waiting(ctx, run)
        pages = _pages(ctx, run)
        reading = _Reading(ctx, run)
        # Closed here, also when staging fails: the source's calls are noted while the store is open.
        with closing(pages), KeyIndex() as keys:
            try:
                for records, greatest_cursor in pages:
                    reading.take(records, greatest_cursor, keys)
            except FluxError:
                reading.progress.note()  # what was read so far is unsent, and counted as such
                raise
            reading.seal(keys)
    seconds = time.monotonic() - started
    log.info("read %d records in %d batches in %.1f s", reading.records, reading.batches, seconds)
    return StageReport(Stage.READ, reading.records, reading.batches, seconds, {"superseded": reading.superseded})


def _pages(ctx: RunContext, run: Run) -> Generator[tuple[list[ReadRecord], str], None, None]:
    """Records in pages, each with the greatest cursor value in it; a run that does not read a window has none."""
    if ctx.replay is not None:
        return ((records, "") for records in replayed(ctx, run))
    if ctx.ids:
        return ((records, "") for records in by_ids(ctx))
    return _from_source(ctx, run)


def _from_source(ctx: RunContext, run: Run) -> Generator[tuple[list[ReadRecord], str], None, None]:
    judge = Judge(ctx.flow.file.source)
    with watched_source(ctx) as source:
        window, _ = window_of(ctx, run, source)
        log.info("reading %s [%s, %s)", ctx.flow.id, window.start or "the beginning", window.end or "the end")
        pages: Iterator[Page] = source.read(window)
        for page in pages:
            yield judge.records(page, window)


class _Reading:
    """The batch being filled, and what was staged so far."""

    def __init__(self, ctx: RunContext, run: Run) -> None:
        self._ctx = ctx
        self._run = run
        self._files: StageFiles = ctx.files(Stage.READ, ctx.epoch)
        self._files.start()
        self.progress = Progress(ctx, run, Stage.READ)
        # What is sent again has the shape of when it was read.
        self._observe = Observer() if ctx.replay is None else None
        self._batch: list[ReadRecord] = []
        self._cursor_max = ""
        self.records = 0
        self.batches = 0
        self.superseded = 0

    def take(self, records: list[ReadRecord], greatest_cursor: str, keys: KeyIndex) -> None:
        """Add a page, and stage every batch that is full."""
        self._cursor_max = max(self._cursor_max, greatest_cursor)
        self._batch += records
        size = self._ctx.flow.file.batch
        while len(self._batch) >= size:
            self._stage(self._batch[:size], keys)
            self._batch = self._batch[size:]

    def seal(self, keys: KeyIndex) -> None:
        if self._batch:
            self._stage(self._batch, keys)
        self._stage_superseded(keys)
        manifest = self._files.seal()
        self._ctx.store.seal_stage(
            self._run,
            Stage.READ,
            self._ctx.epoch,
            records=manifest.records,
            batches=len(manifest.batches),
            sha256=manifest.sha256,
            cursor_max=self._cursor_max or None,
        )
        if self._observe is not None:
            self._observe.keep(self._ctx.store, self._ctx.flow, self._ctx.run_id)

    def _stage(self, batch: list[ReadRecord], keys: KeyIndex) -> None:
        keys.add(
            [
                (record.key, ordinal, record.version)
                for ordinal, record in enumerate(batch, self.records)
                # A record with a defect is never written, so it must not push out a good version of its key.
                if record.key is not None and record.defect is None
            ]
        )
        try:
            self._files.add(batch, first=self.records)
        except RecursionError:
            self._files.add([_storable(record) for record in batch], first=self.records)
        if self._observe is not None:
            self._observe(batch)
        self.records += len(batch)
        self.batches += 1
        self.progress(self.records, self.batches)

    def _stage_superseded(self, keys: KeyIndex) -> None:
        files = self._ctx.files(SUPERSEDED, self._ctx.epoch)
        files.start()
        batch: list[Duplicate] = []
        for ordinal in keys.superseded():
            batch.append(Duplicate(ordinal))
            if len(batch) >= 10_000:
                files.add(batch)
                self.superseded += len(batch)
                batch = []
        if batch:
            files.add(batch)
            self.superseded += len(batch)
        files.seal()


def _storable(record: ReadRecord) -> ReadRecord:
    """The record, or what can be kept of one whose nesting is deeper than JSON can be written."""
    try:
        msgspec.json.encode(record)
    except RecursionError:
        defect = RecordError("INVALID_FORMAT", "the record is nested too deeply to be stored")
        return ReadRecord({}, record.key, record.version, record.deleted, defect)
    return record
