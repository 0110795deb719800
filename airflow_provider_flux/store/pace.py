"""The calls that tasks reserved of the limits of a connection: the log that all of them share."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, delete, insert, or_, select, update
from sqlalchemy.sql import Delete

from airflow_provider_flux.store.part import StorePart, shared_now, take_turns
from airflow_provider_flux.store.tables import pace
from airflow_provider_flux.store.text import clean
from airflow_provider_flux.transport.ledger import Entry, Grant, grant
from airflow_provider_flux.transport.pace import Limit


class Pacing(StorePart):
    """One row per block of calls and limit (`transport.shared.PaceBook`); every method raises FluxError
    STORE_UNAVAILABLE."""

    def take_calls(
        self, connection: str, block: str, limits: Sequence[Limit], wanted: int, life: float
    ) -> Grant:
        """Reserve up to so many calls, of all the limits at once, or none.

        :param block: a name for them that nobody else uses
        :param life: seconds after which no call of the block can be on its way any more, should its process die
        """
        name = clean(connection)
        with self._database.writing() as database:
            take_turns(database, f"pace {name}")
            now = shared_now(database).timestamp()
            database.execute(_forget(name, limits, life, now))
            rows = database.execute(
                select(pace.c.name, pace.c.calls, pace.c.open, pace.c.until).where(pace.c.connection == name)
            )
            entries = [Entry(row.name, row.calls, bool(row.open), row.until) for row in rows]
            found = grant(entries, limits, wanted, now)
            if found.calls:
                database.execute(
                    insert(pace),
                    [
                        {
                            "connection": name,
                            "block": block,
                            "name": limit.name,
                            "calls": found.calls,
                            "seconds": limit.seconds,
                            "open": 1,
                            "until": now + life + limit.seconds,
                        }
                        for limit in limits
                    ],
                )
        return found

    def give_back(self, connection: str, block: str, used: int) -> None:
        """All calls of the block were answered, or never made: the spans begin to run.

        :param used: how many of them were made
        """
        name = clean(connection)
        mine = and_(pace.c.connection == name, pace.c.block == block)
        with self._database.writing() as database:
            if not used:
                database.execute(delete(pace).where(mine))
                return
            ended = {"calls": used, "open": 0, "until": shared_now(database).timestamp() + pace.c.seconds}
            database.execute(update(pace).where(mine).values(ended))


def _forget(connection: str, limits: Sequence[Limit], life: float, now: float) -> Delete:
    """What counts no more; and what would count longer than any block may: the clock was set back since."""
    over = [pace.c.until <= now]
    for limit in limits:
        over.append(and_(pace.c.name == limit.name, pace.c.until > now + 2 * life + limit.seconds))
    return delete(pace).where(pace.c.connection == connection, or_(*over))
