"""A run over single records: the source is asked for them by their key, and no cursor moves."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from airflow_provider_flux.connectors.contract import Window
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.stages.health import watched_source
from airflow_provider_flux.stages.judge import Judge
from airflow_provider_flux.stages.records import ReadRecord
from airflow_provider_flux.stages.replay import check_source

log = logging.getLogger(__name__)

_PAGE = 100
_NAMED = 10


def by_ids(ctx: RunContext) -> Iterator[list[ReadRecord]]:
    """The records with the run's ids, as the source has them now; ids that it does not know are named in the log.

    :raises FluxError: CONFIG_INVALID when the source cannot be asked so; what the source answers
    """
    check_ids(ctx.flow.id, ctx.flow.file.source.key, can_fetch=ctx.flow.file.source.can_fetch())
    field = ctx.flow.file.source.key[0]
    judge = Judge(ctx.flow.file.source)
    found: set[str | None] = set()
    with watched_source(ctx) as source:
        for start in range(0, len(ctx.ids), _PAGE):
            for page in source.fetch([{field: one} for one in ctx.ids[start : start + _PAGE]]):
                records, _ = judge.records(page, Window())
                found |= {record.key for record in records}
                yield records
    missing = [str(one) for one in ctx.ids if str(one) not in found]
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        log.warning("%d ids are not in the source: %s%s", len(missing), ", ".join(missing[:_NAMED]), more)


def check_ids(flow: str, key: tuple[str, ...], *, can_fetch: bool) -> None:
    """:raises FluxError: CONFIG_INVALID unless records of the flow can be asked for by one id each"""
    check_source(flow, can_fetch=can_fetch)
    if len(key) > 1:
        raise FluxError(
            "CONFIG_INVALID",
            f"flow '{flow}' cannot read single ids: its source has a key of several fields, {', '.join(key)}",
            next_step="Run the flow over a window (`--from`, `--to`) instead.",
        )
