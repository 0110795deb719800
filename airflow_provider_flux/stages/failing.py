"""What every stage does when it fails: note it in the store, then let the error go on to Airflow."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.store.rows import Run

log = logging.getLogger(__name__)


@contextmanager
def stage_failure(ctx: RunContext, run: Run, stage: str) -> Iterator[None]:
    """Note any failure of the block on the stage's row; an error that is not ours is noted as UNKNOWN."""
    try:
        yield
    except FluxError as error:
        _note(ctx, run, stage, error)
        raise
    except Exception as error:
        _note(ctx, run, stage, FluxError("UNKNOWN", f"{type(error).__name__}: {error}"))
        raise


def _note(ctx: RunContext, run: Run, stage: str, error: FluxError) -> None:
    try:
        ctx.store.fail_stage(run, stage, ctx.epoch, error)
    except FluxError as second:
        # The first error is the one to act on; settle finds a stage that is still `running` and says so.
        log.error("the failure of %s could not be noted: %s", stage, second)
