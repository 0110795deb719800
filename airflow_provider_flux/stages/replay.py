"""The records of a replay: taken from the stored errors instead of from the window of the source."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from airflow_provider_flux.connectors.contract import Page, Source, Window
from airflow_provider_flux.errors import FluxError, RecordError, Stage
from airflow_provider_flux.stages.claimable import not_there, why_not
from airflow_provider_flux.stages.context import ReplayOrder, RunContext
from airflow_provider_flux.stages.health import watched_source
from airflow_provider_flux.stages.judge import Judge
from airflow_provider_flux.stages.records import ReadRecord, key_values
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import ErrorRow, Run

_PAGE = 100  # a payload can be 1 MB


def replayed(ctx: RunContext, run: Run) -> Iterator[list[ReadRecord]]:
    """The records that the run is to deliver again, page by page; they are taken first, so that nobody else has them.

    :raises FluxError: CONFIG_INVALID when there is nothing that the run may take, or the source cannot be asked for
        records by their key; what the source answers
    """
    order = ctx.replay
    assert order is not None
    if order.payload == "source":
        check_source(ctx.flow.id, can_fetch=ctx.flow.file.source.can_fetch())
    _claim(ctx, run, order)
    judge = Judge(ctx.flow.file.source)
    if order.payload == "stored":
        for rows in _pages(ctx):
            yield _numbered(ctx, rows, _stored(judge, rows))
        return
    with watched_source(ctx) as source:
        for rows in _pages(ctx):
            yield _numbered(ctx, rows, _from_source(ctx, judge, source, rows))


def check_source(flow: str, *, can_fetch: bool) -> None:
    """:raises FluxError: CONFIG_INVALID unless the flow's source can be asked for records by their key"""
    if not can_fetch:
        raise FluxError(
            "CONFIG_INVALID",
            f"the source of flow '{flow}' cannot be asked for single records by their key",
            next_step="Say in the flow file how (`source.item` of the connector rest), or use the stored payloads.",
        )


def _claim(ctx: RunContext, run: Run, order: ReplayOrder) -> None:
    """Take the errors of the replay. A retry has them already; a clear takes the same records once more."""
    store, flow = ctx.store, ctx.flow.id
    if store.was_claimed(flow, ctx.run_id):
        if ctx.epoch > 0:
            store.claim_again(run)
    elif order.due:
        store.claim_due(flow, ctx.run_id, datetime.now(UTC))
    elif order.run is not None:
        failed = store.run(flow, order.run)
        if failed is None:
            raise FluxError(
                "CONFIG_INVALID",
                f"flow '{flow}' has no run '{order.run}' to replay",
                next_step=f"`airflow-flux runs {flow}` lists its runs.",
            )
        store.claim_errors(ctx.run_id, ErrorFilter(run=failed), payload=order.payload)
    elif order.errors:
        _check_errors(ctx, order)
        store.claim_errors(ctx.run_id, ErrorFilter(flow=flow, ids=order.errors), payload=order.payload)
    else:
        raise FluxError(
            "CONFIG_INVALID",
            f"no records were set aside for the run '{ctx.run_id}' of flow '{flow}'",
            next_step="Start it with `airflow-flux errors retry`, which sets them aside.",
        )


def _check_errors(ctx: RunContext, order: ReplayOrder) -> None:
    found = {row.id: row for row in ctx.store.errors(ErrorFilter(flow=ctx.flow.id, ids=order.errors))}
    reasons = [
        why_not(found[number], order.payload) if number in found else not_there(number, ctx.flow.id)
        for number in order.errors
    ]
    refused = [reason for reason in reasons if reason is not None]
    if refused:
        raise FluxError("CONFIG_INVALID", "; ".join(refused[:10]), next_step="Start a replay without these errors.")


def _pages(ctx: RunContext) -> Iterator[list[ErrorRow]]:
    page: list[ErrorRow] = []
    for row in ctx.store.claimed(ctx.flow.id, ctx.run_id):
        page.append(row)
        if len(page) == _PAGE:
            yield page
            page = []
    if page:
        yield page


def _numbered(ctx: RunContext, rows: list[ErrorRow], records: list[ReadRecord]) -> list[ReadRecord]:
    for row, record in zip(rows, records, strict=True):
        record.error_id = row.id
        record.rung = row.rung + 1 if ctx.trigger == "retry" else 0
    return records


def _stored(judge: Judge, rows: list[ErrorRow]) -> list[ReadRecord]:
    """The records as they were read, or as a person corrected them."""
    page = Page([])
    for index, row in enumerate(rows):
        page.records.append(msgspec.json.decode(row.payload if row.corrected is None else row.corrected))
        if row.stage == Stage.READ and row.corrected is None:
            # Its stored payload was cleaned of what could not be read: it stays a failure until the source is mended.
            page.defects[index] = RecordError(row.code, row.message, source_path=row.source_path, value=row.value)
    # Without a window every record of the page comes back, in order.
    return judge.records(page, Window())[0]


def _from_source(ctx: RunContext, judge: Judge, source: Source, rows: list[ErrorRow]) -> list[ReadRecord]:
    """The records as the source has them now; one that it does not have fails with the payload that was stored."""
    stored = judge.records(Page([msgspec.json.decode(row.payload) for row in rows]), Window())[0]
    paths = ctx.flow.file.source.key
    asked = {record.key: key_values(paths, record.data) for record in stored if record.key is not None}
    found: dict[str | None, ReadRecord] = {}
    for page in source.fetch(list(asked.values())):
        found |= {record.key: record for record in judge.records(page, Window())[0]}
    records: list[ReadRecord] = []
    for old in stored:
        new = found.get(old.key) if old.key is not None else None
        if new is None:
            why = "has no record with this key" if old.key else "cannot be asked for a record without a key"
            gone = RecordError("SOURCE_RECORD_GONE", f"the source {why}", source_path=", ".join(paths), value=old.key)
            records.append(ReadRecord(old.data, old.key, old.version, old.deleted, gone))
        else:
            # One record per error, also where two errors are of one record.
            records.append(ReadRecord(new.data, new.key, new.version, new.deleted, new.defect))
    return records
