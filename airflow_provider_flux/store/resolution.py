"""When a stored error is over. Every record that did not arrive stands in the inbox, and it stands there once.

A record is over when it was delivered (`resolved`), or when another error stands for it (`superseded`): a newer
attempt, a newer version, or the same failure in a newer epoch or run. `resolved_by` names the run in both cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, bindparam, false, func, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from airflow_provider_flux.store.claims import release
from airflow_provider_flux.store.error_rows import (
    HELD,
    HOLDING_CODES,
    OPEN,
    RECORDED_BY,
    RESOLVED,
    RETRYING,
    SUPERSEDED,
    UNSETTLED,
)
from airflow_provider_flux.store.filters import unindexed
from airflow_provider_flux.store.links import chunks
from airflow_provider_flux.store.part import StorePart, take_turns
from airflow_provider_flux.store.rows import Run
from airflow_provider_flux.store.tables import errors, links
from airflow_provider_flux.store.text import now_text, stored_key

_CHUNK = 500

Epochs = Mapping[str, int]
"""By recording stage (transform, write): the epoch that counts. A stage that is not named has not begun."""

_KEYS: Any = bindparam("keys", expanding=True)
_NOTHING: Mapping[int, str | None] = {}


class Resolution(StorePart):
    """Moves errors out of the inbox; raises FluxError STORE_UNAVAILABLE."""

    def close_errors(
        self,
        run: Run,
        epochs: Epochs,
        *,
        complete: bool,
        replayed: Mapping[int, str | None] = _NOTHING,
        postpone: timedelta | None = None,
    ) -> int:
        """Bring the inbox in line with what a run did, all or nothing; done again it changes nothing.

        :param complete: whether every record that the run read has its fate; else some are unsent
        :param replayed: by number: the errors that a complete replay took its records from, with their source keys
        :param postpone: how long automatic retries wait that the run was to do and did not
        :return: how many errors were resolved: their records arrived
        """
        with self._database.writing() as connection:
            take_turns(connection, run.flow)
            resolved = _resolve(connection, run, epochs)
            if complete:
                _supersede_older_epochs(connection, run, epochs)
            _supersede_tried_again(connection, run)
            resolved += _resolve_given_a_key(connection, run, replayed)
            _supersede_replayed(connection, run, list(replayed))
            _keep_one_of_each_key(connection, run, epochs)
            if run.replay_payload is None:
                _keep_newest_without_key(connection, run, epochs)
            release(connection, run.flow, run.run_id, postpone)
        return resolved


def _resolve(connection: Connection, run: Run, epochs: Epochs) -> int:
    """Settle the errors of other runs, and of older epochs of this one, whose record was delivered.

    An error with a source key is over when the link row of that key says that its version, or a later one, was
    delivered by this run or after the error. One without a key cannot be delivered; a replay takes it over.
    """
    statement = (
        update(errors)
        .where(
            errors.c.flow == run.flow,
            errors.c.state.in_(UNSETTLED),
            or_(errors.c.run != run.id, _of_older_epoch(run, epochs)),
            _delivered(run.run_id),
        )
        .values(state=RESOLVED, resolved_at=now_text(), resolved_by=run.run_id)
    )
    return int(connection.execute(statement).rowcount)


def _delivered(run_id: str) -> ColumnElement[bool]:
    later = links.c.version > errors.c.source_version
    same = or_(links.c.version == errors.c.source_version, links.c.version.is_(None), errors.c.source_version.is_(None))
    after = or_(links.c.run_id == run_id, links.c.delivered_at > errors.c.occurred_at)
    return (
        select(links.c.flow)
        .where(links.c.flow == errors.c.flow, links.c.source_key == errors.c.source_key, or_(later, and_(same, after)))
        .correlate(errors)
        # Holds PostgreSQL to one look-up in the primary key per error. Left to choose, and without statistics, it reads
        # all errors of the flow for each of its links.
        .offset(0)
        .exists()
    )


def _resolve_given_a_key(connection: Connection, run: Run, replayed: Mapping[int, str | None]) -> int:
    """Settle what had no key until a person gave it one, and arrived."""
    unsettled = unindexed(errors.c.state).in_(UNSETTLED)
    mine = (errors.c.source_key.is_(None), errors.c.replay == run.run_id, unsettled)
    resolved = 0
    for chunk in chunks([number for number, key in replayed.items() if key is not None], _CHUNK):
        without = connection.execute(select(errors.c.id).where(errors.c.id.in_(chunk), *mine)).scalars()
        keys = {stored_key(replayed[number] or ""): number for number in without}
        arrived = select(links.c.source_key).where(
            links.c.flow == run.flow, links.c.source_key.in_(list(keys)), links.c.run_id == run.run_id
        )
        numbers = [keys[key] for key in connection.execute(arrived).scalars()]
        values = {"state": RESOLVED, "resolved_at": now_text(), "resolved_by": run.run_id}
        resolved += int(connection.execute(update(errors).where(errors.c.id.in_(numbers)).values(values)).rowcount)
    return resolved


def _supersede_older_epochs(connection: Connection, run: Run, epochs: Epochs) -> None:
    """Close what a clear made void. What is held stays: a clear does not tell whether it was delivered."""
    void = (_of_older_epoch(run, epochs), errors.c.state.in_((OPEN, RETRYING)), _not_elsewhere(run))
    _supersede(connection, run, list(connection.execute(select(errors.c.id).where(*void)).scalars()))


def _supersede_tried_again(connection: Connection, run: Run) -> None:
    """Close the errors that a replay took and whose record failed again in it: its newer attempt stands for it."""
    newest = select(errors.c.origin, func.max(errors.c.id)).where(errors.c.run == run.id, errors.c.origin.is_not(None))
    attempts = {row[0]: row[1] for row in connection.execute(newest.group_by(errors.c.origin))}
    taken = select(errors.c.id, func.coalesce(errors.c.origin, errors.c.id)).where(*_taken_by(run))
    again = [number for number, origin in connection.execute(taken) if attempts.get(origin, 0) > number]
    _supersede(connection, run, again)


def _supersede_replayed(connection: Connection, run: Run, replayed: Sequence[int]) -> None:
    """Close the rest of what a complete replay took: filtered now, or left out for a newer version."""
    for chunk in chunks(replayed, _CHUNK):
        rest = select(errors.c.id).where(errors.c.id.in_(chunk), *_taken_by(run))
        _supersede(connection, run, list(connection.execute(rest).scalars()))


def _keep_one_of_each_key(connection: Connection, run: Run, epochs: Epochs) -> None:
    """Of the errors of a record that failed in this run, or that this run gives back, keep the one of the newest
    version; of several of that version the latest."""
    failed = select(errors.c.source_key).where(_is_current(run, epochs), errors.c.source_key.is_not(None))
    given_back = select(errors.c.source_key).where(*_taken_by(run), errors.c.source_key.is_not(None))
    keys = sorted({*connection.execute(failed).scalars(), *connection.execute(given_back).scalars()})
    waiting = (errors.c.flow == run.flow, errors.c.state.in_(UNSETTLED), errors.c.source_key.is_not(None))
    first = select(errors.c.id).where(*waiting).limit(len(keys) + 1)
    if len(connection.execute(first).all()) <= len(keys):
        return  # no record has two
    columns = ("id", "source_key", "source_version", "state", "code", "replay", "replay_active")
    # The range says nothing new, but is quick to judge: PostgreSQL without statistics looks at every row of the flow.
    these = (errors.c.source_key.in_(_KEYS), errors.c.source_key.between(bindparam("least"), bindparam("greatest")))
    statement = select(*(errors.c[name] for name in columns)).where(*waiting, *these)
    for chunk in chunks(keys, _CHUNK):
        by_key: dict[str, list[Any]] = {}
        for row in connection.execute(statement, {"keys": chunk, "least": chunk[0], "greatest": chunk[-1]}):
            by_key.setdefault(row.source_key, []).append(row)
        older = [row.id for rows in by_key.values() if len(rows) > 1 for row in _overtaken(rows, run)]
        _supersede(connection, run, older)


def _overtaken(rows: list[Any], run: Run) -> list[Any]:
    """Which of the errors of one record another of them stands for."""
    rows = sorted(rows, key=lambda row: (row.source_version or "", row.id))
    found = []
    for place, row in enumerate(rows[:-1]):
        if row.replay_active and row.replay != run.run_id:
            continue  # that replay says what becomes of it
        newer = rows[place + 1 :]
        if row.state == HELD and row.code in HOLDING_CODES:
            # Whether a record in doubt arrived is a question of its own: only the same question stands for it.
            newer = [one for one in newer if one.state == HELD and one.source_version == row.source_version]
        if newer:
            found.append(row)
    return found


def _keep_newest_without_key(connection: Connection, run: Run, epochs: Epochs) -> None:
    """Close the errors of records without a key that failed again in this run; only their content tells them."""
    failed = select(errors.c.source_hash).where(_is_current(run, epochs), errors.c.source_key.is_(None))
    contents = set(connection.execute(failed).scalars())
    if not contents:
        return
    others = select(errors.c.id, errors.c.source_hash).where(
        errors.c.flow == run.flow,
        errors.c.state.in_((OPEN, RETRYING)),
        errors.c.source_key.is_(None),
        or_(errors.c.run != run.id, _of_older_epoch(run, epochs)),
        _not_elsewhere(run),
    )
    older = [number for number, content in connection.execute(others) if content in contents]
    _supersede(connection, run, older)


def _supersede(connection: Connection, run: Run, numbers: Sequence[int]) -> None:
    for chunk in chunks(numbers, _CHUNK):
        statement = update(errors).where(errors.c.id.in_(chunk), errors.c.state.in_(UNSETTLED))
        connection.execute(statement.values(state=SUPERSEDED, resolved_by=run.run_id))


def _taken_by(run: Run) -> tuple[ColumnElement[bool], ...]:
    """What a replay took, and did not deliver."""
    return (errors.c.flow == run.flow, errors.c.replay == run.run_id, errors.c.state.in_(UNSETTLED))


def _is_current(run: Run, epochs: Epochs) -> ColumnElement[bool]:
    stages = [and_(errors.c.stage.in_(RECORDED_BY[stage]), errors.c.epoch == epoch) for stage, epoch in epochs.items()]
    return and_(errors.c.run == run.id, errors.c.state.in_(UNSETTLED), or_(false(), *stages))


def _of_older_epoch(run: Run, epochs: Epochs) -> ColumnElement[bool]:
    stages = [
        and_(errors.c.stage.in_(RECORDED_BY[stage]), errors.c.epoch < epoch) for stage, epoch in epochs.items()
    ]
    return and_(errors.c.run == run.id, or_(false(), *stages))


def _not_elsewhere(run: Run) -> ColumnElement[bool]:
    """Not in another replay now: that one says what becomes of the error."""
    return or_(errors.c.replay_active == 0, errors.c.replay == run.run_id)
