"""The connector `rest`: any JSON API over HTTP, declared in the flow file.

Only the option models are imported with it; what talks HTTP is imported when a source or a destination is opened.
"""

from __future__ import annotations

from airflow_provider_flux.connectors.api.form import CLIENT, CONSENT, JWT, OAUTH, REFRESH, TEST_PATH, WAY
from airflow_provider_flux.connectors.api.profile import ANY_API
from airflow_provider_flux.connectors.contract import Connector, Destination, Source
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.declare import Form, ObjectType
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.connectors.rest.destination_options import RestDestinationOptions
from airflow_provider_flux.connectors.rest.source_options import RestSourceOptions
from airflow_provider_flux.transport.tally import Tally


class Rest(Connector):
    """Lists of records from a REST API, and records into one."""

    name = "rest"
    conn_type = "flux_rest"
    form = Form(
        "Flux REST",
        labels={
            "host": "Base URL",
            "schema": "Protocol",
            "login": "User (Basic only)",
            "password": "API key, token or password",
        },
        placeholders={
            "host": "https://api.example.com/v1",
            "schema": "https",
            "password": "how it is sent is written in the flow: auth",
        },
        fields={
            "auth": WAY,
            **OAUTH,
            **REFRESH,
            "authorize_url": CONSENT,
            **JWT,
            **CLIENT,
            "test_path": TEST_PATH,
        },
    )
    profile = ANY_API
    any_object = ObjectType(
        "whatever the flow names",
        key=("as the flow says",),
        incremental="by the parameter that `incremental` names",
        paging="cursor, page, offset, link_header, next_url, next_url_header",
        modes=RestDestinationOptions.MODES,
        deletes=RestDestinationOptions.DELETES,
        fallback_keys=RestDestinationOptions.FALLBACK_KEYS,
        batch_size=10_000,
        doubt="sent again where the write is idempotent, else looked up with `find`, else held for a person",
    )
    source_options = RestSourceOptions
    destination_options = RestDestinationOptions

    @classmethod
    def hook_path(cls) -> str:
        """A hook of its own: it is the HTTP provider's too."""
        return "airflow_provider_flux.hooks.rest.FluxRestHook"

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
