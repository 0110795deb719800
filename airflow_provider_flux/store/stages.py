"""What each stage of a run did, once per epoch."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, bindparam, select, update
from sqlalchemy.engine import Row
from sqlalchemy.sql import ColumnElement

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.store.part import StorePart, insert_into
from airflow_provider_flux.store.rows import Run, StageRow
from airflow_provider_flux.store.tables import stages
from airflow_provider_flux.store.text import clean, clean_or_none, now_text

# Built once: every batch of every stage notes its progress. What it sets are the other parameters of its execution.
_UPDATE = update(stages).where(
    stages.c.run == bindparam("of_run"),
    stages.c.stage == bindparam("of_stage"),
    stages.c.epoch == bindparam("of_epoch"),
)


class Stages(StorePart):
    """One row per run, stage and epoch; every method raises FluxError STORE_UNAVAILABLE."""

    def start_stage(self, run: Run, stage: str, epoch: int, input_epoch: int | None = None) -> StageRow:
        """Note that an attempt begins: the first makes the row, a retry counts itself and clears the last one's end.

        :param input_epoch: epoch of the stage before whose files this one reads
        """
        attempt = {
            "input_epoch": input_epoch,
            "state": "running",
            "records": 0,
            "batches": 0,
            "sha256": None,
            "cursor_max": None,
            "error_code": None,
            "error_message": None,
            "error_next_step": None,
            "error_answer": None,
            "started_at": now_text(),
            "ended_at": None,
        }
        with self._database.writing() as connection:
            statement = insert_into(stages, connection.dialect.name).on_conflict_do_update(
                index_elements=[stages.c.run, stages.c.stage, stages.c.epoch],
                set_={**attempt, "attempts": stages.c.attempts + 1},
            )
            connection.execute(statement.values(run=run.id, stage=str(stage), epoch=epoch, attempts=1, **attempt))
            row = connection.execute(select(stages).where(_is(run, stage, epoch))).one()
        return _stage(row)

    def progress_stage(self, run: Run, stage: str, epoch: int, records: int, batches: int) -> None:
        """Note how far the running attempt is."""
        self._update(run, stage, epoch, {"records": records, "batches": batches})

    def seal_stage(
        self,
        run: Run,
        stage: str,
        epoch: int,
        *,
        records: int,
        batches: int,
        sha256: str | None,
        cursor_max: str | None = None,
    ) -> None:
        """Note that the stage is complete.

        :param sha256: of its sealed manifest
        :param cursor_max: read: the greatest cursor value seen inside the window
        """
        values = {"state": "sealed", "records": records, "batches": batches, "sha256": sha256}
        self._update(run, stage, epoch, {**values, "cursor_max": clean_or_none(cursor_max), "ended_at": now_text()})

    def fail_stage(self, run: Run, stage: str, epoch: int, error: FluxError) -> None:
        """Note why the attempt ended."""
        values = {
            "state": "failed",
            "error_code": error.code,
            "error_message": clean(error.message),
            "error_next_step": clean(error.next_step),
            "error_answer": clean_or_none(error.answer),
        }
        self._update(run, stage, epoch, {**values, "ended_at": now_text()})

    def stage(self, run: Run, stage: str, epoch: int) -> StageRow | None:
        """The row of one stage, None before its first attempt."""
        with self._database.reading() as connection:
            row = connection.execute(select(stages).where(_is(run, stage, epoch))).first()
        return None if row is None else _stage(row)

    def stages(self, run: Run) -> list[StageRow]:
        """Every stage of every epoch of a run, in the order of their first attempts."""
        with self._database.reading() as connection:
            rows = connection.execute(select(stages).where(stages.c.run == run.id).order_by(stages.c.id))
            return [_stage(row) for row in rows]

    def _update(self, run: Run, stage: str, epoch: int, values: dict[str, Any]) -> None:
        place = {"of_run": run.id, "of_stage": str(stage), "of_epoch": epoch}
        with self._database.writing() as connection:
            found = connection.execute(_UPDATE, {**place, **values})
            if not found.rowcount:
                raise FluxError(
                    "ACCOUNTING_MISMATCH", f"the row of the {stage} stage of run '{run.run_id}' is not in the store"
                )


def _is(run: Run, stage: str, epoch: int) -> ColumnElement[bool]:
    return and_(stages.c.run == run.id, stages.c.stage == str(stage), stages.c.epoch == epoch)


def _stage(row: Row[Any]) -> StageRow:
    return StageRow(**row._mapping)
