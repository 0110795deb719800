"""`errors show`: everything about one error."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.place import the_store
from airflow_provider_flux.cli.values import UsageError, counted
from airflow_provider_flux.errors import CATALOGUE
from airflow_provider_flux.store.filters import ErrorFilter

if TYPE_CHECKING:
    from airflow_provider_flux.store import Store
    from airflow_provider_flux.store.rows import Decision, ErrorGroup, ErrorRow


@dataclass(frozen=True)
class Occurrences:
    """How often the same happened, when first and last, and what became of it: how many are in each state."""

    count: int
    first_seen: str
    last_seen: str
    states: dict[str, int]


@dataclass(frozen=True)
class ErrorView:
    """An error with what surrounds it.

    :param attempts: every try of the record that failed, this one included, oldest first
    :param decisions: what people decided about the record, oldest first
    :param alike: the errors of the same cause, by state
    """

    row: ErrorRow
    attempts: Sequence[ErrorRow]
    decisions: Sequence[Decision]
    alike: Sequence[ErrorGroup]

    @property
    def occurrences(self) -> Occurrences:
        """Of the cause of this error, in all states."""
        return Occurrences(
            sum(group.count for group in self.alike),
            min(group.first_seen for group in self.alike),
            max(group.last_seen for group in self.alike),
            {str(group.values["state"]): group.count for group in self.alike},
        )


def error_view(store: Store, number: int) -> ErrorView | None:
    """Everything about an error, None where there is no such."""
    rows = store.errors(ErrorFilter(ids=[number]))
    if not rows:
        return None
    alike = store.error_groups(("state",), ErrorFilter(fingerprint=rows[0].fingerprint))
    return ErrorView(rows[0], store.attempts(rows[0]), store.decisions(number), alike)


def show_error(arguments: Namespace, out: Output) -> int:
    """Print everything about one error."""
    with the_store() as store:
        view = error_view(store, arguments.id)
    if view is None:
        raise UsageError(f"there is no error {arguments.id}; `airflow-flux errors list` lists them")
    if out.json:
        out.data(_as_data(view))
    else:
        _print(view, out)
    return 0


def _as_data(view: ErrorView) -> dict[str, object]:
    known = CATALOGUE[view.row.code]
    return {
        **asdict(view.row),
        "title": known.title,
        "meaning": known.meaning,
        "cause": known.cause,
        "solution": known.solution,
        "advice": known.advice,
        "occurrences": view.occurrences,
        "attempts": view.attempts,
        "decisions": view.decisions,
    }


def _print(view: ErrorView, out: Output) -> None:
    row, known = view.row, CATALOGUE[view.row.code]
    out.line(f"{known.title} ({row.code}) in {row.stage}: {row.message}")
    facts = {
        "state": _state(row),
        "flow": row.flow,
        "run": row.run_id,
        "record": row.source_key or "(no key)",
        "field": " -> ".join(part for part in (row.source_path, row.field) if part),
        "transform": row.transform,
        "value": row.value,
        "when": row.occurred_at,
        "mapping": _mapping(row),
        "connector": ", connection ".join(part for part in (row.connector, row.connection) if part),
        "seen": _seen(view),
        "meaning": known.meaning,
        "cause": known.cause,
        "next": known.solution,
        "answer": row.answer,
    }
    for name, value in facts.items():
        if value:
            out.line(f"  {name:<10} {value}")
        if name == "next":
            for also in known.advice:
                out.line(f"  {'or':<10} {also}")
    _print_history(view, out)
    _print_payloads(row, out)


def _state(row: ErrorRow) -> str:
    parts = [row.state]
    if row.resolved_by:
        parts.append(f"by run {row.resolved_by}" + (f" at {row.resolved_at}" if row.resolved_at else ""))
    if row.due_at and row.state == "retrying":
        parts.append(f"tried again by itself at {row.due_at}")
    if row.replay_active:
        parts.append(f"replay {row.replay} has it now")
    return ", ".join(parts)


def _mapping(row: ErrorRow) -> str | None:
    version = None if row.mapping_version is None else f"version {row.mapping_version}"
    return " ".join(part for part in (row.mapping, version) if part) or None


def _seen(view: ErrorView) -> str:
    seen = view.occurrences
    states = ", ".join(f"{count} {state}" for state, count in seen.states.items())
    return f"{counted(seen.count, 'time')} with this cause ({states}), first {seen.first_seen}, last {seen.last_seen}"


def _print_history(view: ErrorView, out: Output) -> None:
    if len(view.attempts) > 1:
        out.line("attempts:")
        for one in view.attempts:
            out.line(f"  {one.attempt}  {one.occurred_at} in run {one.run_id}: {one.code}: {one.message}")
            if one.answer and one.id != view.row.id:
                out.line(f"     answer: {one.answer}")
    if view.decisions:
        out.line("decisions:")
        for decision in view.decisions:
            why = f": {decision.reason}" if decision.reason else ""
            out.line(f"  {decision.decided_at} {decision.action} by {decision.decided_by}{why}")


def _print_payloads(row: ErrorRow, out: Output) -> None:
    if row.purged_at:
        out.line(f"The record was removed at {row.purged_at}, as `[flux] retention_payloads` says; its key stays.")
    texts = {"record as read": row.payload, "record as corrected": row.corrected, "record as sent": row.sent}
    for name, text in texts.items():
        if text:
            out.line(f"{name}:")
            out.line(_indented(text))


def _indented(text: str) -> str:
    shown = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return "\n".join(f"  {line}" for line in shown.splitlines())
