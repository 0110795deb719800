"""`errors list` and `errors show`."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import TYPE_CHECKING

from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.place import expect_flow, find_run, the_store
from airflow_provider_flux.cli.runs import moment
from airflow_provider_flux.cli.values import UsageError, did_you_mean
from airflow_provider_flux.errors import CATALOGUE
from airflow_provider_flux.store.filters import ErrorFilter

if TYPE_CHECKING:
    from airflow_provider_flux.store import Store
    from airflow_provider_flux.store.rows import ErrorGroup, ErrorRow

_UNSETTLED = ("open", "held")


def list_errors(arguments: Namespace, out: Output) -> int:
    """Print errors, or their numbers by something, as a table."""
    if arguments.code is not None and arguments.code not in CATALOGUE:
        raise UsageError(f"there is no error code '{arguments.code}'{did_you_mean(arguments.code, CATALOGUE)}")
    with the_store() as store:
        filter = _filter(arguments, store)
        total = store.count_errors(filter)
        if arguments.flow and not total:
            expect_flow(arguments.flow)
        if arguments.by:
            return _print_groups(store.error_groups(arguments.by, filter, limit=arguments.limit), arguments.by, out)
        rows = store.errors(filter, limit=arguments.limit)
    if out.json:
        out.data(rows)
        return 0
    if not rows:
        out.line("No errors.")
        return 0
    out.table(
        ("#id", "flow", "record", "code", "field", "message"),
        [(row.id, row.flow, row.source_key, row.code, row.field or row.source_path, row.message) for row in rows],
    )
    if total > len(rows):
        out.note(f"{len(rows)} of {total} errors; see more with --limit, or count them with --by code")
    return 0


def show_error(arguments: Namespace, out: Output) -> int:
    """Print everything about one error."""
    with the_store() as store:
        rows = store.errors(ErrorFilter(ids=[arguments.id]))
    if not rows:
        raise UsageError(f"there is no error {arguments.id}; `airflow-flux errors list` lists them")
    if out.json:
        out.data(rows[0])
    else:
        _print_error(rows[0], out)
    return 0


def _filter(arguments: Namespace, store: Store) -> ErrorFilter:
    run = find_run(store, arguments.run, arguments.flow) if arguments.run else None
    states = {None: _UNSETTLED, "all": None}
    state = states.get(arguments.state, arguments.state)
    return ErrorFilter(run=run, flow=arguments.flow, code=arguments.code, field=arguments.field, state=state)


def _print_groups(groups: list[ErrorGroup], by: list[str], out: Output) -> int:
    if out.json:
        out.data(groups)
        return 0
    if not groups:
        out.line("No errors.")
        return 0
    rows = [
        (group.count, *(group.values[name] for name in by), moment(group.last_seen), group.example.message)
        for group in groups
    ]
    out.table(("#count", *by, "last seen", "for example"), rows)
    if "code" in by and any(group.example.state in _UNSETTLED for group in groups):
        out.line()
        for code in dict.fromkeys(group.values["code"] for group in groups):
            out.line(f"{code}  {CATALOGUE[code].cause} Next: {CATALOGUE[code].solution}")
    return 0


def _print_error(row: ErrorRow, out: Output) -> None:
    known = CATALOGUE[row.code]
    out.line(f"{known.title} ({row.code}) in {row.stage}: {row.message}")
    resolved = f" by run {row.resolved_by}" if row.resolved_by else ""
    facts = {
        "state": row.state + resolved,
        "flow": row.flow,
        "run": row.run_id,
        "record": row.source_key or "(no key)",
        "field": " -> ".join(part for part in (row.source_path, row.field) if part),
        "transform": row.transform,
        "value": row.value,
        "when": row.occurred_at,
        "mapping": None if row.mapping_version is None else f"version {row.mapping_version}",
        "meaning": known.meaning,
        "cause": known.cause,
        "next": known.solution,
        "answer": row.answer,
    }
    for name, value in facts.items():
        if value:
            out.line(f"  {name:<10} {value}")
    for name, text in (("record as read", row.payload), ("record as sent", row.sent)):
        if text:
            out.line(f"{name}:")
            out.line(_indented(text))


def _indented(text: str) -> str:
    shown = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return "\n".join(f"  {line}" for line in shown.splitlines())
