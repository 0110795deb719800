"""`errors edit`, `errors approve` and `errors discard`."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_flux import settings
from airflow_provider_flux.cli.output import Output
from airflow_provider_flux.cli.place import the_store
from airflow_provider_flux.cli.retry import Starter, refusals, tell_queued
from airflow_provider_flux.cli.selection import person, selected
from airflow_provider_flux.cli.values import UsageError, counted

if TYPE_CHECKING:
    from airflow_provider_flux.inbox.review import Edited


def edit(arguments: Namespace, out: Output) -> int:
    """Correct the payload of one error; the next replay delivers the corrected one."""
    from airflow_provider_flux.inbox import review

    if (arguments.set is None) == (arguments.payload is None):
        raise UsageError("give either --set PATH=VALUE (once or more) or --payload FILE")
    with the_store() as store, refusals():
        if arguments.payload is not None:
            payload = _read(arguments.payload)
        else:
            payload = review.payload_of(store, arguments.id)
            _set_all(payload, arguments.set)
        edited = review.edit(store, settings.load().include, arguments.id, payload, person(arguments.by))
    if out.json:
        out.data(edited)
    else:
        _tell_edited(edited, out)
    return 0


def approve(arguments: Namespace, out: Output) -> int:
    """Let held records go, in a replay per flow; 1 when a local one lost a record."""
    from airflow_provider_flux.inbox import review

    starter = Starter(out, local=arguments.local)
    with the_store() as store, refusals():
        filter = selected(arguments, store)
        by = person(arguments.by)
        queued = review.approve(store, settings.load().include, filter, by=by, start=starter.start)
    if not arguments.local:
        tell_queued(queued, out)
    return starter.code


def discard(arguments: Namespace, out: Output) -> int:
    """Give records up, with a reason."""
    from airflow_provider_flux.inbox import review

    with the_store() as store, refusals():
        number = review.discard(store, arguments.ids, arguments.reason, person(arguments.by))
    if out.json:
        out.data({"discarded": number})
    else:
        out.line(f"{counted(number, 'error')} discarded. A new version in the source is tried again by itself.")
    return 0


def _read(file: str) -> dict[str, Any]:
    """The payload in a file, or on standard input for `-`."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from None
    try:
        payload = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"{file} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
    if not isinstance(payload, dict):
        raise UsageError(f"{file} must hold one record, a JSON object")
    return payload


def _set_all(payload: dict[str, Any], assignments: list[str]) -> None:
    from airflow_provider_flux.inbox.edits import put

    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        if not equals:
            raise UsageError(f"'{assignment}' is not PATH=VALUE, for example properties.email=kim@example.org")
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            value = text  # nobody wants to quote a mail address twice
        try:
            put(payload, path.strip(), value)
        except ValueError as error:
            raise UsageError(f"--set {assignment}: {error}") from None


def _tell_edited(edited: Edited, out: Output) -> None:
    row = edited.error
    out.line(f"Error {row.id} of flow {row.flow} is corrected; {edited.mapping} makes no error of it:")
    out.line(json.dumps(edited.mapped, indent=2, ensure_ascii=False))
    if edited.refused_by_destination:
        out.line("The destination refused this record: only the next attempt can tell whether it takes it now.")
    word = "approve" if row.state == "held" else "retry"
    out.line(f"Deliver it with: airflow-flux errors {word} {row.id}")
