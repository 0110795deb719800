"""The truth about a run, for logs, for `show` and for pages: first what went wrong and what to do, then the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from airflow_provider_flux.errors import CATALOGUE
from airflow_provider_flux.flow.models import FlowFile
from airflow_provider_flux.stages.chain import chain_of, outcomes
from airflow_provider_flux.stages.layout import WIDTH, folded, row
from airflow_provider_flux.stages.shapes import drift_of_run
from airflow_provider_flux.stages.trace import COUNTED, GROUP_BY, failure_lines, partial_lines, rule_of, stage_facts
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.error_rows import (
    APPROVED,
    DISCARDED,
    HELD,
    OPEN,
    RESOLVED,
    RETRYING,
    SUPERSEDED,
    UNSETTLED,
)
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import BUCKETS, Became, ErrorGroup, Run, StageRow
from airflow_provider_flux.store.runs import RUNNING

_MOST_KINDS = 10
_INDENT = 11


@dataclass(frozen=True)
class RunReport:
    """A run with its stages and its errors by frequency.

    :param skipped: how many records were skipped, by reason
    :param became: where its errors stand now
    :param facts: lines about the cause in the stage that failed
    :param drift: what the run saw changed in its source
    """

    run: Run
    stages: tuple[StageRow, ...]
    groups: tuple[ErrorGroup, ...]
    skipped: dict[str, int]
    became: tuple[Became, ...] = ()
    facts: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()

    @property
    def lost(self) -> int:
        """Records that did not arrive and wait for somebody: failed and held."""
        return (self.run.failed or 0) + (self.run.held or 0)


def run_report(store: Store, run: Run, flow: FlowFile | None = None) -> RunReport:
    """Everything to show of a run, from the store.

    :param flow: what the flow file says, if it can be read; it names the connections
    """
    groups = store.error_groups(GROUP_BY, ErrorFilter(run=run, state=COUNTED))
    stages = store.stages(run)
    reasons = outcomes(store, run, chain_of(stages)).reasons
    skipped = {reason: count for (bucket, reason), count in sorted(reasons.items()) if bucket == "skipped"}
    stage, code = _at_fault(run, stages)
    facts = [] if stage is None or code is None else stage_facts(store, run, stage, code, flow)
    drift = drift_of_run(store, run)
    return RunReport(run, tuple(stages), tuple(groups), skipped, tuple(store.became(run)), tuple(facts), tuple(drift))


def trace_text(report: RunReport) -> str:
    """The report as plain text of at most 100 columns, the trace on top."""
    run = report.run
    lines = [f"{run.state.upper()}: run {run.run_id} of flow {run.flow}"]
    if run.error_stage is not None and run.error_code is not None:
        message, next_step = run.error_message or "", run.error_next_step or ""
        lines += failure_lines(run.error_stage, run.error_code, message, next_step, run.error_answer, report.facts)
    elif run.state == RUNNING:
        lines += _under_way(report)
    elif report.lost:
        waiting = any(part.state in UNSETTLED for part in report.became)
        lines += partial_lines(run, report.groups, waiting=waiting)
    if report.drift:
        lines += ["", *row("source", f"has changed: {'; '.join(report.drift)}")]
        lines += row("", f"which rules that touches: airflow-flux drift {run.flow}")
    lines += ["", *_facts(run), "", *_buckets(report), "", *_durations(report)]
    if report.groups:
        lines += ["", "errors by frequency", *_error_lines(report)]
    return "\n".join(lines)


def _at_fault(run: Run, stages: Sequence[StageRow]) -> tuple[str | None, str | None]:
    """The stage that failed and its code, also while Airflow may still try it again."""
    if run.state == RUNNING and stages and stages[-1].state == "failed":
        return stages[-1].stage, stages[-1].error_code
    return run.error_stage, run.error_code


def _under_way(report: RunReport) -> list[str]:
    """How far a run is that has not settled."""
    if not report.stages:
        return row("now", "no stage has begun")
    last = report.stages[-1]
    if last.state == "failed" and last.error_code is not None:
        message, next_step = last.error_message or "", last.error_next_step or ""
        lines = failure_lines(last.stage, last.error_code, message, next_step, last.error_answer, report.facts)
        return [*lines, *row("now", f"attempt {last.attempts} failed at {_time(last.ended_at)}; the run has not ended")]
    if last.state == "sealed":
        return row("now", f"{last.stage} is done since {_time(last.ended_at)}; the stage after it has not begun")
    attempt = f", attempt {last.attempts}" if last.attempts > 1 else ""
    return row("now", f"{last.stage} since {_time(last.started_at)}{attempt}: {last.records} records so far")


def _facts(run: Run) -> list[str]:
    ended = f", ended {_time(run.ended_at)}" if run.ended_at else ""
    lines = row("started", f"{_time(run.started_at)}{ended} UTC") + row("trigger", run.trigger)
    if run.replay_what or run.replay_of or run.requested_by:
        # A run of the command line over single ids is no replay.
        lines += row("only" if run.trigger == "cli" else "replay", _replay(run))
    elif not run.window_fixed and run.state == RUNNING:
        lines += row("window", "not chosen yet: the read stage has not begun")
    else:
        lines += row("window", f"[{run.window_start or 'the beginning'}, {run.window_end or 'the end'})")
    mapping = run.mapping if run.mapping_version is None else f"{run.mapping.partition('@')[0]}@{run.mapping_version}"
    lines += row("mapping", mapping)
    moved = f"{run.cursor_before or 'none'} -> {run.cursor_after}" if run.cursor_after else "not moved"
    return lines + row("cursor", moved)


def _replay(run: Run) -> str:
    """Which records were sent again, in which form, and who asked for it."""
    what = run.replay_what or (f"the failed records of run {run.replay_of}" if run.replay_of else "stored records")
    forms = {"stored": "with their stored payload", "source": "read anew from the source"}
    payload = forms.get(run.replay_payload or "")
    asked = f"asked for by {run.requested_by}" if run.requested_by else None
    return ", ".join(part for part in (what, payload, asked) if part)


def _buckets(report: RunReport) -> list[str]:
    run = report.run
    if run.read is None:
        return row("records", "not counted yet: the run has not settled")
    numbers = {name: getattr(run, name) or 0 for name in BUCKETS}
    lines = row("records", f"{run.read} read = " + " + ".join(f"{number} {name}" for name, number in numbers.items()))
    if report.skipped:
        lines += row("skipped", ", ".join(f"{count} {reason}" for reason, count in report.skipped.items()))
    if report.lost:
        lines += row("now", _what_became(report))
    return lines


def _what_became(report: RunReport) -> str:
    """Where the records stand today that this run did not deliver."""
    parts: list[str] = []
    counted = 0
    for part in report.became:
        if part.state == SUPERSEDED:
            continue  # taken back by a clear, or tried again: what is not counted here stands in a later run
        counted += part.count
        parts.append(f"{part.count} {_stands(part)}")
    rest = report.lost - counted
    if rest > 0:
        parts.append(f"{rest} tried again by a later run, which tells of them")
    return ", ".join(parts)


def _stands(part: Became) -> str:
    if part.in_replay:
        return "in a replay now"
    if part.state == RESOLVED:
        return f"delivered by run {part.resolved_by}"
    due = f" at {_time(part.due_at)} UTC" if part.due_at else ""
    return {
        OPEN: "waiting for a person",
        RETRYING: f"waiting for the next automatic retry{due}",
        HELD: "held until a person decides",
        APPROVED: "approved, not sent yet",
        DISCARDED: "given up by a person",
    }[part.state]


def _durations(report: RunReport) -> list[str]:
    lines = []
    for stage in report.stages:
        epoch = f" (after clear {stage.epoch})" if stage.epoch else ""
        attempts = f", attempt {stage.attempts}" if stage.attempts > 1 else ""
        seconds = f"{duration(stage.started_at, stage.ended_at):.1f} s" if stage.ended_at else "not ended"
        lines += row(stage.stage, f"{stage.state}, {stage.records} records, {seconds}{attempts}{epoch}")
    return lines


def _error_lines(report: RunReport) -> list[str]:
    lines = []
    for group in report.groups[:_MOST_KINDS]:
        example, known = group.example, CATALOGUE[group.values["code"]]
        where = example.field or example.source_path or "the record"
        lines += _hung(f"  {group.count:>6} x {known.title} in {example.stage}: {where} ({known.code})")
        if example.source_path and example.field:
            lines += _hung(f"           rule: {rule_of(example)}")
        lines += _hung(f"           e.g. record {example.source_key or '(no key)'}: {example.message[:300]}")
        lines += _hung(f"           why: {known.cause}")
        lines += _hung(f"           next: {known.solution}")
    more = len(report.groups) - _MOST_KINDS
    if more > 0:
        lines.append(f"  and {more} more kinds: airflow-flux errors list --run {report.run.id} --by code --by field")
    return lines


def _hung(line: str) -> list[str]:
    """A line of the list of errors, which goes on below its text."""
    text = line.lstrip()
    first, *rest = folded(text, WIDTH - _INDENT)
    return [line[: len(line) - len(text)] + first, *(" " * _INDENT + part for part in rest)]


def _time(instant: str | None) -> str:
    """An instant of the store to the minute."""
    return f"{instant[:10]} {instant[11:16]}" if instant else "?"


def duration(started_at: str, ended_at: str | None) -> float:
    """Seconds between two instants of the store."""
    if ended_at is None:
        return 0.0
    return (datetime.fromisoformat(ended_at) - datetime.fromisoformat(started_at)).total_seconds()
