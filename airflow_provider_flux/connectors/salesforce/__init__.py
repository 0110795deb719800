"""Salesforce: reads by SOQL, writes by sObject collections, over the official Salesforce provider's connection.

Sources of the facts: REST API Developer Guide (Query, sObject Collections, Describe, Status Codes and Error Responses).
"""

from __future__ import annotations

from airflow_provider_flux.connectors.api.profile import ApiProfile, SignIn
from airflow_provider_flux.connectors.contract import Connector, Destination, Source
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.declare import Description
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.connectors.salesforce.objects import ANY, OBJECTS
from airflow_provider_flux.connectors.salesforce.options import SalesforceDestinationOptions, SalesforceSourceOptions
from airflow_provider_flux.connectors.salesforce.rows import ROWS
from airflow_provider_flux.transport.quota import adviser_of
from airflow_provider_flux.transport.tally import Tally

PROFILE = ApiProfile(
    sign_in=SignIn(
        kinds=("client_credentials", "jwt_bearer", "refresh_token", "bearer"),
        authorize_url="https://login.salesforce.com/services/oauth2/authorize",
        token_url="https://login.salesforce.com/services/oauth2/token",  # noqa: S106 - no password
        pkce=True,
        base_url_from="instance_url",
    ),
    rows=ROWS,
    adviser=adviser_of(ROWS),
)


class Salesforce(Connector):
    """Standard and custom objects of one org."""

    name = "salesforce"
    conn_type = "salesforce"
    profile = PROFILE
    objects = tuple(OBJECTS.values())
    any_object = ANY
    source_options = SalesforceSourceOptions
    destination_options = SalesforceDestinationOptions

    @classmethod
    def hook_path(cls) -> str:
        """On the official provider's hook, which also registers the connection type and its form."""
        return "airflow_provider_flux.hooks.salesforce.FluxSalesforceHook"

    @classmethod
    def adapted(cls, credentials: Credentials) -> Credentials:
        """From the names of the official provider's connection."""
        from airflow_provider_flux.connectors.salesforce.connection import adapted

        return adapted(credentials)

    @classmethod
    def source(cls, options: SourceOptions, credentials: Credentials) -> Source:
        """Open the source."""
        from airflow_provider_flux.connectors.salesforce.source import SalesforceSource

        assert isinstance(options, SalesforceSourceOptions)
        return SalesforceSource(options, credentials, PROFILE)

    @classmethod
    def destination(cls, options: DestinationOptions, credentials: Credentials) -> Destination:
        """Open the destination."""
        from airflow_provider_flux.connectors.salesforce.destination import SalesforceDestination

        assert isinstance(options, SalesforceDestinationOptions)
        return SalesforceDestination(options, credentials, PROFILE)

    @classmethod
    def test(
        cls,
        credentials: Credentials,
        options: SourceOptions | DestinationOptions | None = None,
        tally: Tally | None = None,
    ) -> str:
        """Ask the org which resources it has."""
        from airflow_provider_flux.connectors.salesforce.describe import probe

        return probe(credentials, PROFILE, tally)

    @classmethod
    def describe(
        cls,
        credentials: Credentials,
        options: SourceOptions | DestinationOptions | None = None,
        object_name: str | None = None,
        tally: Tally | None = None,
    ) -> Description | None:
        """Ask the org for the fields of an object, its own ones included."""
        from airflow_provider_flux.connectors.salesforce.describe import describe

        named = object_name or getattr(options, "object", None)
        return describe(credentials, PROFILE, named, tally)
