"""Error rows inside the transaction of the batch that made them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, bindparam, case, delete, func, insert, literal, null, select
from sqlalchemy.engine import Connection

from airflow_provider_flux.errors import CATALOGUE, Disposition, Stage
from airflow_provider_flux.store.causes import note_causes
from airflow_provider_flux.store.links import chunks
from airflow_provider_flux.store.rows import NewError, Run
from airflow_provider_flux.store.tables import errors
from airflow_provider_flux.store.text import clean, clean_or_none, instant_text, payload_hash, stored_key

OPEN = "open"  # failed for good: a person mends the cause, then retries it
RETRYING = "retrying"  # a transient failure: Flux tries it again at `due_at`
HELD = "held"  # only a person may decide: approve or discard
APPROVED = "approved"  # a person approved it: a replay has it, or may take it
RESOLVED = "resolved"  # delivered since
SUPERSEDED = "superseded"  # a later attempt, or the same record in a later run, stands for it
DISCARDED = "discarded"  # a person gave it up, with a reason
UNSETTLED = (OPEN, RETRYING, HELD, APPROVED)
"""The states of the inbox: the record has not arrived."""
STATES = (*UNSETTLED, RESOLVED, SUPERSEDED, DISCARDED)

RECORDED_BY = {
    # What could not be read cleanly is found in reading and recorded where all verdicts on single records are.
    Stage.TRANSFORM.value: (Stage.READ.value, Stage.TRANSFORM.value),
    Stage.WRITE.value: (Stage.WRITE.value,),
}
"""By recording stage: what its error rows name as the stage at fault."""

HOLDING_CODES = sorted(row.code for row in CATALOGUE.values() if row.disposition is Disposition.HOLD)
"""Nobody knows whether the record arrived: no machine may send it again."""

_CHUNK = 500

_INSERT = insert(errors)
_DELETE_BATCH = {
    stage: delete(errors).where(
        errors.c.run == bindparam("run"),
        errors.c.epoch == bindparam("epoch"),
        errors.c.batch == bindparam("batch"),
        errors.c.stage.in_(recorded),
    )
    for stage, recorded in RECORDED_BY.items()
}


def write_errors(
    connection: Connection,
    run: Run,
    stage: str,
    epoch: int,
    batch: int,
    new: Iterable[NewError],
    mapping_version: int | None,
) -> None:
    """Replace the errors of one batch."""
    connection.execute(_DELETE_BATCH[str(stage)], {"run": run.id, "epoch": epoch, "batch": batch})
    now = datetime.now(UTC)
    same = {
        "run": run.id,
        "flow": run.flow,
        "epoch": epoch,
        "batch": batch,
        "mapping": run.mapping.partition("@")[0],
        "mapping_version": mapping_version,
        "occurred_at": instant_text(now),
    }
    new = list(new)
    before = _replaced(connection, [error.replaces for error in new if error.replaces is not None])
    rows = [
        {**same, **_values(run.flow, stage, error, now), **_attempt(error, before.get(error.replaces))} for error in new
    ]
    if rows:
        note_causes(connection, rows)
        connection.execute(_INSERT, rows)


def copy_errors(connection: Connection, run: Run, source: tuple[int, int], target: tuple[int, int]) -> None:
    """Copy the write errors of one batch to another.

    :param source: epoch and batch to copy; an error superseded there is unsettled again in the copy
    :param target: epoch and batch of the copies
    """
    reopened = case((errors.c.code.in_(HOLDING_CODES), HELD), else_=OPEN)
    changed = {
        "epoch": literal(target[0]),
        "batch": literal(target[1]),
        "state": case((errors.c.state == SUPERSEDED, reopened), else_=errors.c.state),
        "origin": func.coalesce(errors.c.origin, errors.c.id),
        "replay": null(),
        "replay_active": literal(0),
    }
    names = [column.name for column in errors.c if column.name != "id"]
    copied = select(*(changed[name].label(name) if name in changed else errors.c[name] for name in names)).where(
        and_(
            errors.c.run == run.id,
            errors.c.epoch == source[0],
            errors.c.batch == source[1],
            errors.c.stage == Stage.WRITE.value,
        )
    )
    connection.execute(insert(errors).from_select(names, copied.order_by(errors.c.id)))


def _replaced(connection: Connection, ids: Sequence[int]) -> dict[int | None, Any]:
    """By number: the errors that a replay took; their payloads only where a person corrected them."""
    if not ids:
        return {}
    wanted = (errors.c.id, errors.c.origin, errors.c.attempt, errors.c.corrected, errors.c.source_hash)
    payload = case((errors.c.corrected.is_not(None), errors.c.payload), else_=None).label("payload")
    found: dict[int | None, Any] = {}
    for chunk in chunks(ids, _CHUNK):
        for row in connection.execute(select(*wanted, payload).where(errors.c.id.in_(chunk))):
            found[row.id] = row
    return found


def _attempt(new: NewError, before: Any | None) -> dict[str, Any]:
    """What tells this attempt from the first, and the correction that it was made with."""
    if before is None:
        return {"origin": None, "attempt": 1, "rung": new.rung, "corrected": None}
    origin = before.id if before.origin is None else before.origin
    values = {"origin": origin, "attempt": before.attempt + 1, "rung": new.rung, "corrected": None}
    if before.corrected is not None and before.corrected == clean(new.payload):
        # The record in the source is still the one that was read, and the correction still holds.
        same = {"payload": before.payload, "corrected": before.corrected, "source_hash": before.source_hash}
        return {**values, **same}
    return values


def _values(flow: str, stage: str, new: NewError, now: datetime) -> dict[str, Any]:
    error = new.error
    at_fault = str(new.stage or stage)
    return {
        "stage": at_fault,
        "ordinal": new.ordinal,
        "source_key": None if new.source_key is None else stored_key(new.source_key),
        "source_version": clean_or_none(new.source_version),
        "state": new.state,
        "due_at": None if new.due_in is None else instant_text(now + new.due_in),
        "connector": new.connector,
        "connection": new.connection,
        "code": error.code,
        "category": str(CATALOGUE[error.code].category),
        "field": clean_or_none(error.field),
        "source_path": clean_or_none(error.source_path),
        "transform": clean_or_none(error.transform),
        "value": clean_or_none(error.value),
        "message": clean(error.message),
        "payload": clean(new.payload),
        "source_hash": payload_hash(new.payload),
        "sent": clean_or_none(new.sent),
        "answer": clean_or_none(error.answer),
    }
