"""The strategy `fail_fast`: a run ends at its first error."""

from __future__ import annotations

from collections.abc import Callable

from airflow_provider_flux.errors import FluxError, Stage
from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.store.rows import NewError, Run

Stops = Callable[[str], bool]
"""Whether an error of this code ends the run at once."""


def stops(ctx: RunContext) -> Stops:
    """Which errors end this run: those that the flow calls `fail_fast`; `never` itself if there are none.

    An automatic retry goes through all of its records, because it begins nothing new.
    """
    policy = ctx.flow.file.errors
    if ctx.trigger == "retry" or "fail_fast" not in (policy.strategy, *policy.codes.values()):
        return never
    return lambda code: policy.strategy_for(code) == "fail_fast"


def never(code: str) -> bool:
    """No error ends the run."""
    return False


def stopped_at(ctx: RunContext, run: Run, error: NewError) -> FluxError:
    """Why a run ends at this error: the record, what is wrong with it, and how much the run had written by then."""
    failed = error.error
    record = "a record without a key" if error.source_key is None else f"record '{error.source_key}'"
    where = f", field '{failed.field}'" if failed.field else ""
    return FluxError(
        "STOPPED_AT_FIRST_ERROR",
        f"{record} failed in {error.stage}: {failed.code}{where}: {failed.message.rstrip('.')}. "
        f"{_written(ctx, run)} by this run, and the rest is unsent.",
        answer=failed.answer,
    )


def _written(ctx: RunContext, run: Run) -> str:
    epochs = [row.epoch for row in ctx.store.stages(run) if row.stage == Stage.WRITE]
    count = ctx.store.count(run, None, max(epochs)).buckets.get("written", 0) if epochs else 0
    return {0: "No record was written", 1: "1 record was written"}.get(count, f"{count} records were written")
