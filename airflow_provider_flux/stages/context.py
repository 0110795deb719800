"""What every stage of a run needs to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.contract import Destination, Source
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.flow.models import Flow
from airflow_provider_flux.stages.sharing import shared
from airflow_provider_flux.staging import StageFiles, Staging
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.rows import Run

_NAMED_IDS = 20


def _silent(stage: str, records: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class ReplayOrder:
    """Which stored records a run delivers instead of reading the source, as its conf says (`{"replay": {...}}`).

    Exactly one of `run`, `errors`, `due`, `claimed` selects them.

    :param run: every record that failed in the run of this run id
    :param errors: the records of these errors (numbers)
    :param due: those whose next automatic retry is due
    :param claimed: those that were claimed for this run's id beforehand (see `inbox`)
    :param payload: `stored`: as it was read, or as a person corrected it; `source`: read anew from the source
    :param by: who asked for it
    :param force: deliver a payload without a version although it may be old
    :param what: which records, in words, for people
    """

    run: str | None = None
    errors: tuple[int, ...] = ()
    due: bool = False
    claimed: bool = False
    payload: str = "stored"
    by: str | None = None
    force: bool = False
    what: str | None = None


@dataclass
class RunContext:
    """One run of one flow, as Airflow or the command line started it.

    :param run_id: Airflow's run id, or one of the command line's own
    :param trigger: scheduled, manual, backfill, replay (a person asked for it), retry (its time has come) or cli
    :param epoch: raised by every clear, not by a retry (Airflow's `clear_number`)
    :param interval: Airflow's data interval; the window of a backfill
    :param replay: the stored records that this run delivers; None for a run that reads from the source
    :param ids: values of the source's key that this run reads; empty for a run that reads its window
    :param credentials: resolves a connection id
    :param on_progress: told the stage and its records so far
    """

    flow: Flow
    run_id: str
    trigger: str
    store: Store
    staging: Staging
    credentials: Callable[[str], Credentials]
    include: Path
    epoch: int = 0
    interval: tuple[datetime, datetime] | None = None
    replay: ReplayOrder | None = None
    ids: tuple[int | str, ...] = ()
    on_progress: Callable[[str, int], None] = field(default=_silent)

    def run(self) -> Run:
        """The run's row in the store, made by whichever stage comes first."""
        order = self.replay or ReplayOrder()
        return self.store.start_run(
            self.flow.id,
            self.run_id,
            self.trigger,
            self.flow.file.mapping,
            order.run,
            replay_what=order.what if self.replay else self._ids_in_words(),
            replay_payload=order.payload if self.replay else None,
            requested_by=order.by,
        )

    def _ids_in_words(self) -> str | None:
        if not self.ids:
            return None
        named = ", ".join(str(one) for one in self.ids[:_NAMED_IDS])
        more = f" and {len(self.ids) - _NAMED_IDS} more" if len(self.ids) > _NAMED_IDS else ""
        return f"the records with the key {named}{more}"

    def files(self, stage: str, epoch: int) -> StageFiles:
        """The staged files of a stage of this run."""
        return self.staging.files(self.flow.id, self.run_id, stage, epoch)

    def open_source(self) -> Source:
        """:raises FluxError: CONNECTION_INVALID"""
        options = self.flow.file.source
        return registry.get(options.connector).source(options, self._credentials(options.connection))

    def open_destination(self) -> Destination:
        """:raises FluxError: CONNECTION_INVALID"""
        options = self.flow.file.destination
        return registry.get(options.connector).destination(options, self._credentials(options.connection))

    def _credentials(self, connection: str) -> Credentials:
        found = shared(self.credentials(connection), self.store)
        # The clock of an automatic retry is the record's own: the transport must not try each of its calls again.
        return replace(found, one_try=True) if self.trigger == "retry" else found


@dataclass(frozen=True)
class StageReport:
    """What a stage did, small enough for an XCom."""

    stage: str
    records: int
    batches: int
    seconds: float
    counts: dict[str, int]
