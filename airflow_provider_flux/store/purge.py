"""What housekeeping removes, in transactions of at most a thousand rows, so that no run has to wait for it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Table, and_, bindparam, case, delete, func, literal_column, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from airflow_provider_flux.errors import CATALOGUE, Category
from airflow_provider_flux.store.error_rows import OPEN, RETRYING, UNSETTLED
from airflow_provider_flux.store.links import chunks
from airflow_provider_flux.store.part import StorePart
from airflow_provider_flux.store.runs import RUNNING
from airflow_provider_flux.store.tables import batches, calls, decisions, errors, outcomes, runs, stages
from airflow_provider_flux.store.text import clean, now_text

_ROWS = 1000
_PAYLOADS = 200  # a payload can be 1 MB
_PURGED = " (payload purged)"
# A trace with one of these speaks of a record, and quotes it.
_ABOUT_RECORDS = sorted(row.code for row in CATALOGUE.values() if row.category in (Category.DATA, Category.MAPPING))
_KEYS = 500  # SQLite takes at most 999 parameters in builds before 3.32
_CHILDREN: tuple[Table, ...] = (errors, outcomes, batches, stages)
_EMPTY = (
    update(errors)
    .where(errors.c.id == bindparam("of_id"))
    .values(
        payload=bindparam("new_payload"),
        message=bindparam("new_message"),
        state=case((errors.c.state == RETRYING, OPEN), else_=errors.c.state),
        due_at=None,
        sent=None,
        corrected=None,
        answer=None,
        value=None,
    )
)


class Purge(StorePart):
    """Finds and removes what is older than its retention; every method raises FluxError STORE_UNAVAILABLE."""

    def ended_runs(self, flow: str, run_ids: Sequence[str], before: str) -> dict[str, bool]:
        """By run id of those that the store knows: whether the run was over before then, and nothing of it is in doubt.

        A run whose tasks were cleared since then is not over, whatever its row says until it settles again.

        :param before: an instant of the store
        """
        found: dict[str, bool] = {}
        ended = _ended(before).label("ended")
        with self._database.reading() as connection:
            for chunk in chunks(run_ids, _KEYS):
                asked = {clean(run_id): run_id for run_id in chunk}
                known = select(runs.c.run_id).where(runs.c.flow == clean(flow), runs.c.run_id.in_(list(asked)))
                over = set(connection.execute(known.where(ended)).scalars())
                found |= {asked[name]: name in over for name in connection.execute(known).scalars()}
        return found

    def count_payloads(self, before: str) -> int:
        """How many errors `purge_payloads` would empty."""
        with self._database.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(errors).where(_stale(before))).scalar_one())

    def purge_payloads(self, before: str) -> int:
        """Empty some errors from before then of the data of customers; how many were, 0 when none is left.

        What failed, where, why and when stays, and so does the source key: by it the record can be read from its source
        again. An automatic retry has nothing left to send, so the error waits for a person.
        """
        columns = (errors.c.id, errors.c.code, errors.c.source_key, errors.c.payload)
        oldest = select(*columns).where(_stale(before)).order_by(errors.c.occurred_at).limit(_PAYLOADS)
        oldest = oldest.with_for_update(skip_locked=True)  # PostgreSQL: what a replay takes just now is left to it
        now = now_text()
        with self._database.writing() as connection:
            emptied = [
                {"of_id": row[0], "new_message": _message(row[1]), "new_payload": only_key(row[3], row[2])}
                for row in connection.execute(oldest)
            ]
            if emptied:
                connection.execute(_EMPTY.values(purged_at=now), emptied)
                ids = [row["of_id"] for row in emptied]
                connection.execute(update(decisions).where(decisions.c.error.in_(ids)).values(before=None))
        return len(emptied)

    def purge_traces(self, before: str) -> int:
        """Forget what systems answered, and what is quoted of single records, in traces of runs and stages.

        :param before: those that ended before then; at most a thousand of each
        :return: how many there were
        """
        forgotten = 0
        for table in (runs, stages):
            quotes = and_(table.c.error_code.in_(_ABOUT_RECORDS), ~table.c.error_message.endswith(_PURGED))
            old = and_(table.c.ended_at < before, or_(table.c.error_answer.is_not(None), quotes))
            with self._database.writing() as connection:
                found = list(connection.execute(select(table.c.id, table.c.error_code).where(old).limit(_ROWS)))
                for number, code in found:
                    values = {"error_message": _message(code)} if code in _ABOUT_RECORDS else {}
                    one = update(table).where(table.c.id == number)
                    connection.execute(one.values(error_answer=None, **values))
            forgotten += len(found)
        return forgotten

    def count_old_runs(self, before: str) -> int:
        """How many runs `old_runs` would name in the end."""
        with self._database.reading() as connection:
            statement = select(func.count()).select_from(runs).where(_removable(before))
            return int(connection.execute(statement).scalar_one())

    def old_runs(self, before: str) -> list[int]:
        """Numbers of at most a thousand runs that ended before then and have nothing left to settle."""
        statement = select(runs.c.id).where(_removable(before)).order_by(runs.c.id).limit(_ROWS)
        with self._database.reading() as connection:
            return list(connection.execute(statement).scalars())

    def remove_run(self, number: int, before: str) -> bool:
        """Remove a run that `old_runs` named, a thousand rows at a time; False where it lives again."""
        # Whether an error is unsettled is not asked again: only a task that begins anew could make one.
        over = and_(runs.c.id == number, _ended(before))
        for table in _CHILDREN:
            removed = _ROWS
            while removed == _ROWS:
                with self._database.writing() as connection:
                    if connection.execute(select(runs.c.id).where(over)).first() is None:
                        return False
                    removed = _remove_some(connection, table, number)
        with self._database.writing() as connection:
            return bool(connection.execute(delete(runs).where(over)).rowcount)

    def purge_calls(self, before_hour: str, messages_before_hour: str) -> None:
        """Forget the calls of the hours before the one, and what was said in those before the other."""
        old = and_(calls.c.hour < messages_before_hour, calls.c.last_message.is_not(None))
        with self._database.writing() as connection:
            connection.execute(delete(calls).where(calls.c.hour < before_hour))
            connection.execute(update(calls).where(old).values(last_message=None))

    def running_runs(self) -> list[tuple[str, str, str]]:
        """Flow, run id and last sign of life of every run that has not ended, oldest first."""
        sign = func.coalesce(func.max(stages.c.ended_at), func.max(stages.c.started_at), runs.c.started_at)
        started = func.coalesce(func.max(stages.c.started_at), runs.c.started_at)
        statement = (
            select(runs.c.flow, runs.c.run_id, sign, started)
            .select_from(runs.outerjoin(stages, stages.c.run == runs.c.id))
            .where(runs.c.state == RUNNING)
            .group_by(runs.c.id, runs.c.flow, runs.c.run_id, runs.c.started_at)
            .order_by(runs.c.id)
        )
        with self._database.reading() as connection:
            return [(row[0], row[1], max(row[2], row[3])) for row in connection.execute(statement)]

    def overdue_flows(self, now: str) -> list[str]:
        """The flows with an automatic retry that is due and that no run has taken."""
        overdue = and_(errors.c.state == RETRYING, errors.c.due_at < now, errors.c.replay_active == 0)
        statement = select(errors.c.flow).where(overdue).distinct().order_by(errors.c.flow)
        with self._database.reading() as connection:
            return list(connection.execute(statement).scalars())


def _ended(before: str) -> ColumnElement[bool]:
    """Runs that were over before then, no task of which began since, and of which no batch is in doubt."""
    busy = select(stages.c.id).where(stages.c.run == runs.c.id, stages.c.started_at >= before)
    doubtful = select(batches.c.run).where(batches.c.run == runs.c.id, batches.c.state == literal_column("'sent'"))
    return and_(
        runs.c.state != RUNNING,
        runs.c.ended_at < before,
        ~busy.correlate(runs).exists(),
        ~doubtful.correlate(runs).exists(),
    )


def _removable(before: str) -> ColumnElement[bool]:
    """Ended runs without an unsettled error, also none whose first attempt is theirs."""
    own, first, later = errors.alias("own"), errors.alias("first"), errors.alias("later")
    unsettled = select(own.c.id).where(own.c.run == runs.c.id, own.c.state.in_(UNSETTLED))
    attempts = select(later.c.id).where(later.c.origin == first.c.id, later.c.state.in_(UNSETTLED))
    goes_on = select(first.c.id).where(first.c.run == runs.c.id, attempts.correlate(first).exists())
    return and_(_ended(before), ~unsettled.correlate(runs).exists(), ~goes_on.correlate(runs).exists())


def _stale(before: str) -> ColumnElement[bool]:
    # What a replay has in its hands is left to it.
    return and_(errors.c.purged_at.is_(None), errors.c.occurred_at < before, errors.c.replay_active == 0)


def _message(code: str) -> str:
    # The message quotes values; what the code means says the same without them.
    row = CATALOGUE.get(code)
    return f"{row.meaning if row else code}{_PURGED}"


def only_key(payload: str, source_key: str | None) -> str:
    """Of a record (JSON) only what its source key says anyway, in its place and type: `{"id": 7}`."""
    if source_key is None:
        return "{}"
    parts = {source_key}
    try:
        record = msgspec.json.decode(payload)
        if source_key.startswith("["):
            parts |= set(map(str, msgspec.json.decode(source_key)))
    except msgspec.DecodeError:
        return "{}"
    kept = _of_key(record, parts)
    return "{}" if kept is None else msgspec.json.encode(kept).decode()


def _of_key(value: Any, parts: set[str]) -> Any:
    if isinstance(value, dict):
        kept = {name: part for name, inner in value.items() if (part := _of_key(inner, parts)) is not None}
        return kept or None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return value if str(value) in parts else None


def _remove_some(connection: Connection, table: Table, run: int) -> int:
    """Remove at most a thousand rows of a run; their decisions go with the errors."""
    if table is not batches:
        some = select(table.c.id).where(table.c.run == run).limit(_ROWS)
        return int(connection.execute(delete(table).where(table.c.id.in_(some))).rowcount)
    some_batches = select(batches.c.epoch, batches.c.batch).where(batches.c.run == run).limit(_ROWS)
    keys = list(connection.execute(some_batches))
    for epoch, numbers in groupby(sorted(keys), key=lambda key: key[0]):
        for chunk in chunks([number for _, number in numbers], _KEYS):
            own = (batches.c.run == run, batches.c.epoch == epoch, batches.c.batch.in_(chunk))
            connection.execute(delete(batches).where(*own))
    return len(keys)
