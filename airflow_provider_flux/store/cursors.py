"""How far each flow has come."""

from __future__ import annotations

from sqlalchemy import select

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
        """Move the flow's cursor forward in one statement; whoever is behind changes nothing.

        :return: whether it moved
        """
        row = {"flow": flow, "value": clean(value), "run_id": run_id, "moved_at": now_text()}
        with self._database.writing() as connection:
            insert = insert_into(cursors, connection.dialect.name).values(row)
            new = insert.excluded
            statement = insert.on_conflict_do_update(
                index_elements=[cursors.c.flow],
                set_={"value": new.value, "run_id": new.run_id, "moved_at": new.moved_at},
                where=cursors.c.value < new.value,
            )
            return connection.execute(statement).rowcount == 1
