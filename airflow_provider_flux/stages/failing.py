"""What every stage does when it fails: note it in the store, then let the error go on to Airflow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.store.rows import Run


@contextmanager
def stage_failure(ctx: RunContext, run: Run, stage: str) -> Iterator[None]:
    """Note any failure of the block on the stage's row; an error that is not ours is noted as UNKNOWN."""
    try:
        yield
    except FluxError as error:
        ctx.store.fail_stage(run, stage, ctx.epoch, error)
        raise
    except Exception as error:
        ctx.store.fail_stage(run, stage, ctx.epoch, FluxError("UNKNOWN", f"{type(error).__name__}: {error}"))
        raise
