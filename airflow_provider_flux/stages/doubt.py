"""Batches that were sent by an attempt which died and that no retry will come back to.

Where the destination would double their records, it is asked for them before anything else is written; where it cannot
be asked, they are held for a person.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace

from airflow_provider_flux.connectors.contract import Destination, WriteItem
from airflow_provider_flux.connectors.lookup import can_be_found
from airflow_provider_flux.errors import FluxError, Stage
from airflow_provider_flux.stages.acknowledge import Acknowledger
from airflow_provider_flux.stages.batches import Batch, batches
from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.stages.guard import Guarded
from airflow_provider_flux.store.rows import Link, Run, StageRow

log = logging.getLogger(__name__)


def resolve_orphans(ctx: RunContext, run: Run, destination: Destination) -> None:
    """Find out about, or hold, what earlier runs of this flow, or earlier epochs of this run, left in doubt.

    One writer per flow at a time (`max_active_tis_per_dag=1`), so none of them is writing now.

    :param destination: one that would double what it is sent again
    :raises FluxError: STAGING_UNSEALED when the staged records of such a batch are gone; what the destination answers
        when it cannot be asked now
    """
    for other in ctx.store.runs_in_doubt(ctx.flow.id):
        theirs = replace(ctx, run_id=other.run_id, trigger=other.trigger, replay=None)
        for row in ctx.store.stages(other):
            if row.stage != Stage.WRITE or (other.id == run.id and row.epoch == ctx.epoch):
                continue
            if destination.can_find:
                # A batch with a record that holds no key cannot be found in full.
                hold_in_doubt(theirs, other, row, lambda batch: not _can_be_found(ctx, batch))
                _find(theirs, other, row, destination)
            else:
                hold_in_doubt(theirs, other, row)


def hold_in_doubt(
    ctx: RunContext, run: Run, write: StageRow, which: Callable[[Batch], bool] = lambda batch: True
) -> None:
    """Hold the records of the batches of a write stage that are `sent` and were never acknowledged.

    :param which: of these batches
    :raises FluxError: STAGING_UNSEALED when the staged records of such a batch are gone
    """
    ctx = replace(ctx, epoch=write.epoch)
    acknowledger: Acknowledger | None = None
    for batch, read_epoch in _in_doubt(ctx, run, write):
        if not which(batch):
            continue
        acknowledger = acknowledger or Acknowledger(ctx, run, read_epoch)
        log.warning("run %s died while sending batch %d: its records are held", run.run_id, batch.number)
        acknowledger.hold(batch, Guarded(send=batch.records))


def _can_be_found(ctx: RunContext, batch: Batch) -> bool:
    options = ctx.flow.file.destination
    return all(record.deleted or can_be_found(options, WriteItem(record.data)) for record in batch.records)


def _find(ctx: RunContext, run: Run, write: StageRow, destination: Destination) -> None:
    """Note as delivered what the destination has of every batch in doubt; the rest of it was never sent.

    :raises FluxError: the destination cannot be asked
    """
    for batch, _ in _in_doubt(ctx, run, write):
        # A delete that is done twice does no harm.
        asked = [record for record in batch.records if not record.deleted]
        keys = destination.find([WriteItem(record.data) for record in asked])
        found = [
            Link(record.key, key, record.version, record.hash, False)
            for record, key in zip(asked, keys, strict=True)
            if key is not None
        ]
        log.warning(
            "run %s died while sending batch %d: %d of its %d records arrived",
            run.run_id,
            batch.number,
            len(found),
            len(batch.records),
        )
        ctx.store.forget_sent(run, write.epoch, batch.number, found)


def _in_doubt(ctx: RunContext, run: Run, write: StageRow) -> Iterator[tuple[Batch, int]]:
    """The batches of a write stage that are `sent` and were never acknowledged, with the epoch of their read files."""
    states = ctx.store.batch_states(run, write.epoch)
    doubtful = {number for number, (state, _) in states.items() if state == "sent"}
    if not doubtful:
        return
    transform = ctx.store.stage(run, Stage.TRANSFORM, write.input_epoch or 0)
    if transform is None:
        raise FluxError("STAGING_UNSEALED", f"run '{run.run_id}' has batches in doubt and no transform")
    files = ctx.files(Stage.TRANSFORM, transform.epoch)
    for batch in batches(files, files.manifest(transform.sha256)):
        if batch.number in doubtful:
            yield batch, transform.input_epoch or 0
