"""Brings the store in line with Airflow: runs that ended without a word, replays that never came, retries overdue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from airflow_provider_flux.errors import FluxError, Stage
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.rows import Claim, Run, StageRow, Trace
from airflow_provider_flux.store.text import instant_text

StateOf = Callable[[str, str], str | None]
"""What Airflow says of a DAG run, by flow and run id: queued, running, success, failed, or None for one it lacks."""

PATIENCE = timedelta(hours=24)
"""How long a run that Airflow does not know may be silent: one of the command line is unknown to it, too."""

_ALIVE = ("queued", "running")


@dataclass(frozen=True)
class Reconciled:
    """What was found.

    :param closed: runs that were closed, as they are now
    :param released: replays that gave back the errors they had
    :param overdue: flows with an automatic retry that is due and that nobody has taken: their timer is to be set again
    """

    closed: tuple[Run, ...]
    released: tuple[Claim, ...]
    overdue: tuple[str, ...]


def reconcile(store: Store, state_of: StateOf, now: datetime | None = None) -> Reconciled:
    """Close the runs and release the replays that Airflow has ended, or does not know any more.

    :param now: aware; this instant unless given
    :raises FluxError: STORE_UNAVAILABLE; what `state_of` raises
    """
    now = now or datetime.now(UTC)
    closed = tuple(_close_orphans(store, state_of, instant_text(now - PATIENCE)))
    released = []
    for claim in store.active_claims():
        if _is_over(store, claim, state_of(claim.flow, claim.run_id)):
            store.release_claims(claim.flow, claim.run_id)
            released.append(claim)
    return Reconciled(closed, tuple(released), tuple(store.overdue_flows(instant_text(now))))


def _close_orphans(store: Store, state_of: StateOf, silent_since: str) -> list[Run]:
    closed = []
    for flow, run_id, last_sign in store.running_runs():
        state = state_of(flow, run_id)
        if state in _ALIVE or (state is None and last_sign >= silent_since):
            continue
        run = store.run(flow, run_id)
        if run is not None and run.ended_at is None:  # it may have settled while we asked
            closed.append(_close(store, run, state))
    return closed


def _is_over(store: Store, claim: Claim, state: str | None) -> bool:
    if state is not None:
        return state not in _ALIVE
    run = store.run(claim.flow, claim.run_id)
    # A replay of the command line is unknown to Airflow; once it is silent for too long it is closed, and then over.
    return run is None or run.ended_at is not None


def _close(store: Store, run: Run, state: str | None) -> Run:
    """End a run in the place of its settle: the numbers as far as they are known, and why it is over."""
    read, transform, write = _chain(store.stages(run))
    rows = {Stage.READ: read, Stage.TRANSFORM: transform, Stage.WRITE: write}
    stage = next((name for name, row in rows.items() if row is None or row.state != "sealed"), Stage.SETTLE)
    counts = store.count(run, transform.epoch if transform else None, write.epoch if write else None)
    known = read.records if read else 0
    unsent = max(0, known - sum(counts.buckets.values()))
    return store.finish_run(
        run,
        state="failed" if state == "failed" else "canceled",
        counts={**counts.buckets, "read": known, "unsent": unsent},
        cursor_after=None,
        trace=Trace(stage, _reason(stage, state)),
    )


def _chain(rows: list[StageRow]) -> tuple[StageRow | None, StageRow | None, StageRow | None]:
    """The newest read, the transform that consumed it, and the write that consumed that."""
    newest = {row.stage: row for row in sorted(rows, key=lambda row: row.epoch)}
    read, transform, write = (newest.get(stage) for stage in (Stage.READ, Stage.TRANSFORM, Stage.WRITE))
    if read is None or transform is None or transform.input_epoch != read.epoch:
        return read, None, None
    if write is None or write.input_epoch != transform.epoch:
        return read, transform, None
    return read, transform, write


def _reason(stage: str, state: str | None) -> FluxError:
    if state == "failed":
        return FluxError("WORKER_DIED", f"Airflow ended the run, but its {stage} never said how it went")
    what = "the run was deleted in Airflow" if state is None else "the run was marked as successful in Airflow"
    return FluxError(
        "STAGE_NOT_RUN",
        f"{what} before its {stage} was done",
        next_step="Nothing was lost: what did not arrive is read by the next run, or still stands in the inbox.",
    )
