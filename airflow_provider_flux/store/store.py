"""The one door to Flux's own tables."""

from __future__ import annotations

from types import TracebackType

from airflow_provider_flux.store.address import parse_url, place
from airflow_provider_flux.store.aftermath import Aftermath
from airflow_provider_flux.store.claims import Claims
from airflow_provider_flux.store.cursors import Cursors
from airflow_provider_flux.store.database import Database
from airflow_provider_flux.store.decisions import Decisions
from airflow_provider_flux.store.errors import Errors
from airflow_provider_flux.store.health import Health
from airflow_provider_flux.store.known import Known
from airflow_provider_flux.store.links import Links
from airflow_provider_flux.store.mappings import Mappings
from airflow_provider_flux.store.metrics import Reporting
from airflow_provider_flux.store.outcomes import Outcomes
from airflow_provider_flux.store.pace import Pacing
from airflow_provider_flux.store.purge import Purge
from airflow_provider_flux.store.records import Records
from airflow_provider_flux.store.resolution import Resolution
from airflow_provider_flux.store.runs import Runs
from airflow_provider_flux.store.shapes import Shapes
from airflow_provider_flux.store.stages import Stages
from airflow_provider_flux.store.tokens import Tokens
from airflow_provider_flux.store.upgrade import create_sqlite
from airflow_provider_flux.store.version import check_current, revision


class Store(
    Runs,
    Stages,
    Records,
    Outcomes,
    Links,
    Cursors,
    Errors,
    Aftermath,
    Claims,
    Decisions,
    Resolution,
    Known,
    Health,
    Mappings,
    Pacing,
    Tokens,
    Reporting,
    Shapes,
    Purge,
):
    """Flux's own tables. Safe to use from several threads; open one per process, after any fork."""

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(url: str) -> Store:
    """Open the store. A SQLite store makes itself on first use; others are made by `airflow-flux db upgrade`.

    :param url: `sqlite:////absolute/path.db` (`?timeout=5`: seconds to wait for a lock) or `postgresql://...`
    :raises FluxError: CONFIG_INVALID for a URL that cannot be a store's, STORE_VERSION when its tables are missing or
        of another version of Flux, STORE_UNAVAILABLE when it cannot be reached
    """
    target = parse_url(url)
    create_sqlite(target)
    database = Database(target)
    try:
        with database.reading() as connection:
            found = revision(connection, place(target))
        check_current(found, place(target))
    except BaseException:
        database.close()
        raise
    return Store(database)
