"""`errors list`: the errors that match, or how many have what in common."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_provider_flux.cli.error_filter import asked_for, nothing_found
from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.place import the_store
from airflow_provider_flux.errors import CATALOGUE
from airflow_provider_flux.store.error_rows import OPEN, UNSETTLED

if TYPE_CHECKING:
    from airflow_provider_flux.store.rows import ErrorGroup, ErrorRow


def list_errors(arguments: Namespace, out: Output) -> int:
    """Print errors, or their numbers by something, as a table."""
    states = {None: UNSETTLED, "all": None}
    with the_store() as store:
        filter = asked_for(arguments, store, states.get(arguments.state, arguments.state))
        total = store.count_errors(filter)
        if not total:
            return _print_nothing(nothing_found(filter, store), out)
        if arguments.by:
            by = list(dict.fromkeys(arguments.by))
            # What could not be read has no target field yet: its place is the path in the source.
            places = ["path" if name == "field" else name for name in by]
            found = store.error_groups(places, filter, limit=arguments.limit + 1)
            groups = [replace(group, values=dict(zip(by, group.values.values(), strict=True))) for group in found]
            _print_groups(groups[: arguments.limit], by, out)
            if len(groups) > arguments.limit:
                out.note(f"The {arguments.limit} most frequent; see more with --limit")
            return 0
        rows = store.errors(filter, limit=arguments.limit, newest_first=True)
    if out.json:
        out.data(rows)
    else:
        _print_rows(rows, one_flow=bool(arguments.flow), out=out)
    if total > len(rows):
        out.note(f"The newest {len(rows)} of {total} errors; see more with --limit, or count them with --by code")
    return 0


def _print_nothing(why: str, out: Output) -> int:
    if out.json:
        out.data([])
        out.note(why)
    else:
        out.line(why)
    return 0


def _print_rows(rows: list[ErrorRow], *, one_flow: bool, out: Output) -> None:
    columns = ["#id", "when", *([] if one_flow else ["flow"]), "record", "error"]
    lines = [
        [row.id, _short(row.occurred_at), *([] if one_flow else [row.flow]), row.source_key or "(no key)", _error(row)]
        for row in rows
    ]
    out.table(columns, lines)


def _error(row: ErrorRow) -> str:
    place = row.field or row.source_path
    state = "" if row.state == OPEN else f" ({row.state})"
    return f"{row.code} {place + ': ' if place else ''}{row.message}{state}"


def _print_groups(groups: list[ErrorGroup], by: list[str], out: Output) -> None:
    if out.json:
        out.data(groups)
        return
    rows = [
        (
            group.count,
            *("(none)" if group.values[name] is None else group.values[name] for name in by),
            _short(group.first_seen),
            _short(group.last_seen),
            f"#{group.example.id} {group.example.message}",
        )
        for group in groups
    ]
    out.table(("#count", *by, "first seen", "last seen", "for example"), rows)
    if "code" in by and any(group.example.state in UNSETTLED for group in groups):
        out.line()
        for code in dict.fromkeys(group.values["code"] for group in groups):
            out.line(f"{code}  {CATALOGUE[code].cause} Next: {CATALOGUE[code].solution}")


def _short(instant: str) -> str:
    """An instant of the store without its year: what is shown is months old at most."""
    return f"{instant[5:10]} {instant[11:16]}"
