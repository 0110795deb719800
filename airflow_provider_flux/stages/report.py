"""The truth about a run, for logs, for `show` and for pages: first what went wrong and what to do, then the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from airflow_provider_flux.errors import CATALOGUE, Category, Stage
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import BUCKETS, ErrorGroup, Run, StageRow

GROUP_BY = ("code", "stage", "field", "source_path", "transform")
"""Errors that share these are one trouble with one cause."""

_NEXT_STEP = {
    "read": "Check the health of the source connection first.",
    "transform": "A mapping rule fails: see the rule and the field below.",
    "write": "The destination refused or could not be reached: see its answer below.",
    "settle": "Keep the run as it is and report it; the cursor has not moved.",
}


@dataclass(frozen=True)
class RunReport:
    """A run with its stages and its errors by frequency.

    :param skipped: how many records were skipped, by reason
    """

    run: Run
    stages: tuple[StageRow, ...]
    groups: tuple[ErrorGroup, ...]
    skipped: dict[str, int]

    @property
    def lost(self) -> int:
        """Records that did not arrive and wait for somebody: failed and held."""
        return (self.run.failed or 0) + (self.run.held or 0)


def run_report(store: Store, run: Run) -> RunReport:
    """Everything to show of a run, from the store."""
    groups = store.error_groups(GROUP_BY, ErrorFilter(run=run, state=("open", "held", "resolved")))
    stages = store.stages(run)
    return RunReport(run, tuple(stages), tuple(groups), _skipped(store, run, stages))


def _skipped(store: Store, run: Run, stages: list[StageRow]) -> dict[str, int]:
    """Reasons for skipping, of the newest write and the transform whose files it consumed."""
    write = max((row.epoch for row in stages if row.stage == Stage.WRITE), default=None)
    transform = max((row.epoch for row in stages if row.stage == Stage.TRANSFORM), default=None)
    if write is not None:
        transform = next(row.input_epoch for row in stages if row.stage == Stage.WRITE and row.epoch == write)
    reasons = store.count(run, transform, write).reasons
    return {reason: count for (bucket, reason), count in sorted(reasons.items()) if bucket == "skipped"}


def trace_text(report: RunReport) -> str:
    """The report as plain text of at most 100 columns, the trace on top."""
    run = report.run
    lines = [f"{run.state.upper()}: run {run.run_id} of flow {run.flow}"]
    if run.error_stage is not None:
        lines += _trace_lines(run)
    lines += ["", *_facts(run), "", *_buckets(report), "", *_durations(report)]
    if report.groups:
        lines += ["", "errors by frequency", *_error_lines(report)]
    return "\n".join(lines)


def failure_lines(stage: str, code: str, message: str, next_step: str, answer: str | None = None) -> list[str]:
    """The trace: which stage, what happened, why, and what to do next."""
    row = CATALOGUE[code]
    lines = [
        f"  failed in {stage}: {row.title} ({code})",
        f"  what      {_indented(message)}",
        f"  why       {row.cause}",
        f"  next      {_indented(next_step)}",
    ]
    # A bad file or a full disk has nothing to do with the system at the other end.
    if code != "CONFIG_INVALID" and row.category is not Category.INTERNAL:
        lines.append(f"            {_NEXT_STEP[stage]}")
    if answer:
        lines.append(f"  answer    {answer[:500]}")
    return lines


def _indented(text: str) -> str:
    return text.replace("\n", "\n            ")


def _trace_lines(run: Run) -> list[str]:
    assert run.error_code is not None and run.error_stage is not None
    message, next_step = run.error_message or "", run.error_next_step or ""
    return failure_lines(run.error_stage, run.error_code, message, next_step, run.error_answer)


def _facts(run: Run) -> list[str]:
    window = f"[{run.window_start or 'the beginning'}, {run.window_end or 'the end'})"
    if run.replay_of:
        window = f"the failed records of run {run.replay_of}"
    mapping = run.mapping if run.mapping_version is None else f"{run.mapping.partition('@')[0]}@{run.mapping_version}"
    cursor = f"{run.cursor_before or 'none'} -> {run.cursor_after}" if run.cursor_after else "not moved"
    return [
        f"  trigger   {run.trigger}",
        f"  window    {window}",
        f"  mapping   {mapping}",
        f"  cursor    {cursor}",
    ]


def _buckets(report: RunReport) -> list[str]:
    run = report.run
    if run.read is None:
        return ["  records   not counted yet: the run has not settled"]
    numbers = {name: getattr(run, name) or 0 for name in BUCKETS}
    terms = " + ".join(f"{number} {name}" for name, number in numbers.items())
    lines = [f"  records   {run.read} read = {terms}"]
    if report.skipped:
        lines.append("  skipped   " + ", ".join(f"{count} {reason}" for reason, count in report.skipped.items()))
    return lines


def _durations(report: RunReport) -> list[str]:
    lines = []
    for row in report.stages:
        epoch = f" (after clear {row.epoch})" if row.epoch else ""
        attempts = f", attempt {row.attempts}" if row.attempts > 1 else ""
        seconds = f"{duration(row.started_at, row.ended_at):.1f} s" if row.ended_at else "not ended"
        lines.append(f"  {row.stage:<9} {row.state}, {row.records} records, {seconds}{attempts}{epoch}")
    return lines


def _error_lines(report: RunReport) -> list[str]:
    lines = []
    for group in report.groups:
        example, row = group.example, CATALOGUE[group.values["code"]]
        where = example.field or example.source_path or "the record"
        rule = f", rule from {example.source_path}" if example.source_path and example.field else ""
        lines += [
            f"  {group.count:>6} x {row.title} in {example.stage}: {where}{rule} ({row.code})",
            f"           e.g. record {example.source_key or '(no key)'}: {example.message[:300]}",
            f"           why: {row.cause}",
            f"           next: {row.solution}",
        ]
    return lines


def duration(started_at: str, ended_at: str | None) -> float:
    """Seconds between two instants of the store."""
    if ended_at is None:
        return 0.0
    return (datetime.fromisoformat(ended_at) - datetime.fromisoformat(started_at)).total_seconds()
