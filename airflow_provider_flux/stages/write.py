"""The write stage: mapped batches into the destination, several at a time, each acknowledged once.

A batch is noted `sent` before its first byte and `acked` with the fate of its records after. After a crash every
`sent` batch is in doubt: where the destination can take it twice it is sent again, where it can be asked it is asked,
otherwise its records are held for a person.
"""

from __future__ import annotations

import logging
import time

from airflow_provider_flux.errors import Stage
from airflow_provider_flux.stages.acknowledge import Acknowledger
from airflow_provider_flux.stages.batches import batches
from airflow_provider_flux.stages.context import RunContext, StageReport
from airflow_provider_flux.stages.doubt import resolve_orphans
from airflow_provider_flux.stages.failing import stage_failure
from airflow_provider_flux.stages.health import watched_destination
from airflow_provider_flux.stages.memory import few_collections
from airflow_provider_flux.stages.sender import Sender
from airflow_provider_flux.stages.transform import sealed_stage
from airflow_provider_flux.staging import Manifest, StageFiles

log = logging.getLogger(__name__)


def write(ctx: RunContext) -> StageReport:
    """Deliver what transform sealed.

    :raises FluxError: some records could not be sent, or one ended the run (`fail_fast`); those that were sent are
        acknowledged, and not sent again by a retry
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
                resolve_orphans(ctx, run, destination)
            acknowledger = Acknowledger(ctx, run, source.input_epoch or 0)
            with Sender(ctx, run, destination, acknowledger) as sender:
                for batch in batches(files, manifest):
                    sender.take(batch)
                sender.finish()
                _look_again(sender, files, manifest)
                sender.raise_failed()
        ctx.store.seal_stage(
            run, Stage.WRITE, ctx.epoch, records=acknowledger.records, batches=sender.batches, sha256=source.sha256
        )
    seconds = time.monotonic() - started
    counts = ", ".join(f"{count} {bucket}" for bucket, count in acknowledger.counts.items())
    log.info("%s in %.1f s", counts or "nothing to write", seconds)
    return StageReport(Stage.WRITE, acknowledger.records, sender.batches, seconds, acknowledger.counts)


def _look_again(sender: Sender, files: StageFiles, manifest: Manifest) -> None:
    """Treat the batches that failed on the way, now that it is known whether the destination takes others."""
    for treat in (sender.isolate, sender.postpone):
        if sender.failed:
            for batch in batches(files, manifest):
                if batch.number in sender.failed:
                    treat(batch)
