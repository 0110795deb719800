"""Tests a connection now: one harmless call, which counts for its health like any other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.stages.advice import advice
from airflow_provider_flux.stages.health import note_calls
from airflow_provider_flux.stages.sharing import shared
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.health import PENDING
from airflow_provider_flux.transport.tally import AUTH, CONNECTION, OK, Tally, kind_of_code


@dataclass(frozen=True)
class Verified:
    """What a verify found.

    :param passed: whether the call was not refused
    :param proved: whether the system accepted the call; an answer like 404 tells nothing about the credentials
    :param answer: what answered, or what went wrong
    :param kind: auth, rate limit, outage, connection; None where nothing is wrong
    :param state: of the connection now
    :param advice: what to do
    """

    connection: str
    passed: bool
    proved: bool
    answer: str
    kind: str | None
    state: str
    advice: tuple[str, ...]


def verify(
    store: Store,
    connection: str,
    connector: str,
    credentials: Callable[[], Credentials],
    options: SourceOptions | DestinationOptions | None,
    *,
    reconnected: bool = False,
) -> Verified:
    """Make one call over a connection and note how it ended, also over one that is disabled.

    :param connector: name of the built-in connector
    :param credentials: finds the connection's fields; what it raises is a finding, too
    :param options: of a flow that uses the connection, so that the call is made as the flow makes it
    :param reconnected: a person has just connected it anew
    :raises FluxError: STORE_UNAVAILABLE
    """
    before = store.connection(connection)
    tally = Tally()
    try:
        answer = registry.get(connector).test(shared(credentials(), store), options, tally)
    except FluxError as error:
        kind = kind_of_code(error.code)
        if not tally.counts and kind == CONNECTION:
            tally.bad(kind, error.message, error.code)
        note_calls(store, connection, connector, tally)
        again = reconnected or (before is not None and before.bad_kind == AUTH and before.in_trouble)
        lines = advice(connection, kind, again=again) or (error.next_step,)
        return Verified(connection, False, False, str(error), kind, _state(store, connection), lines)
    note_calls(store, connection, connector, tally)
    proved = any(kind == OK for _, kind in tally.counts)
    unproved = (
        f"That answer does not tell whether the credentials are accepted: name a path that needs them as `test_path` "
        f"in the extra field of the Airflow connection '{connection}'."
    )
    return Verified(connection, True, proved, answer, None, _state(store, connection), () if proved else (unproved,))


def _state(store: Store, connection: str) -> str:
    row = store.connection(connection)
    return PENDING if row is None else row.state
