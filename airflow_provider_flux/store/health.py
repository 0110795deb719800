"""The health of connections: how the calls over them ended, and which a person switched off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import and_, case, or_, select, update
from sqlalchemy.sql import Executable

from airflow_provider_flux.store.part import StorePart, insert_into
from airflow_provider_flux.store.tables import calls, connections
from airflow_provider_flux.store.text import clean, clean_or_none, now_text

PENDING, ACTIVE, DEGRADED, DISABLED = "pending", "active", "degraded", "disabled"
"""What a connection can be."""

_SWITCH = ("disabled_at", "disabled_by", "disabled_reason")
_BAD = ("bad_at", "bad_kind", "bad_code", "bad_message")


@dataclass(frozen=True)
class ConnectionRow:
    """A row of `flux_connections`."""

    connection: str
    connector: str
    good_at: str | None = None
    bad_at: str | None = None
    bad_kind: str | None = None
    bad_code: str | None = None
    bad_message: str | None = None
    disabled_at: str | None = None
    disabled_by: str | None = None
    disabled_reason: str | None = None

    @property
    def in_trouble(self) -> bool:
        """Whether the last call that tells went wrong."""
        return self.bad_at is not None and (self.good_at is None or self.bad_at > self.good_at)

    @property
    def state(self) -> str:
        """Disabled, else what the last call says: active, degraded, or pending before the first."""
        if self.disabled_at is not None:
            return DISABLED
        if self.in_trouble:
            return DEGRADED
        return PENDING if self.good_at is None else ACTIVE


@dataclass(frozen=True)
class Calls:
    """Calls of one kind in one hour (`2026-01-01T00`, in UTC)."""

    hour: str
    kind: str
    count: int
    last_at: str
    last_message: str | None


@dataclass(frozen=True)
class CallRow:
    """A row of `flux_calls`."""

    connection: str
    hour: str
    kind: str
    count: int
    last_at: str
    last_message: str | None


@dataclass(frozen=True)
class NewCalls:
    """What a stage saw of a connection, on its way into the store.

    :param row: the last good and the last bad call; what is None leaves the stored one as it is
    """

    row: ConnectionRow
    counts: Sequence[Calls]


class Health(StorePart):
    """One row per connection, and its calls by hour and kind; every method raises FluxError STORE_UNAVAILABLE."""

    def note_calls(self, new: NewCalls) -> None:
        """Add calls to those noted before; of two last calls the later one stands, whoever notes it first."""
        row = {name: clean_or_none(getattr(new.row, name)) for name in ("connection", "connector", "good_at", *_BAD)}
        rows = [
            {**vars(count), "connection": row["connection"], "last_message": clean_or_none(count.last_message)}
            # Always in one order: two processes that note the same connection wait instead of deadlocking.
            for count in sorted(new.counts, key=lambda count: (count.hour, count.kind))
        ]
        with self._database.writing() as connection:
            dialect = connection.dialect.name
            connection.execute(_note_last(dialect), row)
            if rows:
                connection.execute(_add_counts(dialect), rows)

    def connection(self, name: str) -> ConnectionRow | None:
        """What is known of a connection, None before its first call."""
        statement = select(connections).where(connections.c.connection == clean(name))
        with self._database.reading() as connection:
            row = connection.execute(statement).first()
        return None if row is None else ConnectionRow(**row._mapping)

    def connections(self) -> list[ConnectionRow]:
        """Every connection that was called or switched off, by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(connections).order_by(connections.c.connection))
            return [ConnectionRow(**row._mapping) for row in rows]

    def calls(self, since_hour: str, name: str | None = None) -> list[CallRow]:
        """Calls by connection, hour and kind, the newest hour first.

        :param since_hour: the first hour that counts, as `2026-01-01T00`
        :param name: only of this connection
        """
        statement = select(calls).where(calls.c.hour >= since_hour)
        if name is not None:
            statement = statement.where(calls.c.connection == clean(name))
        ordered = statement.order_by(calls.c.hour.desc(), calls.c.connection, calls.c.kind)
        with self._database.reading() as connection:
            return [CallRow(**row._mapping) for row in connection.execute(ordered)]

    def disable_connection(self, name: str, connector: str, by: str, reason: str) -> None:
        """Switch a connection off: no run calls it until it is enabled."""
        switch = {"disabled_at": now_text(), "disabled_by": clean(by), "disabled_reason": clean(reason)}
        with self._database.writing() as connection:
            insert = insert_into(connections, connection.dialect.name)
            insert = insert.on_conflict_do_update(index_elements=[connections.c.connection], set_=switch)
            connection.execute(insert.values(connection=clean(name), connector=connector, **switch))

    def enable_connection(self, name: str) -> bool:
        """Switch a connection on again; whether it was off."""
        off = and_(connections.c.connection == clean(name), connections.c.disabled_at.is_not(None))
        with self._database.writing() as connection:
            return bool(connection.execute(update(connections).where(off).values(dict.fromkeys(_SWITCH))).rowcount)


@lru_cache
def _note_last(dialect: str) -> Executable:
    statement = insert_into(connections, dialect)
    new: Any = statement.excluded
    old = connections.c
    better = or_(old.good_at.is_(None), new.good_at > old.good_at)
    worse = or_(old.bad_at.is_(None), new.bad_at > old.bad_at)
    return statement.on_conflict_do_update(
        index_elements=[old.connection],
        set_={
            "connector": new.connector,
            "good_at": case((better, new.good_at), else_=old.good_at),
            **{name: case((worse, new[name]), else_=old[name]) for name in _BAD},
        },
    )


@lru_cache
def _add_counts(dialect: str) -> Executable:
    statement = insert_into(calls, dialect)
    new: Any = statement.excluded
    later = new.last_at > calls.c.last_at
    return statement.on_conflict_do_update(
        index_elements=[calls.c.connection, calls.c.hour, calls.c.kind],
        set_={
            "count": calls.c.count + new.count,
            "last_at": case((later, new.last_at), else_=calls.c.last_at),
            "last_message": case((later, new.last_message), else_=calls.c.last_message),
        },
    )
