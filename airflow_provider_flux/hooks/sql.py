"""The hook of the connection type `flux_sql`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.sql.hooks.sql import DbApiHook

from airflow_provider_flux.compat import AIRFLOW_V_3_2_PLUS
from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.sql.url import database_url
from airflow_provider_flux.hooks.connections import credentials
from airflow_provider_flux.hooks.forms import field_behaviour, form_widgets, test_result

if TYPE_CHECKING:
    from sqlalchemy.engine import URL


class FluxSqlHook(DbApiHook):
    """A database as Flux reaches it. A DAG of your own may use it like any hook of the SQL providers.

    :param flux_sql_conn_id: id of an Airflow connection of type `flux_sql`
    """

    conn_name_attr = "flux_sql_conn_id"
    default_conn_name = "flux_sql_default"
    conn_type = "flux_sql"
    hook_name = "Flux SQL"

    flux_sql_conn_id: str

    def credentials(self) -> Credentials:
        """The connection as the connector takes it.

        :raises FluxError: CONNECTION_INVALID
        """
        return credentials(self.flux_sql_conn_id)

    @property
    def sqlalchemy_url(self) -> URL:
        """The URL of the database.

        :raises FluxError: CONNECTION_INVALID with the field of the connection that is missing or wrong
        """
        return database_url(self.credentials())

    def get_uri(self) -> str:
        """The URL of the database as text, with its password."""
        return self.sqlalchemy_url.render_as_string(hide_password=False)

    def get_conn(self) -> Any:
        """A DB-API connection."""
        return self.get_sqlalchemy_engine().raw_connection()

    def test_connection(self) -> tuple[bool, str]:  # type: ignore[override]  # the base class has no annotation
        """Log in, for the Test button of the connection form."""
        return test_result(lambda: registry.get("sql").test(self.credentials()))

    # From Airflow 3.2 on the form comes from `provider_info` and these methods would only raise warnings.
    if not AIRFLOW_V_3_2_PLUS:

        @classmethod
        def get_connection_form_widgets(cls) -> dict[str, Any]:
            """Fields beyond Airflow's own."""
            return form_widgets(cls.conn_type)

        @classmethod
        def get_ui_field_behaviour(cls) -> dict[str, Any]:
            """Labels and placeholders of the form."""
            return field_behaviour(cls.conn_type)
