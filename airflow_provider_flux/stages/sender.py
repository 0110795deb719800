"""Batches on their way to the destination, several at a time, and what becomes of those that do not arrive."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from types import TracebackType
from typing import NoReturn

from airflow_provider_flux.connectors.contract import Destination
from airflow_provider_flux.connectors.lookup import can_be_found
from airflow_provider_flux.errors import CATALOGUE, Category, Disposition, FluxError, OutcomeUnknown, RecordError
from airflow_provider_flux.stages.acknowledge import Acknowledger
from airflow_provider_flux.stages.batches import Batch
from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.stages.deliver import Verdicts, deliver, find_or_deliver
from airflow_provider_flux.stages.fail_fast import Stops, never, stopped_at, stops
from airflow_provider_flux.stages.guard import Guard, Guarded
from airflow_provider_flux.stages.isolate import is_fault, isolate
from airflow_provider_flux.store.rows import NewError, Run

log = logging.getLogger(__name__)


class Sender:
    """Keeps up to `in_flight` batches on their way. Only this thread talks to the store.

    A batch that brought no verdict is put aside in `failed`; when all others are through, `isolate` and `postpone` look
    at it again. In a run that retries records by itself it is put nowhere: the answer is the verdict on its records.
    """

    def __init__(self, ctx: RunContext, run: Run, destination: Destination, acknowledger: Acknowledger) -> None:
        self._ctx = ctx
        self._run = run
        self._policy = ctx.flow.file.errors
        self._destination = destination
        self._acknowledger = acknowledger
        self._guard = Guard(ctx, destination.idempotent)
        self._stops = stops(ctx)
        self._room = _room(destination, self._stops)
        self._states = ctx.store.batch_states(run, ctx.epoch)
        self._elsewhere = {} if destination.idempotent else ctx.store.acked_elsewhere(run, ctx.epoch)
        self._pool = ThreadPoolExecutor(destination.in_flight, thread_name_prefix="flux-write")
        self._flying: dict[Future[Verdicts], tuple[Batch, Guarded]] = {}
        self._waiting: list[tuple[Batch, Guarded]] = []  # until there are enough of them to be noted at once
        self._works = False  # whether any batch of this attempt brought verdicts
        self._in_vain = False  # whether not even single records did, when they were tried alone
        self._in_a_row = 0
        self._called_off: FluxError | None = None
        self.failed: dict[int, FluxError] = {}
        self.batches = 0

    def __enter__(self) -> Sender:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Whatever happened here, no thread may use the destination after it is closed.
        self._pool.shutdown(wait=True, cancel_futures=True)

    def take(self, batch: Batch) -> None:
        """Send a batch as soon as there is room for it, unless it is acknowledged already.

        :raises FluxError: the run cannot go on (see `land`)
        """
        self.batches += 1
        state, sha256 = self._states.get(batch.number, ("", ""))
        if state == "acked" and sha256 == batch.sha256:
            self._acknowledger.count_again(batch.records)
            return
        if batch.sha256 in self._elsewhere:
            epoch = self._elsewhere[batch.sha256]
            self._ctx.store.copy_ack(self._run, epoch, self._ctx.epoch, batch.number, batch.sha256)
            self._acknowledger.count_again(batch.records)
            return
        while self._is_full():
            self._depart()
            self.land()
        guarded = self._guard.split(batch.records)
        if not guarded.send:
            self._acknowledge(batch, guarded, [])
        elif state == "sent" and not self._destination.idempotent:
            self._resolve_doubt(batch, guarded)
        elif self._called_off is not None:
            self._acknowledge(batch, guarded, _same(guarded, self._called_off, "not tried: "), tried=False)
        else:
            self._waiting.append((batch, guarded))
            if self._is_full():
                self._depart()

    def finish(self) -> None:
        """Wait for what is on its way.

        :raises FluxError: as `land`
        """
        self._depart()
        while self._flying:
            self.land()

    def land(self) -> None:
        """Acknowledge the batches that came back.

        :raises FluxError: the run cannot go on: an error that concerns every record, an outage, the first error of a
            `fail_fast` flow; nothing more is sent, and what was on its way is acknowledged
        """
        done, _ = wait(self._flying, return_when=FIRST_COMPLETED)
        # In the order of sending, so that "in a row" means what it says.
        ordered = sorted(done, key=lambda future: self._flying[future][0].number)
        if self._destination.idempotent and self._stops is never and not any(map(Future.exception, ordered)):
            # The store waits for its disk once. Should it fail, these batches are sent again: that does no harm.
            with self._ctx.store.together():
                self._take_in(ordered)
        else:
            self._take_in(ordered)

    def _take_in(self, ordered: Sequence[Future[Verdicts]]) -> None:
        for future in ordered:
            batch, guarded = self._flying.pop(future)
            try:
                verdicts = future.result()
            except FluxError as error:
                self._failed(batch, guarded, error)
            else:
                self._brought(batch, guarded, verdicts)

    def isolate(self, batch: Batch) -> None:
        """Deliver what can be delivered of a failed batch that was answered with a fault, and judge the rest.

        :raises FluxError: as `land`
        """
        if self._may_isolate(self.failed[batch.number]):
            self._isolate(batch, self._guard.split(batch.records))

    def postpone(self, batch: Batch) -> None:
        """Put the records of a failed batch on their own clock, if the destination works and the flow says `retry`."""
        error = self.failed[batch.number]
        if isinstance(error, OutcomeUnknown):
            return  # the task's retry asks the destination first
        if self._works and error.transient and self._policy.strategy_for(error.code) == "retry":
            del self.failed[batch.number]
            guarded = self._guard.split(batch.records)
            self._acknowledge(batch, guarded, _same(guarded, error))

    def raise_failed(self) -> None:
        """:raises FluxError: when there are batches that brought no verdict; transient if that may help one of them"""
        if not self.failed:
            return
        errors = [self.failed[number] for number in sorted(self.failed)]
        error = next((error for error in errors if error.transient), errors[0])
        what = f"{len(errors)} of {self.batches} batches could not be delivered: {error.message}"
        if isinstance(error, OutcomeUnknown):
            next_step = "The task's retry finds out which of the records arrived, and sends only the others."
            code = "CONNECTION_TIMEOUT" if error.code == "OUTCOME_UNKNOWN" else error.code
            raise FluxError(code, what, next_step=next_step, answer=error.answer, retry_after=error.retry_after)
        retry_after = error.retry_after
        raise FluxError(error.code, what, next_step=error.next_step, answer=error.answer, retry_after=retry_after)

    def _is_full(self) -> bool:
        return len(self._flying) + len(self._waiting) >= self._room

    def _depart(self) -> None:
        """Send the batches that wait, noted together before their first byte."""
        waiting, self._waiting = self._waiting, []
        sent = {batch.number: batch.sha256 for batch, _ in waiting}
        self._ctx.store.mark_all_sent(self._run, self._ctx.epoch, sent, self._acknowledger.mapping_version)
        for batch, guarded in waiting:
            self._send(batch, guarded, deliver)

    def _send(self, batch: Batch, guarded: Guarded, way: Callable[..., Verdicts]) -> None:
        """Send a batch that is noted as sent."""
        future = self._pool.submit(way, self._destination, guarded.items(), self._stops)
        self._flying[future] = (batch, guarded)

    def _resolve_doubt(self, batch: Batch, guarded: Guarded) -> None:
        if self._destination.can_find:
            log.warning("batch %d was sent by an attempt that died; asking the destination for it", batch.number)
            findable = partial(can_be_found, self._ctx.flow.file.destination)
            self._send(batch, guarded, partial(find_or_deliver, findable=findable))
            return
        log.warning("batch %d was sent by an attempt that died; its records are held", batch.number)
        last = self._acknowledger.hold(batch, guarded)
        if last is not None:
            self._end(last)

    def _brought(self, batch: Batch, guarded: Guarded, verdicts: Verdicts) -> None:
        self._works = True
        self._in_a_row = 0
        self._called_off = None
        self.failed.pop(batch.number, None)
        self._acknowledge(batch, guarded, verdicts)

    def _failed(self, batch: Batch, guarded: Guarded, error: FluxError) -> None:
        if not isinstance(error, OutcomeUnknown):
            # Nothing of it was stored, so a retry may send it without any doubt.
            self._forget_sent(batch)
        log.warning("batch %d was not delivered: %s", batch.number, error)
        if _hopeless(error):
            self._stop()
            raise error
        self._in_a_row += 1
        outage = self._in_a_row >= self._policy.outage_after
        if self._ctx.trigger == "retry" and not isinstance(error, OutcomeUnknown):
            self._acknowledge(batch, guarded, _same(guarded, error))
            self._called_off = error if outage else None
            return
        self.failed[batch.number] = error
        if (outage or self._stops("UNKNOWN")) and self._may_isolate(error) and self._isolate(batch, guarded):
            return
        if outage:
            self._stop()
            raise FluxError(
                "DESTINATION_OUTAGE",
                f"{self._in_a_row} batches in a row failed: {error.message}",
                answer=error.answer,
                retry_after=error.retry_after,
            )
        if self._stops(error.code):
            self._stop()
            raise error

    def _may_isolate(self, error: FluxError) -> bool:
        return is_fault(error) and not isinstance(error, OutcomeUnknown) and not self._in_vain

    def _isolate(self, batch: Batch, guarded: Guarded) -> bool:
        """Whether the destination proved to work: then every record of the batch has its verdict."""
        self._mark_sent(batch)
        # In a thread of the pool, because the others may be at work.
        future = self._pool.submit(isolate, self._destination, guarded.items(), self._stops, works=self._works)
        try:
            verdicts = future.result()
        except FluxError as error:
            if not isinstance(error, OutcomeUnknown):
                self._forget_sent(batch)
            self.failed[batch.number] = error
            self._in_vain = not self._works
            if _hopeless(error):
                self._stop()
                raise
            return False
        self._brought(batch, guarded, verdicts)
        return True

    def _acknowledge(self, batch: Batch, guarded: Guarded, verdicts: Verdicts, *, tried: bool = True) -> None:
        last = self._acknowledger.ack(batch, guarded, verdicts, tried=tried)
        if last is not None:
            self._end(last)

    def _end(self, last: NewError) -> NoReturn:
        self._call_back()
        raise stopped_at(self._ctx, self._run, last)

    def _stop(self) -> None:
        """Send nothing more, whatever the reason.

        :raises FluxError: STOPPED_AT_FIRST_ERROR when what was on its way ends the run, too: then no retry may go on
        """
        last = self._call_back()
        if last is not None:
            raise stopped_at(self._ctx, self._run, last)

    def _call_back(self) -> NewError | None:
        """Send nothing more, but do not forget what is on its way; the first error of it that ends the run."""
        last: NewError | None = None
        for future in [future for future in self._flying if future.cancel()]:
            batch, _ = self._flying.pop(future)
            # What an earlier attempt left in doubt stays in doubt.
            if self._states.get(batch.number, ("", ""))[0] != "sent":
                self._forget_sent(batch)
        self._pool.shutdown(wait=True)
        for future, (batch, guarded) in list(self._flying.items()):
            error = future.exception()
            if error is None:
                found = self._acknowledger.ack(batch, guarded, future.result())
                last = last or found
            elif isinstance(error, FluxError) and not isinstance(error, OutcomeUnknown):
                self._forget_sent(batch)
        self._flying.clear()
        return last

    def _mark_sent(self, batch: Batch) -> None:
        version = self._acknowledger.mapping_version
        self._ctx.store.mark_sent(self._run, self._ctx.epoch, batch.number, batch.sha256, version)

    def _forget_sent(self, batch: Batch) -> None:
        self._ctx.store.forget_sent(self._run, self._ctx.epoch, batch.number)


def _hopeless(error: FluxError) -> bool:
    """Whether no other batch can fare better: the caller is refused, or the mapping does not fit the destination."""
    known = CATALOGUE[error.code]
    return known.disposition is Disposition.STOP or known.category is Category.MAPPING


def _room(destination: Destination, stops: Stops) -> int:
    """How many batches are noted as sent at once: some more than are on their way, where the destination may be sent
    them twice. A thread then need not wait for the store before it takes the next one."""
    spare = destination.in_flight // 2 if destination.idempotent and stops is never else 0
    return destination.in_flight + spare


def _same(guarded: Guarded, error: FluxError, before: str = "") -> Verdicts:
    """The trouble of a whole batch as the verdict on each of its records."""
    return [RecordError(error.code, before + error.message, answer=error.answer)] * len(guarded.send)
