"""The settle stage: are the sums right, may the cursor move, and what is the truth about this run."""

from __future__ import annotations

import logging
from datetime import timedelta

from airflow_provider_flux.errors import FluxError, Stage
from airflow_provider_flux.stages.chain import Chain, chain_of, outcomes
from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.stages.doubt import hold_in_doubt
from airflow_provider_flux.stages.records import ReadRecord
from airflow_provider_flux.stages.report import RunReport, run_report
from airflow_provider_flux.store.rows import Counts, Run, StageRow, Trace

log = logging.getLogger(__name__)

_SEEN_BEFORE = ("already delivered", "newer delivered", "known error")

_PAUSE = timedelta(minutes=30)
"""How long automatic retries wait that a failed run did not come to: it would fail again at once."""


def settle(ctx: RunContext) -> RunReport:
    """Close the run: count both sides apart, move the cursor, resolve errors, and say how it ended.

    :raises FluxError: ACCOUNTING_MISMATCH when read and outcomes differ, STAGING_UNSEALED when the sealed files of read
        are not what they were; the run is closed as failed first
    """
    run = ctx.run()
    chain = chain_of(ctx.store.stages(run), ctx.epoch)
    failed = trace = _first_failure(chain)
    if failed is not None and chain.write is not None:
        _hold_what_is_in_doubt(ctx, run, chain.write)
    counts = outcomes(ctx.store, run, chain)
    read = chain.read.records if chain.read else 0
    mismatch = _unreadable(ctx, chain) or _mismatch(read, counts, complete=trace is None)
    if mismatch is not None:
        log.error("%s", mismatch)
        trace = trace or Trace(Stage.SETTLE, mismatch)  # a stage that failed is the cause to act on
    buckets = {**counts.buckets, "read": read, "unsent": max(0, read - sum(counts.buckets.values()))}
    moved = _move_cursor(ctx, run, chain) if trace is None else None
    _close_errors(ctx, run, chain, complete=trace is None)
    state = "failed" if trace else "partial" if buckets.get("failed", 0) + buckets.get("held", 0) else "succeeded"
    again = _repeated(counts)
    run = ctx.store.finish_run(
        run, state=state, counts=buckets, cursor_after=moved, trace=trace, repeated=again
    )
    report = run_report(ctx.store, run, ctx.flow.file)
    if mismatch is not None and failed is None:
        raise mismatch
    return report


def red(ctx: RunContext, report: RunReport) -> FluxError | None:
    """Why the settle task has to fail, so that the colour of the DAG run is true; None for a green run."""
    run = report.run
    if run.state == "failed":
        assert run.error_code is not None
        return FluxError(run.error_code, f"the run failed in {run.error_stage}: {run.error_message}")
    policy = ctx.flow.file.errors
    if policy.run_fails(run.read or 0, report.lost):
        return FluxError(
            "TOO_MANY_FAILED",
            f"{report.lost} of {run.read} records failed and the flow says `fail_run_when: {policy.fail_run_when}`",
        )
    return None


def _first_failure(chain: Chain) -> Trace | None:
    for stage, row in ((Stage.READ, chain.read), (Stage.TRANSFORM, chain.transform), (Stage.WRITE, chain.write)):
        if row is None or row.state != "sealed":
            return Trace(stage, _why(stage, row))
    return None


def _why(stage: str, row: StageRow | None) -> FluxError:
    """What the stage said when it failed, or that it could not say anything."""
    if row is None:
        return FluxError(
            "STAGE_NOT_RUN",
            f"the {stage} task ended before its stage began",
            next_step=f"Read the log of the {stage} task in Airflow, mend the cause, then clear that task.",
        )
    if row.error_code is None:
        return FluxError("WORKER_DIED", f"the {stage} task stopped without a word after {row.records} records")
    return FluxError(row.error_code, row.error_message or "", next_step=row.error_next_step, answer=row.error_answer)


def _unreadable(ctx: RunContext, chain: Chain) -> FluxError | None:
    """Whether the read side of the sum still stands: the files that read sealed, with as many lines as it said then.

    What an unsealed read had fetched is only in the store; it is all unsent.
    """
    if chain.read is None or chain.read.state != "sealed":
        return None
    try:
        manifest = ctx.files(Stage.READ, chain.read.epoch).manifest(chain.read.sha256)
    except FluxError as error:
        return error
    if manifest.records != chain.read.records:
        return FluxError(
            "ACCOUNTING_MISMATCH", f"read sealed {manifest.records} records and the store says {chain.read.records}"
        )
    return None


def _mismatch(read: int, counts: Counts, *, complete: bool) -> FluxError | None:
    total = sum(counts.buckets.values())
    if counts.overlaps:
        first, last = counts.overlaps[0]
        return FluxError("ACCOUNTING_MISMATCH", f"records {first} to {last} stand in more than one bucket")
    if total > read or (complete and total != read):
        return FluxError("ACCOUNTING_MISMATCH", f"{read} records were read and {total} have an outcome")
    return None


def _repeated(counts: Counts) -> int:
    """How many records an earlier run had delivered, or failed with, as they are: metrics count each once."""
    return sum(counts.reasons.get(("skipped", reason), 0) for reason in _SEEN_BEFORE)


def _move_cursor(ctx: RunContext, run: Run, chain: Chain) -> str | None:
    """Every record of the window is written or stored: the next run may begin behind it. The cursor it moved to."""
    assert chain.read is not None
    reached = chain.read.cursor_max
    if ctx.trigger == "backfill" or ctx.replay is not None or reached is None:
        return None
    ctx.store.move_cursor(ctx.flow.id, reached, ctx.run_id)
    # Told by the run's own cursors: a settle that is done again finds the cursor moved already.
    return reached if reached > (run.cursor_before or "") else None


def _close_errors(ctx: RunContext, run: Run, chain: Chain, *, complete: bool) -> None:
    """Tell the inbox what became of the run's records; what a replay did not send is there for the next one."""
    epochs = {row.stage: row.epoch for row in (chain.transform, chain.write) if row is not None}
    replayed: dict[int, str | None] = {}
    if ctx.replay is not None and complete and chain.read is not None:
        replayed = _replayed_errors(ctx, chain.read)
    resolved = ctx.store.close_errors(
        run, epochs, complete=complete, replayed=replayed, postpone=None if complete else _PAUSE
    )
    if resolved:
        log.info("%d errors are resolved", resolved)


def _replayed_errors(ctx: RunContext, read: StageRow) -> dict[int, str | None]:
    """The errors that the run took its records from, with the keys of the records."""
    files = ctx.files(Stage.READ, read.epoch)
    keys: dict[int, str | None] = {}
    for entry in files.manifest(read.sha256).batches:
        for record in files.load(entry, ReadRecord):
            if record.error_id is not None:
                keys[record.error_id] = record.key
    return keys


def _hold_what_is_in_doubt(ctx: RunContext, run: Run, write: StageRow) -> None:
    """No retry comes any more: what was sent and never answered is held, unless it may simply be sent again.

    Where the destination can be asked, the next write does so, whichever run it belongs to; until then it is unsent.
    """
    try:
        destination = ctx.open_destination()
    except FluxError as error:
        log.warning("cannot tell how to treat batches in doubt: %s; the next run holds them", error)
        return
    try:
        if not destination.idempotent and not destination.can_find:
            hold_in_doubt(ctx, run, write)
    finally:
        destination.close()
