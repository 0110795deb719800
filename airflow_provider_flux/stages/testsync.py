"""A test sync: a small sample through the flow, to look at. Nothing is recorded, and nothing written unless asked."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.contract import Verdict, Window, WriteItem
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.errors import FluxError, RecordError
from airflow_provider_flux.flow.models import Flow
from airflow_provider_flux.mapping.engine import Mapping
from airflow_provider_flux.mapping.expression import compile_filter
from airflow_provider_flux.stages.deliver import deliver
from airflow_provider_flux.stages.fates import ALREADY_THERE
from airflow_provider_flux.stages.foresee import Foreseen, foresee
from airflow_provider_flux.stages.judge import Judge
from airflow_provider_flux.stages.records import ReadRecord
from airflow_provider_flux.store import Store


@dataclass
class Sample:
    """One record of a test sync.

    :param fate: what became of it: mapped, failed, filtered, deleted, written, already there
    :param would: what the destination would do with it, where it was not written
    """

    source: dict[str, Any]
    key: str | None
    fate: str
    mapped: dict[str, Any] | None = None
    errors: tuple[RecordError, ...] = ()
    would: Foreseen | None = None


@dataclass(frozen=True)
class TestReport:
    """What a test sync saw."""

    flow: str
    mapping: str
    samples: tuple[Sample, ...]
    wrote: bool


def test_sync(
    store: Store,
    flow: Flow,
    mapping: Mapping,
    credentials: Callable[[str], Credentials],
    limit: int,
    *,
    write: bool = False,
) -> TestReport:
    """Read up to `limit` records from the beginning of the source, map them, and ask what the destination would do.

    :raises FluxError: what the source or the destination answers; CONFIG_INVALID for `write` on a destination that
        would store the records a second time
    """
    keep = compile_filter(flow.file.filter) if flow.file.filter else None
    samples: list[Sample] = []
    for record in _first(flow, credentials, limit):
        sample = Sample(record.data, record.key, "mapped")
        if record.defect is not None:
            sample.fate, sample.errors = "failed", (record.defect,)
        elif record.key is None:
            sample.fate, sample.errors = "failed", (RecordError("KEY_MISSING", "the record has no key"),)
        elif record.deleted:
            sample.fate = "deleted"
        else:
            _map(sample, mapping, keep)
        samples.append(sample)
    mapped = [sample for sample in samples if sample.fate == "mapped"]
    if write:
        _write(flow, credentials, mapped)
    elif mapped:
        _foresee(store, flow, credentials, mapped)
    return TestReport(flow.id, mapping.label, tuple(samples), write)


def _first(flow: Flow, credentials: Callable[[str], Credentials], limit: int) -> list[ReadRecord]:
    options = flow.file.source
    source = registry.get(options.connector).source(options, credentials(options.connection))
    records: list[ReadRecord] = []
    try:
        judge = Judge(options)
        for page in source.read(Window()):
            records += judge.records(page, Window())[0]
            if len(records) >= limit:
                break
    finally:
        source.close()
    return records[:limit]


def _map(sample: Sample, mapping: Mapping, keep: Callable[[dict[str, Any]], bool] | None) -> None:
    try:
        if keep is not None and not keep(sample.source):
            sample.fate = "filtered"
            return
    except ValueError as error:
        failure = RecordError("TRANSFORM_FAILED", f"the flow's filter failed: {error}", transform="filter")
        sample.fate, sample.errors = "failed", (failure,)
        return
    values, errors = mapping.apply(sample.source)
    if errors:
        sample.fate, sample.errors = "failed", tuple(errors)
    else:
        sample.mapped = values


def _foresee(
    store: Store, flow: Flow, credentials: Callable[[str], Credentials], samples: list[Sample]
) -> None:
    options = flow.file.destination
    try:
        destination = registry.get(options.connector).destination(options, credentials(options.connection))
    except FluxError as error:
        foreseen = [Foreseen("not known", error.message)] * len(samples)
    else:
        with closing(destination):
            mapped = [(sample.key or "", sample.mapped or {}) for sample in samples]
            foreseen = foresee(store, flow.id, destination, options, mapped)
    for sample, effect in zip(samples, foreseen, strict=True):
        sample.would = effect


def _write(flow: Flow, credentials: Callable[[str], Credentials], samples: list[Sample]) -> None:
    options = flow.file.destination
    destination = registry.get(options.connector).destination(options, credentials(options.connection))
    try:
        if not destination.idempotent:
            raise FluxError(
                "CONFIG_INVALID",
                f"flow '{flow.id}' inserts: the next run would store what this test sync writes a second time",
                next_step="Test without --write, or run the flow.",
            )
        for start in range(0, len(samples), destination.batch_size):
            batch = samples[start : start + destination.batch_size]
            items = [WriteItem(sample.mapped or {}) for sample in batch]
            for sample, verdict in zip(batch, deliver(destination, items), strict=True):
                _note(sample, verdict)
    finally:
        destination.close()


def _note(sample: Sample, verdict: Verdict | None) -> None:
    if isinstance(verdict, RecordError):
        sample.fate, sample.errors = "failed", (verdict,)
    elif verdict is not None:
        sample.fate = ALREADY_THERE if verdict.kept else "written"
