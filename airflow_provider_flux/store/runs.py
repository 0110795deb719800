"""The runs of every flow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import literal_column, or_, select, update
from sqlalchemy.engine import Connection, Row
from sqlalchemy.sql import ColumnElement

from airflow_provider_flux.store.part import LARGEST_ID, StorePart, insert_into
from airflow_provider_flux.store.rows import BUCKETS, Run, Trace
from airflow_provider_flux.store.tables import batches, runs
from airflow_provider_flux.store.text import clean, clean_or_none, now_text

RUNNING = "running"

_COUNTS = ("read", *BUCKETS)
_NO_TRACE = dict.fromkeys(("error_stage", "error_code", "error_message", "error_next_step", "error_answer"))


class Runs(StorePart):
    """One row per run of a flow; every method raises FluxError STORE_UNAVAILABLE."""

    def start_run(
        self,
        flow: str,
        run_id: str,
        trigger: str,
        mapping: str,
        replay_of: str | None = None,
        *,
        replay_what: str | None = None,
        replay_payload: str | None = None,
        requested_by: str | None = None,
    ) -> Run:
        """The run's row, made where it is not there yet.

        A finished run keeps its end until settle writes another: a task that is cleared alone has no settle after it.

        :param trigger: scheduled, manual, backfill, replay, retry or cli
        :param mapping: what the flow file says in `mapping:`
        :param replay_of: run_id of the run whose failed records this one delivers, where all are of one run
        :param replay_what: which records a replay delivers, in words
        :param replay_payload: stored or source
        :param requested_by: who asked for the replay
        """
        found = self.run(flow, run_id)
        if found is not None:
            return found
        values = {
            "flow": flow,
            "run_id": run_id,
            "trigger": str(trigger),
            "replay_of": clean_or_none(replay_of),
            "replay_what": clean_or_none(replay_what),
            "replay_payload": replay_payload,
            "requested_by": clean_or_none(requested_by),
            "state": RUNNING,
            "mapping": mapping,
            "window_fixed": 0,
            "started_at": now_text(),
        }
        with self._database.writing() as connection:
            insert = insert_into(runs, connection.dialect.name)
            connection.execute(insert.values(values).on_conflict_do_nothing())
            row = connection.execute(_select(flow, run_id)).one()
        return _run(row)

    def run(self, flow: str, run_id: str) -> Run | None:
        """The run with this run_id."""
        with self._database.reading() as connection:
            row = connection.execute(_select(flow, run_id)).first()
        return None if row is None else _run(row)

    def find_run(self, run_id_or_number: str | int, flow: str | None = None) -> list[Run]:
        """The runs that a person may mean: with this run_id (one per flow at most) or this number, newest first."""
        text = clean(str(run_id_or_number))
        meant: ColumnElement[bool] = runs.c.run_id == text
        if text.isascii() and text.isdigit() and int(text) <= LARGEST_ID:
            meant = or_(meant, runs.c.id == int(text))
        return self._list(meant, flow, limit=None)

    def runs_in_doubt(self, flow: str) -> list[Run]:
        """The runs with a batch that was sent and never acknowledged, oldest first."""
        # Written out, not a parameter: only so can the planner tell that the index of these batches will do.
        doubtful = select(batches.c.run).where(batches.c.state == literal_column("'sent'"))
        statement = select(runs).where(runs.c.flow == flow, runs.c.id.in_(doubtful)).order_by(runs.c.id)
        with self._database.reading() as connection:
            return [_run(row) for row in connection.execute(statement)]

    def runs(self, flow: str | None = None, limit: int | None = 20) -> list[Run]:
        """The latest runs, newest first."""
        return self._list(None, flow, limit)

    def fix_window(self, run: Run, start: str | None, end: str | None, cursor_before: str | None) -> Run:
        """Keep the window that the run reads. The first caller decides; later ones get what it decided.

        :param start: canonical cursor text (see `connectors.cursor`), None for an open end
        :param cursor_before: the flow's cursor when the window was chosen
        """
        unfixed = update(runs).where(runs.c.id == run.id, runs.c.window_fixed == 0)
        values = {
            "window_fixed": 1,
            "window_start": clean_or_none(start),
            "window_end": clean_or_none(end),
            "cursor_before": clean_or_none(cursor_before),
        }
        with self._database.writing() as connection:
            connection.execute(unfixed.values(values))
            return _by_id(connection, run.id)

    def pin_mapping(self, run: Run, epoch: int, version: int) -> Run:
        """Keep the mapping version that an epoch uses. Retries of that epoch keep it; a newer epoch decides anew."""
        older = or_(runs.c.mapping_epoch.is_(None), runs.c.mapping_epoch < epoch)
        unpinned = update(runs).where(runs.c.id == run.id, older)
        with self._database.writing() as connection:
            connection.execute(unpinned.values(mapping_version=version, mapping_epoch=epoch))
            return _by_id(connection, run.id)

    def finish_run(
        self,
        run: Run,
        *,
        state: str,
        counts: Mapping[str, int],
        cursor_after: str | None,
        trace: Trace | None,
        repeated: int = 0,
    ) -> Run:
        """Close the run.

        :param state: succeeded, partial, failed or canceled
        :param counts: `read` and the buckets; one that is not named is 0
        :param repeated: how many of the skipped an earlier run had delivered, or failed with, as they are
        :param cursor_after: the flow's cursor as this run leaves it
        :param trace: why it failed
        :raises ValueError: for a count that is not a bucket
        """
        unknown = sorted(set(counts) - set(_COUNTS))
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: not a bucket")
        values: dict[str, Any] = {name: counts.get(name, 0) for name in _COUNTS}
        values |= _trace(trace)
        values |= {"state": state, "cursor_after": clean_or_none(cursor_after), "ended_at": now_text()}
        values["repeated"] = repeated
        with self._database.writing() as connection:
            connection.execute(update(runs).where(runs.c.id == run.id).values(values))
            return _by_id(connection, run.id)

    def _list(self, condition: ColumnElement[bool] | None, flow: str | None, limit: int | None) -> list[Run]:
        statement = select(runs).order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(limit)
        if condition is not None:
            statement = statement.where(condition)
        if flow is not None:
            statement = statement.where(runs.c.flow == clean(flow))
        with self._database.reading() as connection:
            return [_run(row) for row in connection.execute(statement)]


def _select(flow: str, run_id: str) -> Any:
    return select(runs).where(runs.c.flow == clean(flow), runs.c.run_id == clean(run_id))


def _by_id(connection: Connection, number: int) -> Run:
    return _run(connection.execute(select(runs).where(runs.c.id == number)).one())


def _run(row: Row[Any]) -> Run:
    values = dict(row._mapping)
    values["window_fixed"] = bool(values["window_fixed"])
    return Run(**values)


def _trace(trace: Trace | None) -> dict[str, Any]:
    if trace is None:
        return dict(_NO_TRACE)
    error = trace.error
    return {
        "error_stage": str(trace.stage),
        "error_code": error.code,
        "error_message": clean(error.message),
        "error_next_step": clean(error.next_step),
        "error_answer": clean_or_none(error.answer),
    }
