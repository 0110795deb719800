"""Batches that were sent by an attempt which died and that no retry will come back to.

Where the destination would double their records, they are held for a person before anything else is written.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from airflow_provider_flux.errors import FluxError, Stage
from airflow_provider_flux.stages.acknowledge import Acknowledger
from airflow_provider_flux.stages.batches import batches
from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.stages.guard import Guarded
from airflow_provider_flux.store.rows import Run, StageRow

log = logging.getLogger(__name__)


def hold_orphans(ctx: RunContext, run: Run) -> None:
    """Hold what earlier runs of this flow, or earlier epochs of this run, left in doubt.

    One writer per flow at a time (`max_active_tis_per_dag=1`), so none of them is writing now.

    :raises FluxError: STAGING_UNSEALED when the staged records of such a batch are gone
    """
    for other in ctx.store.runs_in_doubt(ctx.flow.id):
        theirs = replace(ctx, run_id=other.run_id, trigger=other.trigger, replay=None)
        for row in ctx.store.stages(other):
            if row.stage == Stage.WRITE and not (other.id == run.id and row.epoch == ctx.epoch):
                hold_in_doubt(theirs, other, row)


def hold_in_doubt(ctx: RunContext, run: Run, write: StageRow) -> None:
    """Hold the records of every batch of a write stage that is `sent` and was never acknowledged.

    :raises FluxError: STAGING_UNSEALED when the staged records of such a batch are gone
    """
    states = ctx.store.batch_states(run, write.epoch)
    doubtful = {number for number, (state, _) in states.items() if state == "sent"}
    if not doubtful:
        return
    transform = ctx.store.stage(run, Stage.TRANSFORM, write.input_epoch or 0)
    if transform is None:
        raise FluxError("STAGING_UNSEALED", f"run '{run.run_id}' has batches in doubt and no transform")
    ctx = replace(ctx, epoch=write.epoch)
    files = ctx.files(Stage.TRANSFORM, transform.epoch)
    acknowledger = Acknowledger(ctx, run, transform.input_epoch or 0)
    for batch in batches(files, files.manifest(transform.sha256)):
        if batch.number in doubtful:
            log.warning("run %s died while sending batch %d: its records are held", run.run_id, batch.number)
            acknowledger.hold(batch, Guarded(send=batch.records))
