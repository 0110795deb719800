"""Which errors a command is to change, and who gave it."""

from __future__ import annotations

import getpass
from argparse import Namespace
from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_provider_flux.cli.error_filter import asked_for
from airflow_provider_flux.cli.place import expect_flow
from airflow_provider_flux.cli.values import UsageError

if TYPE_CHECKING:
    from airflow_provider_flux.store import Store
    from airflow_provider_flux.store.filters import ErrorFilter


def selected(arguments: Namespace, store: Store) -> ErrorFilter:
    """The errors that the numbers and filters of a command name.

    :raises UsageError: when they name none at all, or something that does not exist
    """
    from airflow_provider_flux.store.filters import ErrorFilter

    filter = replace(asked_for(arguments, store), ids=tuple(arguments.ids) or None)
    if arguments.all and filter != ErrorFilter():
        raise UsageError("--all means every error; leave it out beside numbers and filters")
    if not arguments.all and filter == ErrorFilter():
        raise UsageError("say which errors: their numbers, filters such as --run, --flow or --code, or --all")
    if filter.flow is not None and not store.count_errors(ErrorFilter(flow=filter.flow)):
        expect_flow(filter.flow)
    return filter


def person(named: str | None) -> str:
    """Who decides: the name given with `--by`, or the user of the operating system."""
    if named:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user often has no name
        return "unknown"
