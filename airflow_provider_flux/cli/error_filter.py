"""The errors that a command is about, from its options; and what to say when there are none."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_provider_flux.cli.place import expect_flow, find_run
from airflow_provider_flux.cli.values import UsageError, counted, did_you_mean
from airflow_provider_flux.errors import CATALOGUE

if TYPE_CHECKING:
    from airflow_provider_flux.store import Store
    from airflow_provider_flux.store.filters import ErrorFilter

_OF_CAUSES = ("flow", "connector", "mapping", "code", "category", "field")


def asked_for(arguments: Namespace, store: Store, state: str | tuple[str, ...] | None = None) -> ErrorFilter:
    """The filter of the options in `commands.ERROR_FILTERS`.

    :param state: the states that the command is about; None for all
    :raises UsageError: for an unknown run or code
    """
    from airflow_provider_flux.store.filters import ErrorFilter
    from airflow_provider_flux.store.text import instant_text

    if arguments.code is not None and arguments.code not in CATALOGUE:
        raise UsageError(f"there is no error code '{arguments.code}'{did_you_mean(arguments.code, CATALOGUE)}")
    run = find_run(store, arguments.run, arguments.flow) if arguments.run else None
    return ErrorFilter(
        run=run,
        state=state,
        **{name: getattr(arguments, name) for name in (*_OF_CAUSES, "key")},
        since=None if arguments.since is None else instant_text(arguments.since),
        until=None if arguments.until is None else instant_text(arguments.until),
    )


def nothing_found(filter: ErrorFilter, store: Store) -> str:
    """Why no error matches, in a sentence.

    :raises UsageError: when the filter names a flow that there is not
    """
    if not store.count_errors(replace(filter, state=None)):
        return f"No errors.{_misspelt(filter, store)}"
    groups = store.error_groups(("state",), replace(filter, state=None))
    others = ", ".join(f"{group.count} {group.values['state']}" for group in groups)
    asked = filter.state if isinstance(filter.state, str) else "unsettled"
    number = sum(group.count for group in groups)
    return f"No {asked} errors; {counted(number, 'error')} in other states: {others}. See them with --state all."


def _misspelt(filter: ErrorFilter, store: Store) -> str:
    for name in _OF_CAUSES:
        value = getattr(filter, name)
        if value is None or value in (known := store.error_values(name)):
            continue
        if name == "flow":
            expect_flow(value)
        return f" None has ever had the {name} '{value}'{did_you_mean(value, known) or '.'}"
    return ""
