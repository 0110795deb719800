"""Any SQL database that SQLAlchemy reaches: read by table or query, write by upsert, insert or update.

This module only declares; SQLAlchemy and the drivers are imported when a connection is opened, because flow files
are validated with these declarations whenever Airflow parses a DAG file.
"""

from __future__ import annotations

from airflow_provider_flux.connectors.contract import Connector, Destination, Source
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.declare import SECRET, Description, Form, FormField, ObjectType
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.connectors.sql.options import SqlDestinationOptions, SqlSourceOptions
from airflow_provider_flux.transport.tally import Tally


class Sql(Connector):
    """The connector `sql`: SQLite and PostgreSQL are tested, other dialects use the portable statements."""

    name = "sql"
    conn_type = "flux_sql"
    form = Form(
        "Flux SQL",
        labels={"schema": "Database"},
        placeholders={
            "host": "db.example.com, or the path of a SQLite file", "port": "5432", "schema": "warehouse",
        },
        fields={
            "dialect": FormField(
                "Dialect", "Kind of database as SQLAlchemy names it: postgresql, mysql, sqlite, ..."
            ),
            "driver": FormField(
                "Driver", "Python driver, for example psycopg. When empty: whichever of the usual ones is installed."
            ),
            "url": FormField(
                "SQLAlchemy URL",
                "Instead of the other fields, for databases that need more. Login and password may stay.",
                SECRET,
            ),
        },
    )  # fmt: skip
    any_object = ObjectType(
        "a table, a view, or (to read) a query",
        key=("as the flow says",),
        incremental="by the column that `cursor` names, with `>=`",
        paging="keyset: by cursor and key, never OFFSET",
        modes=SqlDestinationOptions.MODES,
        deletes=SqlDestinationOptions.DELETES,
        fallback_keys=SqlDestinationOptions.FALLBACK_KEYS,
        batch_size=10_000,
        doubt="upsert and update are sent again; a create is looked up by `key`, and held for a person without one",
    )
    source_options = SqlSourceOptions
    destination_options = SqlDestinationOptions

    @classmethod
    def hook_path(cls) -> str:
        """A hook of its own: it is one of the SQL providers' too."""
        return "airflow_provider_flux.hooks.sql.FluxSqlHook"

    @classmethod
    def source(cls, options: SourceOptions, credentials: Credentials) -> Source:
        from airflow_provider_flux.connectors.sql.read import SqlSource

        assert isinstance(options, SqlSourceOptions)
        return SqlSource(options, credentials)

    @classmethod
    def destination(cls, options: DestinationOptions, credentials: Credentials) -> Destination:
        from airflow_provider_flux.connectors.sql.write import SqlDestination

        assert isinstance(options, SqlDestinationOptions)
        return SqlDestination(options, credentials)

    @classmethod
    def test(
        cls,
        credentials: Credentials,
        options: SourceOptions | DestinationOptions | None = None,
        tally: Tally | None = None,
    ) -> str:
        from airflow_provider_flux.connectors.sql.database import Database

        database = Database(credentials, "destination", tally=tally)
        try:
            return database.test()
        finally:
            database.close()

    @classmethod
    def describe(
        cls,
        credentials: Credentials,
        options: SourceOptions | DestinationOptions | None = None,
        object_name: str | None = None,
        tally: Tally | None = None,
    ) -> Description | None:
        """Ask the database for the columns of a table, or of the flow's query."""
        from airflow_provider_flux.connectors.sql.describe import describe

        assert options is None or isinstance(options, (SqlSourceOptions, SqlDestinationOptions))
        return describe(credentials, options, object_name, tally)
