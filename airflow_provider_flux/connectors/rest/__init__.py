"""The connector `rest`: any JSON API over HTTP, declared in the flow file.

Only the option models are imported with it; what talks HTTP is imported when a source or a destination is opened.
"""

from __future__ import annotations

from airflow_provider_flux.connectors.contract import Connector, Destination, Source
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.connectors.rest.destination_options import RestDestinationOptions
from airflow_provider_flux.connectors.rest.source_options import RestSourceOptions
from airflow_provider_flux.transport.tally import Tally


class Rest(Connector):
    """Lists of records from a REST API, and records into one."""

    name = "rest"
    conn_type = "flux_rest"
    source_options = RestSourceOptions
    destination_options = RestDestinationOptions

    @classmethod
    def source(cls, options: SourceOptions, credentials: Credentials) -> Source:
        """Open the source."""
        from airflow_provider_flux.connectors.rest.source import RestSource

        assert isinstance(options, RestSourceOptions)
        return RestSource(options, credentials)

    @classmethod
    def destination(cls, options: DestinationOptions, credentials: Credentials) -> Destination:
        """Open the destination."""
        from airflow_provider_flux.connectors.rest.destination import RestDestination

        assert isinstance(options, RestDestinationOptions)
        return RestDestination(options, credentials)

    @classmethod
    def test(
        cls,
        credentials: Credentials,
        options: SourceOptions | DestinationOptions | None = None,
        tally: Tally | None = None,
    ) -> str:
        """GET `test_path` of the connection's extra field, the path that a flow reads, or the base URL."""
        from airflow_provider_flux.connectors.rest.probe import probe

        assert options is None or isinstance(options, (RestSourceOptions, RestDestinationOptions))
        return probe(credentials, options, tally)
