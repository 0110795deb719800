"""When a stored error is over. Every record that did not arrive stands in the inbox, and it stands there once.

A record is over when it was delivered (`resolved`), or when another error stands for it (`superseded`): a newer
attempt, a newer version, or the same failure in a newer epoch or run. `resolved_by` names the run in both cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, false, func, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from airflow_provider_flux.store.claims import release
from airflow_provider_flux.store.error_rows import (
    APPROVED,
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
    void = (_of_older_epoch(run, epochs), errors.c.state.in_((OPEN, RETRYING)))
    _supersede(connection, run, *void, _not_elsewhere(run))


def _supersede_tried_again(connection: Connection, run: Run) -> None:
    """Close the errors that a replay took and whose record failed again in it: its newer attempt stands for it."""
    again = errors.alias("again")
    first = func.coalesce(errors.c.origin, errors.c.id)
    newer = (
        select(again.c.id)
        .where(again.c.run == run.id, again.c.origin == first, again.c.id > errors.c.id)
        .correlate(errors)
        .exists()
    )
    taken = (errors.c.flow == run.flow, errors.c.replay == run.run_id, errors.c.state.in_(UNSETTLED))
    _supersede(connection, run, *taken, newer)


def _supersede_replayed(connection: Connection, run: Run, replayed: Sequence[int]) -> None:
    """Close the rest of what a complete replay took: filtered now, or left out for a newer version."""
    for chunk in chunks(replayed, _CHUNK):
        unsettled = unindexed(errors.c.state).in_(UNSETTLED)
        taken = (errors.c.id.in_(chunk), errors.c.replay == run.run_id, unsettled)
        _supersede(connection, run, *taken)


def _keep_one_of_each_key(connection: Connection, run: Run, epochs: Epochs) -> None:
    """Of the errors of a record that failed in this run, or that this run gives back, keep the one of the newest
    version; of several of that version the latest."""
    better = errors.alias("better")
    same_version = _version(better) == _version(errors)
    stands_better = (
        better.c.flow == errors.c.flow,
        better.c.source_key == errors.c.source_key,
        better.c.state.in_(UNSETTLED),
        or_(_version(better) > _version(errors), and_(same_version, better.c.id > errors.c.id)),
    )
    overtaken = select(better.c.id).where(*stands_better).correlate(errors).exists()
    asked_again = select(better.c.id).where(*stands_better, better.c.state == HELD, same_version).correlate(errors)
    in_doubt = and_(errors.c.state == HELD, errors.c.code.in_(HOLDING_CODES))
    _supersede(
        connection,
        run,
        errors.c.flow == run.flow,
        errors.c.state.in_((OPEN, RETRYING, HELD, APPROVED)),
        errors.c.source_key.in_(_keys_of(run, epochs)),
        _not_elsewhere(run),
        # Whether a record in doubt arrived is a question of its own: only the same question stands for it.
        or_(and_(~in_doubt, overtaken), and_(in_doubt, asked_again.exists())),
    )


def _keep_newest_without_key(connection: Connection, run: Run, epochs: Epochs) -> None:
    """Close the errors of records without a key that failed again in this run; only their content tells them."""
    mine = errors.alias("mine")
    contents = select(mine.c.source_hash).where(_is_current(mine, run, epochs), mine.c.source_key.is_(None))
    older = or_(errors.c.run != run.id, _of_older_epoch(run, epochs))
    _supersede(
        connection,
        run,
        errors.c.flow == run.flow,
        errors.c.state.in_((OPEN, RETRYING)),
        errors.c.source_key.is_(None),
        errors.c.source_hash.in_(contents),
        older,
        _not_elsewhere(run),
    )


def _supersede(connection: Connection, run: Run, *conditions: ColumnElement[bool]) -> None:
    connection.execute(update(errors).where(*conditions).values(state=SUPERSEDED, resolved_by=run.run_id))


def _keys_of(run: Run, epochs: Epochs) -> Any:
    mine = errors.alias("mine")
    taken = and_(mine.c.flow == run.flow, mine.c.replay == run.run_id, mine.c.state.in_(UNSETTLED))
    failed = select(mine.c.source_key).where(_is_current(mine, run, epochs), mine.c.source_key.is_not(None))
    return failed.union(select(mine.c.source_key).where(taken, mine.c.source_key.is_not(None)))


def _is_current(table: Any, run: Run, epochs: Epochs) -> ColumnElement[bool]:
    stages = [
        and_(table.c.stage.in_(RECORDED_BY[stage]), table.c.epoch == epoch)
        for stage, epoch in epochs.items()  # one `in` per stage: what read found is recorded by transform
    ]
    return and_(table.c.run == run.id, table.c.state.in_(UNSETTLED), or_(false(), *stages))


def _of_older_epoch(run: Run, epochs: Epochs) -> ColumnElement[bool]:
    stages = [
        and_(errors.c.stage.in_(RECORDED_BY[stage]), errors.c.epoch < epoch) for stage, epoch in epochs.items()
    ]
    return and_(errors.c.run == run.id, or_(false(), *stages))


def _not_elsewhere(run: Run) -> ColumnElement[bool]:
    """Not in another replay now: that one says what becomes of the error."""
    return or_(errors.c.replay_active == 0, errors.c.replay == run.run_id)


def _version(table: Any) -> Any:
    return func.coalesce(table.c.source_version, "")
