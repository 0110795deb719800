"""What every stage of a run needs to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.contract import Destination, Source
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.flow.models import Flow
from airflow_provider_flux.staging import StageFiles, Staging
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.rows import Run


def _silent(stage: str, records: int) -> None:
    """Nobody watches."""


@dataclass
class RunContext:
    """One run of one flow, as Airflow or the command line started it.

    :param run_id: Airflow's run id, or one of the command line's own
    :param trigger: scheduled, manual, backfill, replay or cli
    :param epoch: raised by every clear, not by a retry (Airflow's `clear_number`)
    :param interval: Airflow's data interval; the window of a backfill
    :param replay_of: run id of the run whose failed records this run delivers
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
    replay_of: str | None = None
    on_progress: Callable[[str, int], None] = field(default=_silent)

    def run(self) -> Run:
        """The run's row in the store, made by whichever stage comes first."""
        return self.store.start_run(self.flow.id, self.run_id, self.trigger, self.flow.file.mapping, self.replay_of)

    def files(self, stage: str, epoch: int) -> StageFiles:
        """The staged files of a stage of this run."""
        return self.staging.files(self.flow.id, self.run_id, stage, epoch)

    def open_source(self) -> Source:
        """:raises FluxError: CONNECTION_INVALID"""
        options = self.flow.file.source
        return registry.get(options.connector).source(options, self.credentials(options.connection))

    def open_destination(self) -> Destination:
        """:raises FluxError: CONNECTION_INVALID"""
        options = self.flow.file.destination
        return registry.get(options.connector).destination(options, self.credentials(options.connection))


@dataclass(frozen=True)
class StageReport:
    """What a stage did, small enough for an XCom."""

    stage: str
    records: int
    batches: int
    seconds: float
    counts: dict[str, int]
