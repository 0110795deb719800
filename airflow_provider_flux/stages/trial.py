"""A version of a mapping on the records that failed and on a sample of good ones, before anybody promotes it.

Nothing is written and no system is called: failed records come from the store, good ones from the staged files of the
last runs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from airflow_provider_flux.errors import ConfigError, FluxError, RecordError, Stage, preview
from airflow_provider_flux.flow.loader import load_flow
from airflow_provider_flux.flow.models import Flow
from airflow_provider_flux.flow.uses import uses_of
from airflow_provider_flux.mapping.engine import Mapping
from airflow_provider_flux.mapping.expression import compile_filter
from airflow_provider_flux.mapping.trial import Compared, compare
from airflow_provider_flux.stages.records import ReadRecord
from airflow_provider_flux.stages.versions import compiled, resolve, versions
from airflow_provider_flux.staging import Staging
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.error_rows import UNSETTLED
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import ErrorRow, Run

_RUNS = 10
"""Runs of a flow, the newest first, in whose files good records are looked for."""


@dataclass
class Cause:
    """Why records fail under the new version.

    :param example: key of one of them
    """

    flow: str
    code: str
    field: str | None
    message: str
    records: int = 0
    example: str | None = None


@dataclass
class Change:
    """A field that comes out differently.

    :param key: of one of the records, with what was and what will be, as text
    """

    flow: str
    field: str
    before: str
    after: str
    records: int = 0
    key: str | None = None


@dataclass
class Trial:
    """What a version would do.

    :param failed: records in the inbox of the flows with this mapping
    :param cleared: numbers of the errors that it would clear: the record could not be mapped, and now it can
    :param refused: records that the destination refused and that come out as before: they would be refused again
    :param sent_otherwise: records that the destination refused and that come out differently now: only it can tell
    :param unreadable: records whose payload is gone, or that could not be read: no mapping mends these
    :param still: why the others still fail
    :param good: records of the sample that the version that runs now maps
    :param broken: why good ones would fail
    :param changed: good records that come out differently
    """

    mapping: str
    version: int
    against: str
    failed: int = 0
    cleared: list[int] = field(default_factory=list)
    refused: int = 0
    sent_otherwise: int = 0
    unreadable: int = 0
    still: list[Cause] = field(default_factory=list)
    good: int = 0
    newly_broken: int = 0
    broken: list[Cause] = field(default_factory=list)
    changed: int = 0
    changes: list[Change] = field(default_factory=list)


def try_version(store: Store, staging: Staging, include: Path, name: str, version: int, *, sample: int) -> Trial:
    """Run a version over what failed with the mapping, and over good records of the flows that use it.

    :param sample: most good records, of all flows together
    :raises ConfigError: the version is not there or not valid
    """
    trial, tried = _new_trial(store, include, name, version)
    for one in tried:
        _judge_inbox(trial, store, one, UNSETTLED)
    for one in tried:
        for record in _good_records(store, staging, one.flow, one.old, -(-sample // len(tried))):
            _judge_good(trial, one.flow.id, record, compare(one.old, one.new, record.data))
    for causes in (trial.still, trial.broken):
        causes.sort(key=lambda cause: -cause.records)
    trial.changes.sort(key=lambda change: -change.records)
    return trial


def failed_records(
    store: Store, include: Path, name: str, version: int, states: Collection[str] = UNSETTLED
) -> Trial:
    """As `try_version`, of the failed records alone: without good ones to compare with.

    :param states: of their errors
    """
    trial, tried = _new_trial(store, include, name, version)
    for one in tried:
        _judge_inbox(trial, store, one, states)
    return trial


class _Tried(NamedTuple):
    """A flow with the mapping that runs in it now, and with the version in question."""

    flow: Flow
    old: Mapping
    new: Mapping


def _new_trial(store: Store, include: Path, name: str, version: int) -> tuple[Trial, list[_Tried]]:
    known = versions(store, include, name)
    tried = []
    for flow in _flows(include, name):
        new = compiled(include, name, known.all[version], flow.file.country)
        tried.append(_Tried(flow, resolve(store, include, flow), new))
    return Trial(name, version, f"{name}@{known.active}"), tried


def _judge_inbox(trial: Trial, store: Store, one: _Tried, states: Collection[str]) -> None:
    for row in store.iter_errors(ErrorFilter(flow=one.flow.id, mapping=trial.mapping, state=states)):
        _judge_failed(trial, row, one.old, one.new)


def _flows(include: Path, name: str) -> list[Flow]:
    """The valid flows that name the mapping."""
    found = []
    for use in uses_of(include, name):
        try:
            found.append(load_flow(include, use.flow))
        except ConfigError:
            continue  # `check` says what is wrong with it; nothing of it can run, with any version
    return found


def _judge_failed(trial: Trial, row: ErrorRow, old: Mapping, new: Mapping) -> None:
    trial.failed += 1
    if row.purged_at is not None or row.stage == Stage.READ:
        trial.unreadable += 1
        return
    payload = msgspec.json.decode(row.payload if row.corrected is None else row.corrected)
    compared = compare(old, new, payload)
    if compared.after:
        for error in compared.after:
            _count_cause(trial.still, row.flow, error, row.source_key)
    elif row.stage == Stage.TRANSFORM or compared.before:
        trial.cleared.append(row.id)
    elif compared.differences:
        trial.sent_otherwise += 1
    else:
        trial.refused += 1


def _judge_good(trial: Trial, flow: str, record: ReadRecord, compared: Compared) -> None:
    trial.good += 1
    if compared.after:
        trial.newly_broken += 1
        for error in compared.after:
            _count_cause(trial.broken, flow, error, record.key)
    trial.changed += bool(compared.differences)
    for difference in compared.differences:
        known = next((one for one in trial.changes if (one.flow, one.field) == (flow, difference.field)), None)
        if known is None:
            known = Change(flow, difference.field, _shown(difference.before), _shown(difference.after), key=record.key)
            trial.changes.append(known)
        known.records += 1


def _shown(value: Any) -> str:
    return "null" if value is None else preview(value)


def _count_cause(causes: list[Cause], flow: str, error: RecordError, key: str | None) -> None:
    same = (flow, error.code, error.field)
    known = next((one for one in causes if (one.flow, one.code, one.field) == same), None)
    if known is None:
        known = Cause(flow, error.code, error.field, error.message, example=key)
        causes.append(known)
    known.records += 1


def _good_records(store: Store, staging: Staging, flow: Flow, old: Mapping, most: int) -> Iterator[ReadRecord]:
    """Records of the last runs that are still staged and that the flow maps today, the newest run first."""
    keep = compile_filter(flow.file.filter) if flow.file.filter else None
    seen: set[str | None] = set()
    for record in _staged(store, staging, flow.id):
        if len(seen) >= most:
            return
        fine = record.defect is None and not record.deleted and record.key is not None and record.key not in seen
        if fine and (keep is None or keep(record.data)) and not old.apply(record.data)[1]:
            seen.add(record.key)
            yield record


def _staged(store: Store, staging: Staging, flow: str) -> Iterator[ReadRecord]:
    for run in store.runs(flow, _RUNS):
        yield from _staged_of(store, staging, run)


def _staged_of(store: Store, staging: Staging, run: Run) -> Iterator[ReadRecord]:
    sealed = [row for row in store.stages(run) if row.stage == Stage.READ and row.state == "sealed"]
    if not sealed:
        return
    newest = max(sealed, key=lambda row: row.epoch)
    files = staging.files(run.flow, run.run_id, Stage.READ, newest.epoch)
    try:
        batches: Any = files.manifest(newest.sha256).batches
        for entry in batches:
            yield from files.load(entry, ReadRecord)
    except FluxError as error:
        if error.code != "STAGING_UNSEALED":
            raise
        # Housekeeping removed the files.
