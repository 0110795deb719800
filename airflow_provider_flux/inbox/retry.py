"""Delivers stored records again: one replay run per flow, which has its records before it starts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.flow.loader import load_flow
from airflow_provider_flux.inbox.selection import check_each, describe, nothing_fits
from airflow_provider_flux.stages.claimable import why_not
from airflow_provider_flux.stages.replay import check_source
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.filters import ErrorFilter

Start = Callable[[str, str, dict[str, Any]], None]
"""Starts a run of a flow: given the flow's id, the run id and the conf; raises FluxError where it cannot."""


@dataclass(frozen=True)
class Queued:
    """A replay that was started.

    :param records: how many errors it has
    """

    flow: str
    run_id: str
    records: int


def queue(
    store: Store,
    include: Path,
    filter: ErrorFilter,
    *,
    by: str,
    start: Start,
    payload: str = "stored",
    force: bool = False,
) -> list[Queued]:
    """Start a replay of every error that matches and may be retried, one run per flow.

    :param include: the folder of the flow files
    :param by: who asks
    :param payload: `stored`: as it was read, or as a person corrected it; `source`: read anew from the source
    :param force: deliver payloads without a version although they may be older than what was delivered since
    :raises Refused: nothing matches, or an error that was named cannot be retried; nothing was changed
    :raises ConfigError: the file of a flow is gone or not valid; nothing was changed
    :raises FluxError: CONFIG_INVALID when a source cannot be asked for single records; nothing was changed. What
        `start` raises: its records, and those of the flows after it, are as they were
    """
    flows = flows_of(store, filter, payload)
    check_flows(include, flows, payload)
    queued: list[Queued] = []
    for flow in flows:
        run_id = f"replay__{datetime.now(UTC).isoformat()}"
        records = store.claim_errors(run_id, replace(filter, flow=flow), payload=payload)
        if not records:
            continue  # another replay was quicker
        try:
            start(flow, run_id, _conf(filter, flow, payload=payload, by=by, force=force))
        except BaseException as error:
            store.release_claims(flow, run_id)
            if queued and isinstance(error, FluxError):
                done = ", ".join(f"{one.run_id} of {one.flow}" for one in queued)
                raise FluxError(
                    error.code, f"{error.message} (started before that: {done})", next_step=error.next_step
                ) from error
            raise
        store.note_retry(flow, run_id, by)
        queued.append(Queued(flow, run_id, records))
    if not queued:
        raise nothing_fits(store, filter, "be retried")
    return queued


def flows_of(store: Store, filter: ErrorFilter, payload: str = "stored") -> list[str]:
    """The flows that have an error which matches and may be retried.

    :raises Refused: there is none, or an error that was named cannot be retried
    """
    if filter.ids is not None:
        check_each(store, filter.ids, lambda row: why_not(row, payload))
    flows = sorted(store.count_claimable(filter, payload))
    if not flows:
        raise nothing_fits(store, filter, "be retried")
    return flows


def check_flows(include: Path, flows: Collection[str], payload: str = "stored") -> None:
    """:raises FluxError: ConfigError for a flow file that is gone or not valid, CONFIG_INVALID for a source that cannot
    be asked for single records where that is needed"""
    for flow in flows:
        file = load_flow(include, flow).file
        if payload == "source":
            check_source(flow, can_fetch=file.source.can_fetch())


def _conf(filter: ErrorFilter, flow: str, *, payload: str, by: str, force: bool) -> dict[str, Any]:
    """What the DAG run is started with; its records are set aside already."""
    order: dict[str, Any] = {"payload": payload, "by": by[:250], "what": describe(replace(filter, flow=flow))}
    if filter.run is not None and replace(filter, flow=None) == ErrorFilter(run=filter.run):
        order["run"] = filter.run.run_id
    else:
        order["claimed"] = True
    if force:
        order["force"] = True
    return {"replay": order}
