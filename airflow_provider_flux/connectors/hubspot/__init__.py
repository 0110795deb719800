"""The connector `hubspot`: contacts, companies, deals, tickets and custom objects of a HubSpot account.

Facts come from HubSpot's OpenAPI description of CRM objects v3 (github.com/HubSpot/HubSpot-public-api-spec-collection)
and from developers.hubspot.com; docs/connectors/hubspot.md says which of them could not be tried on an account.
"""

from __future__ import annotations

from dataclasses import replace

from airflow_provider_flux.connectors.api.form import CLIENT, OAUTH, REFRESH
from airflow_provider_flux.connectors.contract import Connector, Destination, Source
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.declare import Description, Form
from airflow_provider_flux.connectors.hubspot.objects import CUSTOM, OBJECTS
from airflow_provider_flux.connectors.hubspot.options import HubspotDestinationOptions, HubspotSourceOptions
from airflow_provider_flux.connectors.hubspot.profile import PROFILE, path_of
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.transport.tally import Tally


class Hubspot(Connector):
    """Records of a HubSpot account."""

    name = "hubspot"
    conn_type = "flux_hubspot"
    form = Form(
        "Flux HubSpot",
        hidden=("schema", "port", "login"),
        labels={"host": "Base URL", "password": "Access token"},
        placeholders={
            "host": "leave empty: https://api.hubapi.com",
            "password": "pat-na1-... of a private app; empty for a public app (OAuth)",
        },
        fields={**OAUTH, **REFRESH, **CLIENT},
    )
    profile = PROFILE
    objects = tuple(OBJECTS.values())
    any_object = CUSTOM
    source_options = HubspotSourceOptions
    destination_options = HubspotDestinationOptions

    @classmethod
    def source(cls, options: SourceOptions, credentials: Credentials) -> Source:
        """Open the source."""
        from airflow_provider_flux.connectors.hubspot.source import HubspotSource

        assert isinstance(options, HubspotSourceOptions)
        return HubspotSource(options, credentials)

    @classmethod
    def destination(cls, options: DestinationOptions, credentials: Credentials) -> Destination:
        """Open the destination."""
        from airflow_provider_flux.connectors.hubspot.destination import HubspotDestination

        assert isinstance(options, HubspotDestinationOptions)
        return HubspotDestination(options, credentials)

    @classmethod
    def test(
        cls,
        credentials: Credentials,
        options: SourceOptions | DestinationOptions | None = None,
        tally: Tally | None = None,
    ) -> str:
        """GET the account's details, which needs no scope; for a flow one record of its object."""
        from airflow_provider_flux.connectors.rest.probe import probe

        profile = PROFILE
        if isinstance(options, (HubspotSourceOptions, HubspotDestinationOptions)):
            profile = replace(PROFILE, test_path=f"{path_of(options.object)}?limit=1")
        return probe(credentials, None, tally, profile)

    @classmethod
    def describe(
        cls,
        credentials: Credentials,
        options: SourceOptions | DestinationOptions | None = None,
        object_name: str | None = None,
        tally: Tally | None = None,
    ) -> Description | None:
        """The properties of an object, as HubSpot lists them; None where nothing names the object."""
        from airflow_provider_flux.connectors.hubspot.api import Api
        from airflow_provider_flux.connectors.hubspot.schema import describe

        if isinstance(options, (HubspotSourceOptions, HubspotDestinationOptions)):
            object_name = options.object
        if object_name is None:
            return None
        api = Api.open(credentials, object_name, tally=tally)
        try:
            return describe(api)
        finally:
            api.close()
