"""The connections of a run: refused while a person has switched them off, and their calls noted when a stage ends."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from airflow_provider_flux.connectors.contract import Destination, Source
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.health import DISABLED, PENDING, Calls, ConnectionRow, NewCalls
from airflow_provider_flux.store.text import instant_text
from airflow_provider_flux.transport.tally import CONNECTION, TROUBLE, Tally

log = logging.getLogger(__name__)

_HOUR = len("2026-01-01T00")


@contextmanager
def watched_source(ctx: RunContext) -> Iterator[Source]:
    """The flow's source, closed at the end of the block; its calls are then noted, however the block ended.

    :raises FluxError: CONNECTION_DISABLED before any call; CONNECTION_INVALID
    """
    options = ctx.flow.file.source
    with _opening(ctx, options):
        source = ctx.open_source()
    try:
        yield source
    finally:
        source.close()
        note_calls(ctx.store, options.connection, options.connector, source.calls())


@contextmanager
def watched_destination(ctx: RunContext) -> Iterator[Destination]:
    """The flow's destination, as `watched_source`."""
    options = ctx.flow.file.destination
    with _opening(ctx, options):
        destination = ctx.open_destination()
    try:
        yield destination
    finally:
        destination.close()
        note_calls(ctx.store, options.connection, options.connector, destination.calls())


def note_calls(store: Store, connection: str, connector: str, tally: Tally) -> None:
    """Add the calls of a tally to the health of a connection. A store that fails here fails nothing else."""
    named = f"connection '{connection}': "  # what a message begins with where nothing else says which one it is
    counts = [
        Calls(
            instant_text(hour)[:_HOUR],
            kind,
            count.number,
            instant_text(count.last),
            None if count.message is None else count.message.removeprefix(named),
        )
        for (hour, kind), count in tally.counts.items()
    ]
    if not counts:
        return
    good_at, trouble = tally.good_at, tally.trouble
    row = ConnectionRow(connection, connector, good_at=None if good_at is None else instant_text(good_at))
    if trouble is not None:
        bad = (instant_text(trouble.at), trouble.kind, trouble.code, trouble.message.removeprefix(named))
        row = ConnectionRow(connection, connector, row.good_at, *bad)
    try:
        store.note_calls(NewCalls(row, counts))
    except FluxError as error:
        log.warning("the health of connection '%s' could not be noted: %s", connection, error)


def health_line(store: Store, connection: str, now: datetime | None = None) -> str:
    """The health of a connection in one line: its state, recent trouble by kind, the last good call.

    :param now: this instant unless given
    """
    row = store.connection(connection)
    if row is None or row.state == PENDING:
        return f"{connection} is {PENDING}: no call was made over it yet"
    if row.state == DISABLED:
        return f"{connection} is {DISABLED} {switched_off(row)}"
    since = hour_before(now or datetime.now(UTC), hours=1)
    trouble: dict[str, int] = {}
    for calls in store.calls(since, connection):
        if calls.kind in TROUBLE:
            trouble[calls.kind] = trouble.get(calls.kind, 0) + calls.count
    counts = ", ".join(f"{kind} x {number}" for kind, number in trouble.items())
    recent = f": {counts} since {since[11:]}:00 UTC" if counts else ""
    last = f" (last: {row.bad_message})" if row.bad_message and counts else ""
    good = f"last good call {moment(row.good_at)}" if row.good_at else "no good call yet"
    return f"{connection} is {row.state}{recent}{last}, {good}"


def switched_off(row: ConnectionRow) -> str:
    """Who switched the connection off, when and why."""
    return f"since {moment(row.disabled_at or '')} by {row.disabled_by}: {row.disabled_reason}"


def hour_before(now: datetime, hours: int) -> str:
    """The hour that many hours before now, as the store names it."""
    return instant_text(now - timedelta(hours=hours))[:_HOUR]


def moment(instant: str) -> str:
    """An instant of the store to the minute, in UTC."""
    return f"{instant[:10]} {instant[11:16]}"


@contextmanager
def _opening(ctx: RunContext, options: SourceOptions | DestinationOptions) -> Iterator[None]:
    """:raises FluxError: CONNECTION_DISABLED; what opening raises, which is noted: without a call nobody else would"""
    row = ctx.store.connection(options.connection)
    if row is not None and row.state == DISABLED:
        raise FluxError(
            "CONNECTION_DISABLED",
            f"connection '{options.connection}' is switched off {switched_off(row)}",
            next_step=f"`airflow-flux connectors enable {options.connection}`; the next tick resumes.",
        )
    try:
        yield
    except FluxError as error:
        if error.code == "CONNECTION_INVALID":
            tally = Tally()
            tally.bad(CONNECTION, error.message, error.code)
            note_calls(ctx.store, options.connection, options.connector, tally)
        raise
