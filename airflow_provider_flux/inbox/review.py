"""What a person decides about a record: correct it, let it go, or give it up."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from airflow_provider_flux.errors import Stage
from airflow_provider_flux.flow.loader import load_flow
from airflow_provider_flux.flow.models import Flow
from airflow_provider_flux.inbox.refusal import Refused, refuse_all
from airflow_provider_flux.inbox.retry import Queued, Start, check_flows, queue
from airflow_provider_flux.inbox.selection import check_each, nothing_fits
from airflow_provider_flux.mapping.expression import compile_filter
from airflow_provider_flux.stages.claimable import not_there, why_not
from airflow_provider_flux.stages.judge import judge_one
from airflow_provider_flux.stages.versions import resolve
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.error_rows import APPROVED, HELD, RETRYING, UNSETTLED
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import ErrorRow


@dataclass(frozen=True)
class Edited:
    """A payload that was accepted.

    :param mapping: name and version of the mapping that it was tried with
    :param mapped: what that mapping makes of it; None for a record that is to be deleted
    :param refused_by_destination: the destination had refused the record: only the next attempt can tell what it says
    """

    error: ErrorRow
    mapping: str
    mapped: dict[str, Any] | None
    refused_by_destination: bool


def payload_of(store: Store, number: int) -> dict[str, Any]:
    """The record of an error as a replay would deliver it, to be edited.

    :raises Refused: when there is no such error, or it cannot be edited
    """
    row = _editable(store, number)
    data: dict[str, Any] = msgspec.json.decode(row.payload if row.corrected is None else row.corrected)
    return data


def edit(store: Store, include: Path, number: int, payload: dict[str, Any], by: str) -> Edited:
    """Keep a corrected payload: the next replay delivers it in place of the one that was read.

    :raises Refused: the error is not there or cannot be edited, the payload is of another record, or the flow's mapping
        makes errors of it; nothing was changed
    :raises ConfigError: the file of the flow or its mapping is gone or not valid; nothing was changed
    """
    row = _editable(store, number)
    flow = load_flow(include, row.flow)
    mapping = resolve(store, include, flow)
    new = judge_one(flow.file.source, payload)
    if new.defect is not None:
        raise Refused(f"error {number}: the payload cannot be read: {new.defect.message}. Nothing was changed.")
    _check_same_record(row, flow, payload)
    if not new.deleted:
        _check_filter(row, flow, payload)
    mapped, errors = (None, []) if new.deleted else mapping.apply(payload)
    refuse_all(
        f"error {number}: {mapping.label} makes an error of it at {error.field or error.source_path or 'the record'}: "
        f"{error.message}"
        for error in errors
    )
    if not store.correct(number, msgspec.json.encode(payload).decode(), by):
        raise Refused(f"error {number} was changed by somebody else meanwhile. Nothing was changed.")
    return Edited(_row(store, number), mapping.label, mapped, row.stage == Stage.WRITE)


def approve(store: Store, include: Path, filter: ErrorFilter, *, by: str, start: Start) -> list[Queued]:
    """Let held records go: they are delivered by a replay, one per flow.

    :raises Refused: nothing that matches is held, or an error that was named is not; nothing was changed
    :raises ConfigError: the file of a flow is gone or not valid; nothing was changed
    :raises FluxError: what `start` raises; the records are approved then, and wait for a retry
    """
    if filter.ids is not None:
        check_each(store, filter.ids, _why_not_approve)
    held = store.numbers(replace(filter, state=HELD))
    if not held:
        raise nothing_fits(store, filter, "be approved")
    chosen = ErrorFilter(ids=held)
    check_flows(include, {group.values["flow"] for group in store.error_groups(["flow"], chosen)})
    store.approve(held, by)
    return queue(store, include, chosen, by=by, start=start)


def discard(store: Store, ids: Collection[int], reason: str, by: str) -> int:
    """Give records up for good; a new version of one in the source is tried again by itself.

    :return: how many
    :raises Refused: without a reason, or an error that was named is over or in a replay; nothing was changed
    """
    if not reason.strip():
        raise Refused("say why the records are given up. Nothing was changed.")
    check_each(store, ids, _why_not_discard)
    return store.discard(ids, reason.strip(), by)


def _editable(store: Store, number: int) -> ErrorRow:
    row = _row(store, number)
    if row.state == RETRYING and not row.replay_active:
        raise Refused(
            f"error {number} is tried again by itself at {row.due_at}: edit it when that has failed for good, or "
            f"retry it now (`airflow-flux errors retry {number}`). Nothing was changed."
        )
    refuse_all([_once_approved(row)])
    return row


def _row(store: Store, number: int) -> ErrorRow:
    rows = store.errors(ErrorFilter(ids=[number]))
    if not rows:
        raise Refused(f"{not_there(number)}. Nothing was changed.")
    return rows[0]


def _check_same_record(row: ErrorRow, flow: Flow, payload: dict[str, Any]) -> None:
    """A correction mends a record; another key or version would be another record. What was missing may be added."""
    old, new = judge_one(flow.file.source, msgspec.json.decode(row.payload)), judge_one(flow.file.source, payload)
    for name, before, after in (("key", old.key, new.key), ("version", old.version, new.version)):
        if before is not None and before != after:
            raise Refused(
                f"error {row.id}: the {name} of the record must stay '{before}', and the payload says "
                f"'{after or ''}'. Nothing was changed."
            )
    if new.key is None:
        raise Refused(
            f"error {row.id}: the record still has no key ({', '.join(flow.file.source.key)}). Nothing was changed."
        )


def _check_filter(row: ErrorRow, flow: Flow, payload: dict[str, Any]) -> None:
    if flow.file.filter is None:
        return
    try:
        kept = compile_filter(flow.file.filter)(payload)
    except ValueError as error:
        raise Refused(f"error {row.id}: the flow's filter fails on it: {error}. Nothing was changed.") from error
    if not kept:
        raise Refused(
            f"error {row.id}: the flow's filter leaves such a record out, so it would not be delivered. Discard the "
            "error instead. Nothing was changed."
        )


def _why_not_approve(row: ErrorRow) -> str | None:
    over = _once_approved(row)
    if over is not None or row.state == HELD:
        return over
    return f"error {row.id} is {row.state}, not held: retry it (`airflow-flux errors retry {row.id}`)"


def _once_approved(row: ErrorRow) -> str | None:
    """Why the error could not be delivered even if what is held were approved."""
    return why_not(replace(row, state=APPROVED) if row.state == HELD else row)


def _why_not_discard(row: ErrorRow) -> str | None:
    return None if row.state in UNSETTLED and not row.replay_active else why_not(row)
