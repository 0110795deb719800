"""When a stored error is over: delivered by a later run, or not seen again after a clear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, bindparam, or_, select, update
from sqlalchemy.sql import ColumnElement

from airflow_provider_flux.store.error_rows import HELD, OPEN, RECORDED_BY, RESOLVED, SUPERSEDED, UNSETTLED
from airflow_provider_flux.store.links import chunks
from airflow_provider_flux.store.part import StorePart
from airflow_provider_flux.store.rows import Run
from airflow_provider_flux.store.tables import errors, links, runs
from airflow_provider_flux.store.text import now_text, stored_key

_CHUNK = 500

_KNOWN = select(errors.c.source_key, errors.c.source_version).where(
    errors.c.flow == bindparam("flow"),
    errors.c.source_key.in_(bindparam("keys", expanding=True)),
    errors.c.state.in_(UNSETTLED),
    # What is held waits for a person: no mapping version makes it safe to send again.
    or_(errors.c.state == HELD, errors.c.mapping_version == bindparam("mapping_version")),
)


class Resolution(StorePart):
    """Moves errors out of the inbox; every method raises FluxError STORE_UNAVAILABLE."""

    def resolve_errors(self, flow: str, run_id: str) -> int:
        """Settle the errors of other runs of the flow whose record was delivered.

        An error with a source key is over when the link row of that key says that its version, or a later one, was
        delivered by this run or after the error. One without a key cannot be delivered; a replay takes it over.

        :return: how many errors were resolved
        """
        own = select(runs.c.id).where(runs.c.flow == flow, runs.c.run_id == run_id)
        statement = (
            update(errors)
            .where(errors.c.flow == flow, errors.c.state.in_(UNSETTLED), errors.c.run.notin_(own), _delivered(run_id))
            .values(state=RESOLVED, resolved_at=now_text(), resolved_by=run_id)
        )
        with self._database.writing() as connection:
            return int(connection.execute(statement).rowcount)

    def supersede_errors(self, run: Run, stage: str, below_epoch: int) -> int:
        """Close the errors that a stage recorded in epochs before `below_epoch`, which a clear made void.

        What is held stays, unless a newer epoch holds it too: a clear does not tell whether it was delivered.

        :return: how many errors were superseded
        """
        again = errors.alias("again")
        held_again = (
            select(again.c.id)
            .where(
                again.c.run == run.id,
                again.c.epoch >= below_epoch,
                again.c.source_key == errors.c.source_key,
                again.c.state == HELD,
            )
            .correlate(errors)
            .exists()
        )
        statement = update(errors).where(
            errors.c.run == run.id,
            errors.c.epoch < below_epoch,
            errors.c.stage.in_(RECORDED_BY[str(stage)]),
            or_(errors.c.state == OPEN, and_(errors.c.state == HELD, held_again)),
        )
        with self._database.writing() as connection:
            return int(connection.execute(statement.values(state=SUPERSEDED)).rowcount)

    def supersede_repeated(self, run: Run) -> None:
        """Close the open errors of other runs whose record failed again in this one: it stands in the inbox once."""
        again = errors.alias()
        repeated = (
            select(again.c.id)
            .where(
                again.c.run == run.id,
                again.c.source_key == errors.c.source_key,
                again.c.state.in_(UNSETTLED),
            )
            .correlate(errors)
            .exists()
        )
        older = update(errors).where(
            errors.c.flow == run.flow, errors.c.run != run.id, errors.c.state == OPEN, repeated
        )
        with self._database.writing() as connection:
            connection.execute(older.values(state=SUPERSEDED))

    def supersede_replayed(self, ids: Sequence[int]) -> None:
        """Close the errors that a replay took over: what is still wrong with their records stands in the replay."""
        with self._database.writing() as connection:
            for chunk in chunks(ids, _CHUNK):
                replayed = update(errors).where(errors.c.id.in_(chunk), errors.c.state.in_(UNSETTLED))
                connection.execute(replayed.values(state=SUPERSEDED))

    def has_open_errors(self, flow: str) -> bool:
        """Whether any error of the flow is open or held."""
        statement = select(errors.c.id).where(errors.c.flow == flow, errors.c.state.in_(UNSETTLED)).limit(1)
        with self._database.reading() as connection:
            return connection.execute(statement).first() is not None

    def known_errors(self, flow: str, keys: Sequence[str], mapping_version: int | None) -> set[tuple[str, str | None]]:
        """(source key, source version) of those of the keys that fail as they are.

        Held ones, and open ones that failed with this version of the mapping; without a version held ones only.
        """
        asked = {stored_key(key): key for key in keys}
        known: set[tuple[str, str | None]] = set()
        values: dict[str, Any] = {"flow": flow, "mapping_version": mapping_version}
        with self._database.reading() as connection:
            for chunk in chunks(list(asked), _CHUNK):
                for key, version in connection.execute(_KNOWN, {**values, "keys": chunk}):
                    known.add((asked[key], version))
        return known


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
