"""The transform stage: each record mapped, skipped, deduplicated or failed."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import msgspec

from airflow_provider_flux.errors import FluxError, RecordError, Stage
from airflow_provider_flux.mapping.engine import Mapping
from airflow_provider_flux.mapping.expression import compile_filter
from airflow_provider_flux.stages.context import RunContext, StageReport
from airflow_provider_flux.stages.fail_fast import stopped_at, stops
from airflow_provider_flux.stages.failing import stage_failure
from airflow_provider_flux.stages.fates import ranges
from airflow_provider_flux.stages.known import KnownErrors
from airflow_provider_flux.stages.memory import few_collections
from airflow_provider_flux.stages.progress import Progress
from airflow_provider_flux.stages.read import SUPERSEDED
from airflow_provider_flux.stages.records import Duplicate, MappedLine, ReadRecord
from airflow_provider_flux.stages.strategy import failed_record
from airflow_provider_flux.stages.versions import resolve
from airflow_provider_flux.staging import BatchEntry, StageFiles
from airflow_provider_flux.store.rows import NewError, Run, StageRow

log = logging.getLogger(__name__)

encoded = msgspec.json.Encoder(order="deterministic").encode  # the same record always has the same hash

# A bucket and its reason, or the error of a failed record.
_Fate = tuple[str, str] | RecordError


def transform(ctx: RunContext) -> StageReport:
    """Map what read sealed into `transform-<epoch>`.

    :raises FluxError: STAGING_UNSEALED when read left nothing complete, CONFIG_INVALID when the mapping is not valid,
        STOPPED_AT_FIRST_ERROR when a record failed and the flow says `fail_fast`
    """
    started = time.monotonic()
    run = ctx.run()
    row = ctx.store.stage(run, Stage.TRANSFORM, ctx.epoch)
    if row is not None and row.state == "sealed":
        log.info("transform was sealed by an earlier attempt: %d records", row.records)
        return StageReport(Stage.TRANSFORM, row.records, row.batches, 0.0, {})
    source = sealed_stage(ctx, run, Stage.READ)
    ctx.store.start_stage(run, Stage.TRANSFORM, ctx.epoch, source.epoch)
    counts: dict[str, int] = {}
    with stage_failure(ctx, run, Stage.TRANSFORM), few_collections():
        manifest = ctx.files(Stage.READ, source.epoch).manifest(source.sha256)
        mapping = resolve_mapping(ctx, run)
        work = _Transform(ctx, run, mapping, counts)
        superseded = _Superseded(ctx.files(SUPERSEDED, source.epoch))
        reading = ctx.files(Stage.READ, source.epoch)
        for number, entry in enumerate(manifest.batches):
            work.batch(number, entry, reading.load(entry, ReadRecord), superseded.until(entry.first + entry.records))
        work.seal()
    seconds = time.monotonic() - started
    rest = ", ".join(f"{count} {bucket}" for bucket, count in counts.items()) or "none left out"
    log.info("mapped %d of %d with %s in %.1f s; %s", work.mapped, manifest.records, mapping.label, seconds, rest)
    return StageReport(Stage.TRANSFORM, work.mapped, len(manifest.batches), seconds, counts)


def sealed_stage(ctx: RunContext, run: Run, stage: str) -> StageRow:
    """The newest sealed row of an earlier stage: a clear of one task uses what the others left.

    :raises FluxError: STAGING_UNSEALED when the newest is not sealed, or there is none
    """
    rows = [row for row in ctx.store.stages(run) if row.stage == stage and row.epoch <= ctx.epoch]
    newest = max(rows, key=lambda row: row.epoch, default=None)
    if newest is None or newest.state != "sealed":
        raise FluxError("STAGING_UNSEALED", f"the {stage} stage of run '{ctx.run_id}' has not finished")
    return newest


def resolve_mapping(ctx: RunContext, run: Run) -> Mapping:
    """The mapping of this run: a clear resolves its version anew, a retry keeps it."""
    if run.mapping_version is not None and run.mapping_epoch == ctx.epoch:
        return resolve(ctx.store, ctx.include, ctx.flow, run.mapping_version)
    mapping = resolve(ctx.store, ctx.include, ctx.flow)
    kept = ctx.store.pin_mapping(run, ctx.epoch, mapping.version).mapping_version
    return mapping if kept == mapping.version else resolve(ctx.store, ctx.include, ctx.flow, kept)


@dataclass
class _Superseded:
    """Reads the ascending list of superseded ordinals along with the batches."""

    files: StageFiles

    def __post_init__(self) -> None:
        self._ordinals = self._read()
        self._next = next(self._ordinals, None)

    def until(self, end: int) -> set[int]:
        found = set()
        while self._next is not None and self._next < end:
            found.add(self._next)
            self._next = next(self._ordinals, None)
        return found

    def _read(self) -> Iterator[int]:
        for entry in self.files.manifest().batches:
            for duplicate in self.files.load(entry, Duplicate):
                yield duplicate.ordinal


class _Transform:
    """Maps batch after batch and records the fate of what does not go on."""

    def __init__(self, ctx: RunContext, run: Run, mapping: Mapping, counts: dict[str, int]) -> None:
        flow = ctx.flow.file
        self._ctx = ctx
        self._run = run
        self._mapping = mapping
        self._counts = counts
        self._keep: Callable[[dict[str, Any]], bool] | None = compile_filter(flow.filter) if flow.filter else None
        self._deletes = flow.destination.deletes
        keys = (flow.destination.key or (), *flow.destination.fallback_keys)
        self._key_rules = {fields: mapping.only(fields) for fields in keys}
        self._known = KnownErrors(ctx, mapping.version)
        self._stops = stops(ctx)
        self._files = ctx.files(Stage.TRANSFORM, ctx.epoch)
        self._files.start()
        self._progress = Progress(ctx, run, Stage.TRANSFORM)
        self._done = 0
        self.mapped = 0

    def batch(self, number: int, entry: BatchEntry, records: list[ReadRecord], superseded: set[int]) -> None:
        mapped: list[MappedLine] = []
        fates: list[tuple[int, str, str]] = []
        errors: list[NewError] = []
        last: NewError | None = None
        self._known.look_up(records)
        for ordinal, record in enumerate(records, entry.first):
            fate = self._fate(ordinal, record, superseded, mapped)
            if fate is None:
                continue
            if isinstance(fate, RecordError):
                stage = Stage.READ if record.defect is not None else Stage.TRANSFORM
                bucket, error = failed_record(self._ctx.flow.file, ordinal, record, fate, stage)
                errors.append(error)
                last = error if self._stops(fate.code) else None
                fate = (bucket, fate.code)
            fates.append((ordinal, *fate))
            self._counts[fate[0]] = self._counts.get(fate[0], 0) + 1
            if last is not None:
                break
        self._ctx.store.record_transform(
            self._run, self._ctx.epoch, number, ranges(fates), errors, self._mapping.version
        )
        if last is not None:
            # Before the stage is sealed: none of the run's records goes on to be written.
            raise stopped_at(self._ctx, self._run, last)
        self._files.add(mapped, first=entry.first)
        self.mapped += len(mapped)
        self._done += len(records)
        self._progress(self._done, number + 1)

    def seal(self) -> None:
        manifest = self._files.seal(slice_size=self._ctx.flow.file.destination.batch_size)
        self._ctx.store.seal_stage(
            self._run,
            Stage.TRANSFORM,
            self._ctx.epoch,
            records=manifest.records,
            batches=len(manifest.batches),
            sha256=manifest.sha256,
        )

    def _fate(self, ordinal: int, record: ReadRecord, superseded: set[int], mapped: list[MappedLine]) -> _Fate | None:
        """Where the record ends here, or None when it goes on to write (and is in `mapped`)."""
        if ordinal in superseded:
            return "deduplicated", "older version"
        if self._known.active and self._known.skips(record):
            return "skipped", "known error"
        if record.defect is not None:
            return record.defect
        if record.key is None:
            return RecordError(
                "KEY_MISSING",
                "the record has no key",
                source_path=", ".join(self._ctx.flow.file.source.key),
            )
        if record.deleted:
            return self._map_delete(ordinal, record, record.key, mapped)
        try:
            if self._keep is not None and not self._keep(record.data):
                return "skipped", "filtered"
        except ValueError as error:
            return RecordError("TRANSFORM_FAILED", f"the flow's filter failed: {error}", transform="filter")
        data, errors = self._mapping.apply(record.data)
        if errors:
            return _joined(errors)
        line = encoded(data)
        digest = fingerprint(line)
        mapped.append(MappedLine(ordinal, record.key, record.version, digest, False, msgspec.Raw(line)))
        return None

    def _map_delete(
        self, ordinal: int, record: ReadRecord, key: str, mapped: list[MappedLine]
    ) -> tuple[str, str] | None:
        if self._deletes == "ignore":
            return "skipped", "delete ignored"
        # A tombstone often holds nothing but the id: map what the destination's keys need, as far as it goes.
        known = [fields for fields, rules in self._key_rules.items() if not rules.apply(record.data)[1]]
        line = encoded(self._mapping.only({*chain.from_iterable(known)}).apply(record.data)[0])
        mapped.append(MappedLine(ordinal, key, record.version, "", True, msgspec.Raw(line)))
        return None


def fingerprint(line: bytes) -> str:
    """The hash by which a mapped record is compared with what was delivered."""
    return hashlib.blake2b(line, digest_size=16).hexdigest()


def _joined(errors: list[RecordError]) -> RecordError:
    """One error for the record: the first, naming the others, so that a person mends all of them at once."""
    first = errors[0]
    if len(errors) > 1:
        others = "; ".join(f"{error.field}: {error.message}" for error in errors[1:])
        first.message = f"{first.message} (also {others})"
    return first
