"""Turns the verdicts on a batch into what the store keeps: outcomes, errors, links."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from airflow_provider_flux.connectors.contract import Verdict, Written
from airflow_provider_flux.errors import RecordError, Stage
from airflow_provider_flux.mapping.paths import MISSING, getter
from airflow_provider_flux.stages.batches import Batch
from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.stages.fail_fast import stops
from airflow_provider_flux.stages.fates import ALREADY_THERE, ranges
from airflow_provider_flux.stages.guard import NEVER_DELIVERED, NO_CHANGE, Guarded
from airflow_provider_flux.stages.progress import Progress
from airflow_provider_flux.stages.records import MappedRecord, ReadRecord
from airflow_provider_flux.stages.strategy import failed_record
from airflow_provider_flux.staging import BatchEntry
from airflow_provider_flux.store.error_rows import HELD
from airflow_provider_flux.store.records import ACKED, STOPPED
from airflow_provider_flux.store.rows import Link, NewError, Run

_encode = msgspec.json.Encoder().encode

_LINKED = (NO_CHANGE, NEVER_DELIVERED)
"""Why a record was not sent although its link row is to say that this version is dealt with."""


class Acknowledger:
    """Records the fate of the records of each batch, in one transaction a batch.

    :param read_epoch: epoch of the read files that hold the source records (for the payload of an error)
    """

    def __init__(self, ctx: RunContext, run: Run, read_epoch: int) -> None:
        self._ctx = ctx
        self._run = run
        self._read_files = ctx.files(Stage.READ, read_epoch)
        self._read_entries: dict[int, BatchEntry] = {}
        self._key_getters = [getter(path) for path in ctx.flow.file.destination.key or ()]
        self._payloads: tuple[str, list[ReadRecord]] = ("", [])
        self.mapping_version = run.mapping_version
        self._stops = stops(ctx)
        self._progress = Progress(ctx, run, Stage.WRITE)
        self.records = 0
        self.batches = 0
        self.counts: dict[str, int] = {}

    def ack(
        self, batch: Batch, guarded: Guarded, verdicts: Sequence[Verdict | None], *, tried: bool = True
    ) -> NewError | None:
        """Acknowledge a batch.

        :param verdicts: one for each record that was to be sent; None for one that was not, and stays unsent
        :param tried: False for a batch whose automatic retry was called off (see `strategy.failed_record`)
        :return: the first error that ends the run (`fail_fast`), if there is one
        """
        fates = [(record.ordinal, "skipped", reason) for record, reason in guarded.skipped]
        errors: list[NewError] = []
        links = [self._link(record, None, guarded) for record, reason in guarded.skipped if reason in _LINKED]
        for record, verdict in [*zip(guarded.send, verdicts, strict=True), *guarded.refused]:
            if isinstance(verdict, RecordError):
                bucket, error = self._failed(batch, record, verdict, tried)
                fates.append((record.ordinal, bucket, verdict.code))
                errors.append(error)
            elif verdict is not None:
                fates.append((record.ordinal, *_fate(record, verdict)))
                links.append(self._link(record, verdict.key, guarded))
        fates.sort()
        outcomes = ranges(fates)
        last = next((error for error in errors if self._stops(error.error.code)), None)
        # A clear comes back for what is unsent, and for the record that ended the run; not for what is held.
        again = None in verdicts or (last is not None and last.state != HELD)
        self._ctx.store.ack(
            self._run,
            self._ctx.epoch,
            batch.number,
            batch.sha256,
            outcomes,
            errors,
            links,
            self.mapping_version,
            state=STOPPED if again else ACKED,
        )
        for outcome in outcomes:
            count = outcome.last - outcome.first + 1
            self.counts[outcome.bucket] = self.counts.get(outcome.bucket, 0) + count
        self._count(len(fates))
        return last

    def hold(self, batch: Batch, guarded: Guarded) -> NewError | None:
        """Acknowledge a batch of which nobody knows whether it arrived: its records wait for a person.

        :return: as `ack`
        """
        verdict = RecordError(
            "OUTCOME_UNKNOWN",
            "the worker died after sending the record and before the answer came; "
            "the destination has neither upsert nor a key to look it up",
        )
        return self.ack(batch, guarded, [verdict] * len(guarded.send))

    def count_again(self, records: list[MappedRecord]) -> None:
        """Count a batch that an earlier attempt acknowledged."""
        self.counts["acknowledged before"] = self.counts.get("acknowledged before", 0) + len(records)
        self._count(len(records))

    def _count(self, records: int) -> None:
        self.records += records
        self.batches += 1
        self._progress(self.records, self.batches)

    def _failed(self, batch: Batch, record: MappedRecord, error: RecordError, tried: bool) -> tuple[str, NewError]:
        source = self._source_record(batch, record.ordinal)
        sent = msgspec.json.encode(record.data).decode()
        return failed_record(self._ctx.flow.file, record.ordinal, source, error, Stage.WRITE, sent=sent, tried=tried)

    def _source_record(self, batch: Batch, ordinal: int) -> ReadRecord:
        """The source record behind a mapped one, from the files of read (the last file is kept: errors cluster)."""
        if self._payloads[0] != batch.entry.name:
            if not self._read_entries:
                self._read_entries = {entry.first: entry for entry in self._read_files.manifest().batches}
            entry = self._read_entries[batch.entry.first]
            self._payloads = (batch.entry.name, self._read_files.load(entry, ReadRecord))
        return self._payloads[1][ordinal - batch.entry.first]

    def _link(self, record: MappedRecord, key: str | None, guarded: Guarded) -> Link:
        """The link row of a record. A key that the destination gave is worth more than the values of its key fields."""
        known = guarded.links[record.key].destination_key if record.key in guarded.links else None
        given = known if record.deleted or _is_given(known) else None
        return Link(
            record.key, key or given or self._mapped_key(record) or known, record.version, record.hash, record.deleted
        )

    def _mapped_key(self, record: MappedRecord) -> str | None:
        """The values of the destination's key fields, as a JSON list."""
        if not self._key_getters:
            return None
        values = [get(record.data) for get in self._key_getters]
        return None if MISSING in values else _encode(values).decode()


def _fate(record: MappedRecord, verdict: Written) -> tuple[str, str]:
    """Bucket and reason of a record that the destination has now."""
    if verdict.kept:
        return "skipped", ALREADY_THERE
    return "written", "deleted" if record.deleted else "delivered"


def _is_given(key: str | None) -> bool:
    """Whether the destination itself answered with this key; the values of its key fields are a JSON list."""
    return key is not None and not key.startswith("[")
