"""The write stage: mapped batches into the destination, several at a time, each acknowledged once.

A batch is noted `sent` before its first byte and `acked` with the fate of its records after. After a crash every
`sent` batch is in doubt: where the destination can take it twice it is sent again, where it can be asked it is asked,
otherwise its records are held for a person.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType

from airflow_provider_flux.connectors.contract import Destination, Verdict, WriteItem
from airflow_provider_flux.errors import CATALOGUE, Disposition, FluxError, OutcomeUnknown, Stage
from airflow_provider_flux.stages.acknowledge import Acknowledger
from airflow_provider_flux.stages.batches import Batch, batches
from airflow_provider_flux.stages.context import RunContext, StageReport
from airflow_provider_flux.stages.deliver import deliver, find_or_deliver
from airflow_provider_flux.stages.doubt import hold_orphans
from airflow_provider_flux.stages.failing import stage_failure
from airflow_provider_flux.stages.guard import Guard, Guarded
from airflow_provider_flux.stages.health import watched_destination
from airflow_provider_flux.stages.memory import few_collections
from airflow_provider_flux.stages.records import MappedRecord
from airflow_provider_flux.stages.transform import sealed_stage
from airflow_provider_flux.store.rows import Run

log = logging.getLogger(__name__)


def write(ctx: RunContext) -> StageReport:
    """Deliver what transform sealed.

    :raises FluxError: some records could not be sent; those that were are acknowledged and not sent again by a retry
    """
    started = time.monotonic()
    run = ctx.run()
    row = ctx.store.stage(run, Stage.WRITE, ctx.epoch)
    if row is not None and row.state == "sealed":
        log.info("write was finished by an earlier attempt: %d records", row.records)
        return StageReport(Stage.WRITE, row.records, row.batches, 0.0, {})
    source = sealed_stage(ctx, run, Stage.TRANSFORM)
    ctx.store.start_stage(run, Stage.WRITE, ctx.epoch, source.epoch)
    with stage_failure(ctx, run, Stage.WRITE), few_collections():
        files = ctx.files(Stage.TRANSFORM, source.epoch)
        manifest = files.manifest(source.sha256)
        with watched_destination(ctx) as destination:
            if not destination.idempotent:
                hold_orphans(ctx, run)
            acknowledger = Acknowledger(ctx, run, source.input_epoch or 0)
            with _Writer(ctx, run, destination, acknowledger) as writer:
                for batch in batches(files, manifest):
                    writer.take(batch)
                writer.finish()
        ctx.store.seal_stage(
            run, Stage.WRITE, ctx.epoch, records=acknowledger.records, batches=writer.batches, sha256=source.sha256
        )
    seconds = time.monotonic() - started
    counts = ", ".join(f"{count} {bucket}" for bucket, count in acknowledger.counts.items())
    log.info("%s in %.1f s", counts or "nothing to write", seconds)
    return StageReport(Stage.WRITE, acknowledger.records, writer.batches, seconds, acknowledger.counts)


class _Writer:
    """Keeps up to `in_flight` batches on their way. Only this thread talks to the store."""

    def __init__(self, ctx: RunContext, run: Run, destination: Destination, acknowledger: Acknowledger) -> None:
        self._ctx = ctx
        self._run = run
        self._destination = destination
        self._acknowledger = acknowledger
        self._guard = Guard(ctx, destination.idempotent)
        self._states = ctx.store.batch_states(run, ctx.epoch)
        self._elsewhere = {} if destination.idempotent else ctx.store.acked_elsewhere(run, ctx.epoch)
        self._pool = ThreadPoolExecutor(destination.in_flight, thread_name_prefix="flux-write")
        self._flying: dict[Future[list[Verdict]], tuple[Batch, Guarded]] = {}
        self._failures: list[FluxError] = []
        self._in_a_row = 0
        self.batches = 0

    def __enter__(self) -> _Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Whatever happened here, no thread may use the destination after it is closed.
        self._pool.shutdown(wait=True, cancel_futures=True)

    def take(self, batch: Batch) -> None:
        """Send a batch as soon as there is room for it, unless it is acknowledged already."""
        self.batches += 1
        state, sha256 = self._states.get(batch.number, ("", ""))
        if state == "acked" and sha256 == batch.sha256:
            self._acknowledger.count_again(batch.records)
            return
        if batch.sha256 in self._elsewhere:
            self._ctx.store.copy_ack(
                self._run, self._elsewhere[batch.sha256], self._ctx.epoch, batch.number, batch.sha256
            )
            self._acknowledger.count_again(batch.records)
            return
        while len(self._flying) >= self._destination.in_flight:
            self._land()
        guarded = self._guard.split(batch.records)
        if not guarded.send:
            self._acknowledger.ack(batch, guarded, [])
            return
        items = [_item(record, guarded) for record in guarded.send]
        if state == "sent" and not self._destination.idempotent:
            self._resolve_doubt(batch, guarded, items)
            return
        self._ctx.store.mark_sent(
            self._run, self._ctx.epoch, batch.number, batch.sha256, self._acknowledger.mapping_version
        )
        self._flying[self._pool.submit(deliver, self._destination, items)] = (batch, guarded)

    def finish(self) -> None:
        """Wait for what is on its way.

        :raises FluxError: when a batch could not be delivered
        """
        while self._flying:
            self._land()
        if self._failures:
            first = self._failures[0]
            raise FluxError(
                first.code,
                f"{len(self._failures)} of {self.batches} batches could not be delivered: {first.message}",
                next_step=first.next_step,
                answer=first.answer,
            )

    def _resolve_doubt(self, batch: Batch, guarded: Guarded, items: list[WriteItem]) -> None:
        if self._destination.can_find:
            log.warning("batch %d was sent by an attempt that died; asking the destination for it", batch.number)
            future = self._pool.submit(find_or_deliver, self._destination, items)
            self._flying[future] = (batch, guarded)
        else:
            log.warning("batch %d was sent by an attempt that died; its records are held", batch.number)
            self._acknowledger.hold(batch, guarded)

    def _land(self) -> None:
        """Acknowledge the batches that came back."""
        done, _ = wait(self._flying, return_when=FIRST_COMPLETED)
        # In the order of sending, so that "in a row" means what it says.
        for future in sorted(done, key=lambda future: self._flying[future][0].number):
            batch, guarded = self._flying.pop(future)
            try:
                verdicts = future.result()
            except FluxError as error:
                self._failed(batch, error)
                continue
            self._in_a_row = 0
            self._acknowledger.ack(batch, guarded, verdicts)

    def _failed(self, batch: Batch, error: FluxError) -> None:
        if not isinstance(error, OutcomeUnknown):
            # Nothing of it was stored, so a retry may send it without any doubt.
            self._ctx.store.forget_sent(self._run, self._ctx.epoch, batch.number)
        alike = not self._failures or self._failures[-1].code == error.code
        self._in_a_row = self._in_a_row + 1 if alike else 1
        self._failures.append(error)
        log.warning("batch %d was not delivered: %s", batch.number, error)
        if CATALOGUE[error.code].disposition is Disposition.STOP:
            self._stop()
            raise error
        if self._in_a_row >= self._ctx.flow.file.errors.outage_after:
            self._stop()
            raise FluxError(
                "DESTINATION_OUTAGE",
                f"{self._in_a_row} batches in a row failed alike: {error.message}",
                answer=error.answer,
                retry_after=error.retry_after,
            )

    def _stop(self) -> None:
        """Send nothing more, but do not forget what is on its way."""
        for future in [future for future in self._flying if future.cancel()]:
            batch, _ = self._flying.pop(future)
            self._ctx.store.forget_sent(self._run, self._ctx.epoch, batch.number)
        self._pool.shutdown(wait=True)
        for future, (batch, guarded) in list(self._flying.items()):
            error = future.exception()
            if error is None:
                self._acknowledger.ack(batch, guarded, future.result())
            elif isinstance(error, FluxError) and not isinstance(error, OutcomeUnknown):
                self._ctx.store.forget_sent(self._run, self._ctx.epoch, batch.number)
        self._flying.clear()


def _item(record: MappedRecord, guarded: Guarded) -> WriteItem:
    link = guarded.links.get(record.key)
    return WriteItem(record.data, record.deleted, link.destination_key if link else None)
