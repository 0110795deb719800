"""Asks a system which fields one of its objects has; the calls count for its connection's health like any others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.declare import Description
from airflow_provider_flux.connectors.facts import describes_itself
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.stages.health import note_calls, switched_off
from airflow_provider_flux.stages.sharing import shared
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.health import DISABLED
from airflow_provider_flux.transport.tally import CONNECTION, Tally


def describe(
    store: Store,
    connection: str,
    connector: str,
    credentials: Callable[[], Credentials],
    options: SourceOptions | DestinationOptions | None = None,
    object_name: str | None = None,
) -> Description | None:
    """What the system says of an object now; nothing is kept from an earlier call. None where it cannot be asked.

    :param connector: name of the built-in connector
    :param credentials: finds the connection's fields
    :param options: of a flow that uses the object, or
    :param object_name: its name
    :raises FluxError: CONNECTION_DISABLED before any call; CONNECTION_INVALID; NOT_FOUND for an object that is not
        there; what the system answers
    """
    declared = registry.get(connector)
    if not describes_itself(declared):
        return None
    with _counted(store, connection, connector) as tally:
        return declared.describe(_quick(credentials(), store), options, object_name, tally)


def ask(
    store: Store,
    connection: str,
    connector: str,
    credentials: Callable[[], Credentials],
    options: SourceOptions | DestinationOptions,
) -> str:
    """One harmless call; what answered.

    :raises FluxError: as `describe`
    """
    with _counted(store, connection, connector) as tally:
        return registry.get(connector).test(_quick(credentials(), store), options, tally)


def _quick(credentials: Credentials, store: Store) -> Credentials:
    """Nothing is tried again, because a person waits; a token that is renewed is kept for all tasks."""
    return shared(replace(credentials, one_try=True), store)


@contextmanager
def _counted(store: Store, connection: str, connector: str) -> Iterator[Tally]:
    """Calls over a connection that is switched on."""
    row = store.connection(connection)
    if row is not None and row.state == DISABLED:
        raise FluxError(
            "CONNECTION_DISABLED",
            f"connection '{connection}' is switched off {switched_off(row)}",
            next_step=f"`airflow-flux connectors enable {connection}`, then ask again.",
        )
    tally = Tally()
    try:
        yield tally
    except FluxError as error:
        if error.code == "CONNECTION_INVALID" and not tally.counts:
            tally.bad(CONNECTION, error.message, error.code)
        raise
    finally:
        note_calls(store, connection, connector, tally)
