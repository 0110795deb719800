"""What people decide about errors: who, when, why, and what stood there before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import func, insert, null, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Select

from airflow_provider_flux.store.error_rows import APPROVED, DISCARDED, HELD, OPEN, UNSETTLED
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.part import StorePart
from airflow_provider_flux.store.rows import Decision, ErrorRow
from airflow_provider_flux.store.tables import decisions, errors, runs
from airflow_provider_flux.store.text import clean, clean_or_none, now_text

CORRECTABLE = (OPEN, HELD, APPROVED)
"""What a person may correct: Flux does not try it again by itself."""

_LONGEST_NAME = 250
_FREE = errors.c.replay_active == 0


class Decisions(StorePart):
    """Corrections, approvals and discards, each with its record; every method raises FluxError STORE_UNAVAILABLE.

    An error that a replay has is left alone by all of them.
    """

    def correct(self, number: int, payload: str, by: str) -> bool:
        """Keep a corrected payload (JSON) beside the one that was read; a replay then delivers the corrected one.

        :return: False where the error cannot be corrected: it is over, retried automatically, or a replay has it
        """
        before = func.coalesce(errors.c.corrected, errors.c.payload)
        this = (errors.c.id == number, errors.c.state.in_(CORRECTABLE), _FREE)
        with self._database.writing() as connection:
            if not _decide(connection, select(errors.c.id, before).where(*this), "edit", by, None):
                return False
            return _changed(connection, update(errors).where(*this).values(corrected=clean(payload))) == 1

    def approve(self, ids: Collection[int], by: str) -> int:
        """Let held errors go: a replay may take them from now on.

        :return: how many of them were held
        """
        return self._move(ids, (HELD,), APPROVED, "approve", by, None)

    def discard(self, ids: Collection[int], reason: str, by: str) -> int:
        """Give records up for good: they leave the inbox, and scheduled runs do not try them as they are.

        :return: how many of them had not arrived
        """
        return self._move(ids, UNSETTLED, DISCARDED, "discard", by, reason)

    def decide(self, filter: ErrorFilter, action: str, by: str, reason: str | None = None) -> int:
        """Note a decision about every error that matches, which changes none of them.

        :return: how many
        """
        with self._database.writing() as connection:
            chosen = select(errors.c.id, null()).where(*filter.conditions())
            return _decide(connection, chosen, action, by, reason)

    def note_retry(self, flow: str, run_id: str, by: str) -> int:
        """Note that somebody asked for the replay, on every error that it took."""
        has = (errors.c.flow == flow, errors.c.replay == clean(run_id))
        with self._database.writing() as connection:
            return _decide(connection, select(errors.c.id, null()).where(*has), "retry", by, None)

    def decisions(self, number: int) -> list[Decision]:
        """What was decided about the record of an error, in all its attempts, oldest first."""
        with self._database.reading() as connection:
            statement = select(decisions).where(decisions.c.error.in_(_attempts_of(connection, number)))
            return [Decision(**row._mapping) for row in connection.execute(statement.order_by(decisions.c.id))]

    def attempts(self, error: ErrorRow) -> list[ErrorRow]:
        """Every attempt of the error's record that failed, itself included, oldest first."""
        statement = select(errors, runs.c.run_id).join(runs, errors.c.run == runs.c.id)
        with self._database.reading() as connection:
            statement = statement.where(errors.c.id.in_(_attempts_of(connection, error.id)))
            rows = connection.execute(statement.order_by(errors.c.attempt, errors.c.id))
            return [ErrorRow(**row._mapping) for row in rows]

    def _move(
        self, ids: Collection[int], states: Sequence[str], state: str, action: str, by: str, reason: str | None
    ) -> int:
        these = (*ErrorFilter(ids=ids, state=states).conditions(), _FREE)
        with self._database.writing() as connection:
            _decide(connection, select(errors.c.id, null()).where(*these), action, by, reason)
            return _changed(connection, update(errors).where(*these).values(state=state))


def _decide(connection: Connection, chosen: Select[Any], action: str, by: str, reason: str | None) -> int:
    """:param chosen: selects the numbers of errors, and the payload that is replaced"""
    who = clean(by)[:_LONGEST_NAME]
    same = {"action": action, "decided_by": who, "decided_at": now_text(), "reason": clean_or_none(reason)}
    # Locked, so that what is noted here is what the caller's next statement changes.
    found = connection.execute(chosen.order_by(errors.c.id).with_for_update())
    rows = [{"error": number, "before": before, **same} for number, before in found]
    if rows:
        connection.execute(insert(decisions), rows)
    return len(rows)


def _changed(connection: Connection, statement: Any) -> int:
    return int(connection.execute(statement).rowcount)


def _attempts_of(connection: Connection, number: int) -> Any:
    origin = select(func.coalesce(errors.c.origin, errors.c.id)).where(errors.c.id == number)
    first = connection.execute(origin).scalar()
    return select(errors.c.id).where(or_(errors.c.id == first, errors.c.origin == first))
