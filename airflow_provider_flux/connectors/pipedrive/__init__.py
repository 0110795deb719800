"""The connector `pipedrive`: persons, organizations, deals, products and activities of API v2.

Read as any REST API is; writing differs: Pipedrive has neither an upsert nor a unique field, so every record is looked
up before (`records`, `newest`). Sources: the vendor's OpenAPI description of API v2 (`objects`), and
https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting.
"""

from __future__ import annotations

from airflow_provider_flux.connectors.api.form import CLIENT, OAUTH, REFRESH, TEST_PATH
from airflow_provider_flux.connectors.api.profile import ApiProfile, SignIn
from airflow_provider_flux.connectors.contract import Destination, Source
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.declare import Description, Form
from airflow_provider_flux.connectors.declared import DeclaredConnector, DeclaredSourceOptions
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.connectors.pipedrive.answers import ROWS, advise
from airflow_provider_flux.connectors.pipedrive.objects import RESOURCES
from airflow_provider_flux.connectors.pipedrive.options import PipedriveDestinationOptions
from airflow_provider_flux.transport.pace import Limit
from airflow_provider_flux.transport.tally import Tally


class Pipedrive(DeclaredConnector):
    """One Pipedrive company."""

    name = "pipedrive"
    conn_type = "flux_pipedrive"
    form = Form(
        "Pipedrive",
        hidden=("port", "schema", "login"),
        labels={"host": "Company domain", "password": "API token"},
        placeholders={
            "host": "https://acme.pipedrive.com; empty: https://api.pipedrive.com",
            "password": "Pipedrive: Personal preferences, API. Empty with OAuth",
        },
        fields={**OAUTH, **REFRESH, **CLIENT, "test_path": TEST_PATH},
    )
    profile = ApiProfile(
        base_url="https://api.pipedrive.com",
        sign_in=SignIn(
            kinds=("api_key", "refresh_token"),
            header="x-api-token",
            token_url="https://oauth.pipedrive.com/oauth/token",  # noqa: S106 - an address
            authorize_url="https://oauth.pipedrive.com/oauth/authorize",
            client_in="header",
        ),
        rows=ROWS,
        limits=(
            Limit(20, 2.0, "per user, on the Lite plan; 40 on Growth, 100 on Premium, 120 on Ultimate"),
            Limit(10, 2.0, "per user, on every plan", path="/search"),
        ),
        adviser=advise,
        test_path="/v1/users/me",
    )
    resources = RESOURCES
    destination_options = PipedriveDestinationOptions

    @classmethod
    def source(cls, options: SourceOptions, credentials: Credentials) -> Source:
        """Open the source."""
        from airflow_provider_flux.connectors.pipedrive.source import PipedriveSource

        assert isinstance(options, DeclaredSourceOptions)
        return PipedriveSource(options.rest(), credentials, cls.profile)

    @classmethod
    def destination(cls, options: DestinationOptions, credentials: Credentials) -> Destination:
        """Open the destination."""
        from airflow_provider_flux.connectors.pipedrive.destination import PipedriveDestination

        assert isinstance(options, PipedriveDestinationOptions)
        return PipedriveDestination(options, credentials, cls.profile)

    @classmethod
    def test(
        cls,
        credentials: Credentials,
        options: SourceOptions | DestinationOptions | None = None,
        tally: Tally | None = None,
    ) -> str:
        """GET /v1/users/me, which every token and every app may ask for."""
        from airflow_provider_flux.connectors.rest.probe import probe

        return probe(credentials, None, tally, cls.profile)

    @classmethod
    def describe(
        cls,
        credentials: Credentials,
        options: SourceOptions | DestinationOptions | None = None,
        object_name: str | None = None,
        tally: Tally | None = None,
    ) -> Description:
        """Ask for the fields of the object, custom ones included."""
        from airflow_provider_flux.connectors.pipedrive.fields import described

        declared = cls.object_type(object_name or getattr(options, "object", None))
        return described(credentials, cls.profile, declared, tally)
