"""What became, since a run, of the records that it did not deliver."""

from __future__ import annotations

from sqlalchemy import func, select

from airflow_provider_flux.store.part import StorePart
from airflow_provider_flux.store.rows import Became, Run
from airflow_provider_flux.store.tables import errors


class Aftermath(StorePart):
    """Follows the errors of a run; raises FluxError STORE_UNAVAILABLE."""

    def became(self, run: Run) -> list[Became]:
        """Where the errors of a run stand now, by state, by the run that delivered them, and by who has them."""
        columns = (errors.c.state, errors.c.resolved_by, errors.c.replay_active)
        statement = (
            select(*columns, func.count(), func.min(errors.c.due_at))
            .where(errors.c.run == run.id)
            .group_by(*columns)
            .order_by(func.count().desc(), *columns)
        )
        with self._database.reading() as connection:
            return [Became(row[0], row[1], bool(row[2]), *row[3:]) for row in connection.execute(statement)]
