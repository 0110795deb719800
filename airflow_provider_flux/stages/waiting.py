"""A flow that stopped at its first error begins no scheduled run before a person has dealt with it."""

from __future__ import annotations

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.store.error_rows import UNSETTLED
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import ErrorRow, Run


def refuse_while_waiting(ctx: RunContext, run: Run) -> None:
    """Let a scheduled run begin only when no error waits that the flow calls `fail_fast`.

    What a person asked for goes ahead: a run by hand, a clear, a replay, a backfill.

    :raises FluxError: WAITING_FOR_A_PERSON, naming the error, its run and its record
    """
    if ctx.trigger != "scheduled" or ctx.epoch > 0:
        return
    error = _oldest(ctx)
    if error is None or error.run == run.id:
        return
    record = "a record without a key" if error.source_key is None else f"record '{error.source_key}'"
    raise FluxError(
        "WAITING_FOR_A_PERSON",
        f"error {error.id} of run '{error.run_id}' is still {error.state}: {record} failed in {error.stage}: "
        f"{error.code}: {error.message}",
        next_step=f"Mend it (`airflow-flux errors show {error.id}`), then clear the failed task of run "
        f"'{error.run_id}', or retry or discard error {error.id}: the next scheduled run then begins by itself.",
        answer=error.answer,
    )


def _oldest(ctx: RunContext) -> ErrorRow | None:
    """The first error that holds the flow up."""
    found: list[ErrorRow] = []
    for code in _codes(ctx):
        found += ctx.store.errors(ErrorFilter(flow=ctx.flow.id, state=UNSETTLED, code=code), limit=1)
    return min(found, key=lambda error: error.id, default=None)


def _codes(ctx: RunContext) -> list[str]:
    """The codes that the flow calls `fail_fast`, as far as there can be errors with them."""
    policy = ctx.flow.file.errors
    if policy.strategy != "fail_fast":
        return [code for code, strategy in policy.codes.items() if strategy == "fail_fast"]
    groups = ctx.store.error_groups(("code",), ErrorFilter(flow=ctx.flow.id, state=UNSETTLED))
    codes = [str(group.values["code"]) for group in groups]
    return [code for code in codes if policy.strategy_for(code) == "fail_fast"]
