"""Which replay has which error: an error is in at most one replay at a time.

A replay's claim is a mark on the error (`replay`, `replay_active`), set in one statement that only takes what nobody
has. It ends when the replay settles. The name of the replay stays on the error, so that a cleared replay finds its
records again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from airflow_provider_flux.store.error_rows import APPROVED, OPEN, RESOLVED, RETRYING, SUPERSEDED
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.part import StorePart, take_turns
from airflow_provider_flux.store.rows import Claim, ErrorRow, Run
from airflow_provider_flux.store.tables import errors, runs
from airflow_provider_flux.store.text import clean, instant_text

CLAIMABLE = (OPEN, RETRYING, APPROVED)
"""What a person may retry. What is held needs an approval first."""

_PAGE = 100  # a payload can be 1 MB

_ROWS = select(errors, runs.c.run_id).join(runs, errors.c.run == runs.c.id)
_MAY_BE_TAKEN = errors.c.state.in_(CLAIMABLE)
_FREE = errors.c.replay_active == 0
_KEPT = errors.c.purged_at.is_(None)


class Claims(StorePart):
    """Takes errors for a replay and gives them back; every method raises FluxError STORE_UNAVAILABLE."""

    def claim_errors(
        self, run_id: str, filter: ErrorFilter, limit: int | None = None, *, payload: str = "stored"
    ) -> int:
        """Take the errors that match, that may be retried, and that no other replay has.

        :param run_id: of the replay; the filter must name its flow, or a run of it
        :param limit: most errors to take, the oldest first
        :param payload: stored or source; one whose payload was purged is left to a replay from the source
        :return: how many were taken
        """
        flow = filter.flow if filter.run is None else filter.run.flow
        with self._database.writing() as connection:
            take_turns(connection, flow or "")
            wanted = [*filter.conditions(), _MAY_BE_TAKEN, *_sendable(payload), ~_tried_now()]
            return _claim(connection, run_id, wanted, limit)

    def claim_due(self, flow: str, run_id: str, now: datetime) -> int:
        """Take the errors of a flow whose automatic retry is due.

        :param now: aware
        :return: how many were taken
        """
        due = and_(errors.c.flow == flow, errors.c.state == RETRYING, errors.c.due_at <= instant_text(now))
        with self._database.writing() as connection:
            take_turns(connection, flow)
            return _claim(connection, run_id, [due, _KEPT, ~_tried_now()], None)

    def claim_again(self, run: Run) -> int:
        """Take the records of a replay that is cleared, once more: those that it delivered, and those that failed.

        Of every record the newest attempt is taken, unless that is no longer this replay's: another replay has or had
        it, another run delivered it, or a person holds or discarded it.

        :return: how many were taken
        """
        with self._database.writing() as connection:
            take_turns(connection, run.flow)
            mine = [_newest_of(run), _still_of(run.run_id), *_sendable(run.replay_payload)]
            return _claim(connection, run.run_id, mine, None)

    def was_claimed(self, flow: str, run_id: str) -> bool:
        """Whether a replay has, or once had, any error."""
        statement = select(errors.c.id).where(errors.c.flow == flow, errors.c.replay == clean(run_id)).limit(1)
        with self._database.reading() as connection:
            return connection.execute(statement).first() is not None

    def claimed(self, flow: str, run_id: str) -> Iterator[ErrorRow]:
        """The errors that a replay has and still has to deliver, oldest first, in the memory of a page."""
        statement = _ROWS.where(_held_by(flow, run_id), _still_of(run_id)).order_by(errors.c.id).limit(_PAGE)
        last = 0
        while True:
            with self._database.reading() as connection:
                page = [ErrorRow(**row._mapping) for row in connection.execute(statement.where(errors.c.id > last))]
            if not page:
                return
            yield from page
            last = page[-1].id

    def release_claims(self, flow: str, run_id: str, postpone: timedelta | None = None) -> int:
        """Give back what a replay has, for example because it never started.

        :param postpone: how long automatic retries wait from now on; as it was unless given
        :return: how many errors were given back
        """
        with self._database.writing() as connection:
            take_turns(connection, flow)
            return release(connection, flow, run_id, postpone)

    def active_claims(self, flow: str | None = None) -> list[Claim]:
        """The replays that have errors now: one that Airflow no longer knows never gives them back by itself."""
        claimed = and_(errors.c.replay.is_not(None), errors.c.replay_active == 1)
        statement = select(errors.c.flow, errors.c.replay, func.count()).where(claimed)
        if flow is not None:
            statement = statement.where(errors.c.flow == flow)
        statement = statement.group_by(errors.c.flow, errors.c.replay).order_by(errors.c.flow, errors.c.replay)
        with self._database.reading() as connection:
            return [Claim(*row) for row in connection.execute(statement)]

    def count_claimable(self, filter: ErrorFilter, payload: str = "stored") -> dict[str, int]:
        """By flow: how many errors match that `claim_errors` would take."""
        wanted = [*filter.conditions(), _MAY_BE_TAKEN, _FREE, *_sendable(payload)]
        statement = select(errors.c.flow, func.count()).where(*wanted)
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(statement.group_by(errors.c.flow))}

    def count_claimed(self, filter: ErrorFilter) -> int:
        """How many of the errors that match are in a replay now."""
        statement = select(func.count()).select_from(errors).where(*filter.conditions(), ~_FREE)
        with self._database.reading() as connection:
            return int(connection.execute(statement).scalar_one())

    def numbers(self, filter: ErrorFilter) -> list[int]:
        """The numbers of the errors that match and that no replay has."""
        statement = select(errors.c.id).where(*filter.conditions(), _FREE).order_by(errors.c.id)
        with self._database.reading() as connection:
            return list(connection.execute(statement).scalars())

    def next_due(self, flow: str, within: timedelta = timedelta(0)) -> str | None:
        """When the next automatic retry of the flow is due, also when that is past; None where nothing waits.

        :param within: give the last one that is due at most so long after the first
        """
        waits = and_(errors.c.flow == flow, errors.c.state == RETRYING, _FREE)
        with self._database.reading() as connection:
            first = connection.execute(select(func.min(errors.c.due_at)).where(waits)).scalar()
            if first is None or not within:
                return first
            limit = instant_text(datetime.fromisoformat(first) + within)
            return connection.execute(select(func.max(errors.c.due_at)).where(waits, errors.c.due_at <= limit)).scalar()


def _sendable(payload: str | None) -> list[ColumnElement[bool]]:
    """What has its payload still, where that is to be sent."""
    return [] if payload == "source" else [_KEPT]


def _claim(connection: Connection, run_id: str, conditions: list[ColumnElement[bool]], limit: int | None) -> int:
    wanted = select(errors.c.id).where(*conditions, _FREE).order_by(errors.c.id).limit(limit)
    if connection.dialect.name == "postgresql":
        # Locked in the order of their numbers, against decisions of people. A common table expression, because a plain
        # subquery may be evaluated several times, and then locks other rows each time.
        wanted = select(wanted.with_for_update().cte("wanted").c.id)
    taken = update(errors).where(errors.c.id.in_(wanted), _FREE)
    return int(connection.execute(taken.values(replay=clean(run_id), replay_active=1)).rowcount)


def _tried_now() -> ColumnElement[bool]:
    """Whether a replay has an earlier attempt of the record: it has made this one, and has not settled yet."""
    first, other = errors.alias("first"), errors.alias("other")
    has_first = select(first.c.id).where(first.c.id == errors.c.origin, first.c.replay_active == 1).correlate(errors)
    has_other = select(other.c.id).where(
        other.c.origin == errors.c.origin, other.c.id != errors.c.id, other.c.replay_active == 1
    )
    return or_(has_first.exists(), has_other.correlate(errors).exists())


def release(connection: Connection, flow: str, run_id: str, postpone: timedelta | None = None) -> int:
    """`Claims.release_claims` inside the caller's transaction."""
    values: dict[str, Any] = {"replay_active": 0}
    if postpone is not None:
        later = instant_text(datetime.now().astimezone() + postpone)
        values["due_at"] = case((errors.c.state == RETRYING, later), else_=errors.c.due_at)
    return int(connection.execute(update(errors).where(_held_by(flow, run_id)).values(values)).rowcount)


def _held_by(flow: str, run_id: str) -> ColumnElement[bool]:
    return and_(errors.c.flow == flow, errors.c.replay == clean(run_id), errors.c.replay_active == 1)


def _still_of(run_id: str) -> ColumnElement[bool]:
    """What a replay may deliver: what waits, and what the replay itself settled before it was cleared."""
    settled_by_it = and_(errors.c.state.in_((RESOLVED, SUPERSEDED)), errors.c.resolved_by == clean(run_id))
    return or_(errors.c.state.in_(CLAIMABLE), settled_by_it)


def _newest_of(run: Run) -> ColumnElement[bool]:
    """The newest attempt of every record that the replay took, where that attempt is an error that it took or made."""
    took, newer = errors.alias("took"), errors.alias("newer")
    first = func.coalesce(errors.c.origin, errors.c.id)
    origins = select(func.coalesce(took.c.origin, took.c.id)).where(
        took.c.flow == run.flow, took.c.replay == run.run_id
    )
    its_own = or_(errors.c.replay == run.run_id, and_(errors.c.run == run.id, errors.c.origin.in_(origins)))
    overtaken = select(newer.c.id).where(newer.c.origin == first, newer.c.id > errors.c.id).correlate(errors).exists()
    return and_(errors.c.flow == run.flow, its_own, ~overtaken)

