"""`metrics`: how well flows do, per day or week."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.place import expect_flow, the_store

if TYPE_CHECKING:
    from airflow_provider_flux.store.metrics import Metrics

_COLUMNS = (
    "flow", "since", "#runs", "#read", "#failed", "#rate", "", "errors by category", "#resolved", "#median", "#90 %",
    "retries delivered",
)  # fmt: skip
_BARS = " ▁▂▃▄▅▆▇█"
_WIDTH = 8


def metrics(arguments: Namespace, out: Output) -> int:
    """Print the metrics as a table, the oldest day of each flow first."""
    since = arguments.since or default_since(arguments.by, datetime.now(UTC))
    with the_store() as store:
        from airflow_provider_flux.store.text import instant_text

        found = store.metrics(instant_text(since), arguments.by, arguments.flow)
    if arguments.flow and not found:
        expect_flow(arguments.flow)
    if out.json:
        out.data([_plain(one) for one in found])
        return 0
    if not found:
        of_flow = f" of flow {arguments.flow}" if arguments.flow else ""
        out.line(f"No runs{of_flow} since {since:%Y-%m-%d %H:%M} UTC: nothing to count. See further back with --since.")
        return 0
    most = max(one.error_rate or 0.0 for one in found)
    out.table(_COLUMNS, [_row(one, most) for one in found])
    return 0


def default_since(by: str, now: datetime) -> datetime:
    """The beginning of the last 14 days, or 8 weeks, the present one included: none of them is cut."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=13) if by == "day" else today - timedelta(days=today.weekday() + 7 * 7)


def _row(one: Metrics, most: float) -> tuple[object, ...]:
    retries = one.retry_success
    return (
        one.flow,
        one.period,
        one.runs,
        one.read,
        one.failed,
        _percent(one.error_rate),
        bar(one.error_rate, most),
        ", ".join(f"{name} {number}" for name, number in sorted(one.categories.items(), key=lambda item: -item[1])),
        one.resolved or "",
        span(one.resolution_median),
        span(one.resolution_p90),
        "" if retries is None else f"{one.replay_delivered} of {one.replayed} ({_percent(retries)})",
    )


def _plain(one: Metrics) -> dict[str, Any]:
    return {**asdict(one), "error_rate": one.error_rate, "retry_success": one.retry_success}


def bar(value: float | None, most: float) -> str:
    """A value beside the greatest one as a bar of eight characters, each of eight steps; a trace is always seen."""
    if not value or not most:
        return ""
    steps = max(1, round(value / most * _WIDTH * (len(_BARS) - 1)))
    full, rest = divmod(steps, len(_BARS) - 1)
    return _BARS[-1] * full + (_BARS[rest] if rest else "")


def span(seconds: float | None) -> str:
    """Seconds as people say them: 45 s, 12 min, 3.5 h, 2.1 d."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 86_400 else f"{seconds / 86_400:.1f} d"


def _percent(share: float | None) -> str:
    if share is None:
        return ""
    # Never rounded to nothing or to all: one lost record of a million is a lost record.
    if 0 < share < 0.0001:
        return "<0.01 %"
    if 0.9999 < share < 1:
        return ">99.99 %"
    return f"{share * 100:.2f} %" if share < 0.01 else f"{share * 100:.1f} %"
