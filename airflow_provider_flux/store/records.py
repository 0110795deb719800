"""The fate of records, batch by batch: what transform decided, what was sent, what was acknowledged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from sqlalchemy import delete, insert, literal, or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Executable

from airflow_provider_flux.errors import FluxError, Stage
from airflow_provider_flux.store.error_rows import copy_errors, write_errors
from airflow_provider_flux.store.links import write_links
from airflow_provider_flux.store.outcomes import write_outcomes
from airflow_provider_flux.store.part import StorePart, insert_into
from airflow_provider_flux.store.rows import Link, NewError, Outcome, Run
from airflow_provider_flux.store.tables import batches, outcomes
from airflow_provider_flux.store.text import now_text

SENT, ACKED = "sent", "acked"
STOPPED = "stopped"  # a part of the batch is unsent, or was refused and ended the run: only a clear comes back to it
_TRANSFORM, _WRITE = Stage.TRANSFORM.value, Stage.WRITE.value


class Records(StorePart):
    """Outcomes, acknowledgements and errors of batches; every method raises FluxError STORE_UNAVAILABLE."""

    def record_transform(
        self,
        run: Run,
        epoch: int,
        batch: int,
        outcomes: Sequence[Outcome],
        errors: Sequence[NewError],
        mapping_version: int | None,
    ) -> None:
        """Record the records of a batch that do not go on to write, in place of what an earlier attempt recorded."""
        with self._database.writing() as connection:
            write_outcomes(connection, _key(run, _TRANSFORM, epoch, batch), outcomes)
            write_errors(connection, run, _TRANSFORM, epoch, batch, errors, mapping_version)

    def mark_sent(self, run: Run, epoch: int, batch: int, sha256: str, mapping_version: int | None) -> None:
        """Note that a batch may reach the destination from now on. An acknowledgement of the same content stays."""
        self.mark_all_sent(run, epoch, {batch: sha256}, mapping_version)

    def mark_all_sent(self, run: Run, epoch: int, sent: Mapping[int, str], mapping_version: int | None) -> None:
        """As `mark_sent`, for several batches at once.

        :param sent: SHA-256 of the content, by batch
        """
        rows = [
            {**_batch(run, epoch, batch, sha256, mapping_version), "state": SENT, "acked_at": None}
            for batch, sha256 in sent.items()
        ]
        if rows:
            with self._database.writing() as connection:
                connection.execute(_mark_sent(connection.dialect.name), rows)

    def together(self) -> AbstractContextManager[None]:
        """Make one transaction of what this thread writes inside the block (see `Database.together`)."""
        return self._database.together()

    def forget_sent(self, run: Run, epoch: int, batch: int, arrived: Sequence[Link] = ()) -> None:
        """Note that nothing of a `sent` batch reached the destination: a retry may send it without any doubt.

        :param arrived: what reached it nevertheless; the guard keeps that from being sent again
        """
        with self._database.writing() as connection:
            connection.execute(
                delete(batches).where(
                    batches.c.run == run.id,
                    batches.c.epoch == epoch,
                    batches.c.batch == batch,
                    batches.c.state == SENT,
                )
            )
            write_links(connection, run, arrived)

    def batch_states(self, run: Run, epoch: int) -> dict[int, tuple[str, str]]:
        """By batch: `sent`, `acked` or `stopped`, and the SHA-256 of its content."""
        statement = select(batches.c.batch, batches.c.state, batches.c.sha256).where(
            batches.c.run == run.id, batches.c.epoch == epoch
        )
        with self._database.reading() as connection:
            return {row[0]: (row[1], row[2]) for row in connection.execute(statement)}

    def acked_elsewhere(self, run: Run, epoch: int) -> dict[str, int]:
        """SHA-256 of the batches that earlier epochs of this run acknowledged, with the newest such epoch.

        Not of those of which a record failed: a clear is there to send it again, and the links tell what was delivered.
        """
        failed = (
            select(outcomes.c.id)
            .where(
                outcomes.c.run == batches.c.run,
                outcomes.c.stage == _WRITE,
                outcomes.c.epoch == batches.c.epoch,
                outcomes.c.batch == batches.c.batch,
                outcomes.c.bucket == "failed",
            )
            .correlate(batches)
            .exists()
        )
        statement = (
            select(batches.c.sha256, batches.c.epoch)
            .where(batches.c.run == run.id, batches.c.epoch < epoch, batches.c.state == ACKED, ~failed)
            .order_by(batches.c.epoch)
        )
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(statement)}

    def ack(
        self,
        run: Run,
        epoch: int,
        batch: int,
        sha256: str,
        outcomes: Sequence[Outcome],
        errors: Sequence[NewError],
        links: Sequence[Link],
        mapping_version: int | None,
        *,
        state: str = ACKED,
    ) -> None:
        """Record what the destination answered for a batch, in one transaction with its link rows.

        :param state: STOPPED when a clear is to send again what its link rows do not say was delivered
        """
        row = {**_batch(run, epoch, batch, sha256, mapping_version), "state": state, "acked_at": now_text()}
        with self._database.writing() as connection:
            connection.execute(_acknowledge(connection.dialect.name), row)
            write_outcomes(connection, _key(run, _WRITE, epoch, batch), outcomes)
            write_errors(connection, run, _WRITE, epoch, batch, errors, mapping_version)
            write_links(connection, run, links)

    def copy_ack(self, run: Run, from_epoch: int, epoch: int, batch: int, sha256: str) -> None:
        """Let the acknowledgement of an equal batch of an earlier epoch hold: batch, outcomes and errors are copied.

        :raises FluxError: ACCOUNTING_MISMATCH when that epoch acknowledged no such batch
        """
        with self._database.writing() as connection:
            found = connection.execute(
                select(batches.c.batch, batches.c.mapping_version).where(
                    batches.c.run == run.id,
                    batches.c.epoch == from_epoch,
                    batches.c.sha256 == sha256,
                    batches.c.state == ACKED,
                )
            ).first()
            if found is None:
                raise FluxError(
                    "ACCOUNTING_MISMATCH",
                    f"run '{run.run_id}': epoch {from_epoch} acknowledged no batch with the content of batch {batch}",
                )
            row = {**_batch(run, epoch, batch, sha256, found[1]), "state": ACKED, "acked_at": now_text()}
            connection.execute(_acknowledge(connection.dialect.name), row)
            write_outcomes(connection, _key(run, _WRITE, epoch, batch), ())
            write_errors(connection, run, _WRITE, epoch, batch, (), None)
            _copy_outcomes(connection, run, (from_epoch, found[0]), (epoch, batch))
            copy_errors(connection, run, (from_epoch, found[0]), (epoch, batch))


def _key(run: Run, stage: str, epoch: int, batch: int) -> dict[str, Any]:
    return {"run": run.id, "stage": stage, "epoch": epoch, "batch": batch}


def _batch(run: Run, epoch: int, batch: int, sha256: str, mapping_version: int | None) -> dict[str, Any]:
    return {
        "run": run.id,
        "epoch": epoch,
        "batch": batch,
        "sha256": sha256,
        "mapping_version": mapping_version,
        "sent_at": now_text(),
    }


def _copy_outcomes(connection: Connection, run: Run, source: tuple[int, int], target: tuple[int, int]) -> None:
    kept = ("run", "stage", "bucket", "reason", "first", "last")
    copied = select(
        *(outcomes.c[name] for name in kept), literal(target[0]).label("epoch"), literal(target[1]).label("batch")
    ).where(
        outcomes.c.run == run.id,
        outcomes.c.stage == _WRITE,
        outcomes.c.epoch == source[0],
        outcomes.c.batch == source[1],
    )
    connection.execute(insert(outcomes).from_select([*kept, "epoch", "batch"], copied.order_by(outcomes.c.id)))


@lru_cache
def _mark_sent(dialect: str) -> Executable:
    statement = insert_into(batches, dialect)
    new: Any = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[batches.c.run, batches.c.epoch, batches.c.batch],
        set_={name: new[name] for name in ("sha256", "mapping_version", "state", "sent_at", "acked_at")},
        where=or_(batches.c.state != ACKED, batches.c.sha256 != new.sha256),
    )


@lru_cache
def _acknowledge(dialect: str) -> Executable:
    statement = insert_into(batches, dialect)
    new: Any = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[batches.c.run, batches.c.epoch, batches.c.batch],
        # The instant of sending is the one that `mark_sent` noted.
        set_={name: new[name] for name in ("sha256", "mapping_version", "state", "acked_at")},
    )
