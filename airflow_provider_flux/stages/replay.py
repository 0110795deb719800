"""The records of a replay: read from the stored errors of an earlier run instead of from the source."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from airflow_provider_flux.connectors.contract import Page
from airflow_provider_flux.errors import FluxError, RecordError, Stage
from airflow_provider_flux.store import Store

_PAGE = 500


def stored_records(store: Store, flow: str, run_id: str) -> Iterator[tuple[Page, list[int]]]:
    """The open failed records of a run, as pages, with the ids of their errors.

    :raises FluxError: CONFIG_INVALID when the flow has no such run
    """
    run = store.run(flow, run_id)
    if run is None:
        raise FluxError(
            "CONFIG_INVALID",
            f"flow '{flow}' has no run '{run_id}' to replay",
            next_step=f"`airflow-flux runs {flow}` lists its runs.",
        )
    page, ids = Page([]), list[int]()
    for row in store.iter_errors(run=run, state="open"):
        if row.stage == Stage.READ:
            # Its stored payload was cleaned of what could not be read: it stays a failure until the source is mended.
            page.defects[len(page.records)] = RecordError(
                row.code, row.message, source_path=row.source_path, value=row.value
            )
        page.records.append(msgspec.json.decode(row.payload))
        ids.append(row.id)
        if len(ids) == _PAGE:
            yield page, ids
            page, ids = Page([]), []
    if ids:
        yield page, ids
