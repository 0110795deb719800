"""How far each flow has come."""

from __future__ import annotations

from sqlalchemy import select, update

from airflow_provider_flux.store.part import StorePart, insert_into
from airflow_provider_flux.store.tables import cursors
from airflow_provider_flux.store.text import clean, now_text


class Cursors(StorePart):
    """One row per flow; every method raises FluxError STORE_UNAVAILABLE."""

    def cursor(self, flow: str) -> str | None:
        """The canonical cursor text (see `connectors.cursor`), None before the first run that moved it."""
        with self._database.reading() as connection:
            return connection.execute(select(cursors.c.value).where(cursors.c.flow == flow)).scalar()

    def move_cursor(self, flow: str, value: str, run_id: str) -> bool:
        """Move the flow's cursor forward in one statement that compares and sets.

        :param value: canonical cursor text, not empty
        :return: whether it moved; it never moves backwards
        """
        # Less than every value: the row is there, and locked, before the one statement that compares.
        first = {"flow": flow, "value": "", "run_id": run_id, "moved_at": now_text()}
        new = {"value": clean(value), "run_id": run_id, "moved_at": now_text()}
        behind = update(cursors).where(cursors.c.flow == flow, cursors.c.value < new["value"])
        with self._database.writing() as connection:
            connection.execute(insert_into(cursors, connection.dialect.name).values(first).on_conflict_do_nothing())
            return int(connection.execute(behind.values(new)).rowcount) == 1
