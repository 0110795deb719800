"""Which part of the source a run reads."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow_provider_flux.connectors.contract import Source, Window
from airflow_provider_flux.connectors.cursor import minus, timestamp_text
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.store.rows import Run


def window_of(ctx: RunContext, run: Run, source: Source) -> tuple[Window, Run]:
    """The window that the first read attempt of this run fixed; every retry and clear uses the same one.

    :raises FluxError: CONFIG_INVALID for a backfill of a flow that has no timestamp to select by
    """
    if not run.window_fixed:
        cursor = ctx.store.cursor(ctx.flow.id)
        window = _choose(ctx, source, cursor)
        run = ctx.store.fix_window(run, window.start, window.end, cursor)
    return Window(run.window_start, run.window_end), run


def _choose(ctx: RunContext, source: Source, cursor_value: str | None) -> Window:
    cursor = ctx.flow.file.source.cursor
    if ctx.trigger == "backfill":
        if cursor is None or cursor.type != "timestamp":
            raise FluxError(
                "CONFIG_INVALID",
                f"flow '{ctx.flow.id}' cannot be backfilled by time: its source has no timestamp cursor",
                next_step="Give `source.cursor` a timestamp field, or run the flow without a window.",
            )
        assert ctx.interval is not None, "a backfill has an interval"
        return Window(timestamp_text(ctx.interval[0]), timestamp_text(ctx.interval[1]))
    if cursor is None or ctx.trigger == "replay":
        return Window()
    start = None if cursor_value is None else minus(cursor_value, cursor.type, cursor.effective_lookback)
    if cursor.type != "timestamp":
        return Window(start, None)
    end = source.now() or datetime.now(UTC)
    if ctx.trigger == "scheduled" and ctx.interval is not None:
        end = min(end, ctx.interval[1])
    return Window(start, timestamp_text(end - cursor.settle))
