"""The connector `flow_platform`: hands each record to a flow of a GraphQL flow platform, and waits for its run.

The platform is the one whose error reference says: Bearer key, header `x-project-id`, `executeWorkflow`, `checkStatus`.
Its documents and the words of its answers are those of the platform's public SDK (see `runs`).
"""

from __future__ import annotations

from airflow_provider_flux.connectors.api.form import CLIENT
from airflow_provider_flux.connectors.api.profile import ApiProfile, SignIn
from airflow_provider_flux.connectors.contract import Connector, Destination, Source
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.declare import Form, FormField, ObjectType
from airflow_provider_flux.connectors.flow_platform.options import FlowPlatformDestinationOptions
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.transport.tally import Tally


class FlowPlatform(Connector):
    """One project of a flow platform."""

    name = "flow_platform"
    conn_type = "flux_flow_platform"
    form = Form(
        "Flow platform (GraphQL)",
        hidden=("port", "login", "schema"),
        labels={"host": "Endpoint", "password": "API key"},
        placeholders={
            "host": "https://my-project.example.com/graphql, as the project's settings show it",
            "password": "without Bearer; Studio, Settings, API Keys",
        },
        fields={
            "project_id": FormField("Project ID", "Of the project that owns the flow; sent as `x-project-id`."),
            **CLIENT,
        },
    )
    profile = ApiProfile(sign_in=SignIn(kinds=("bearer",)))
    any_object = ObjectType(
        "a deployed flow, by its id",
        key=("none: it can only be written",),
        modes=FlowPlatformDestinationOptions.MODES,
        match=("nothing: a run cannot be looked up",),
        deletes=FlowPlatformDestinationOptions.DELETES,
        doubt="create: a record whose run may have been started is held for a person; upsert: it is handed over again",
    )
    destination_options = FlowPlatformDestinationOptions

    @classmethod
    def source(cls, options: SourceOptions, credentials: Credentials) -> Source:
        """A flow has nothing to read; no flow file gets here, because there are no options for it."""
        raise NotImplementedError

    @classmethod
    def destination(cls, options: DestinationOptions, credentials: Credentials) -> Destination:
        """Open the destination."""
        from airflow_provider_flux.connectors.flow_platform.destination import FlowPlatformDestination

        assert isinstance(options, FlowPlatformDestinationOptions)
        return FlowPlatformDestination(options, credentials, cls.profile)

    @classmethod
    def test(
        cls,
        credentials: Credentials,
        options: SourceOptions | DestinationOptions | None = None,
        tally: Tally | None = None,
    ) -> str:
        """`{ __typename }`, with the key and the project: no flow is run."""
        from airflow_provider_flux.connectors.flow_platform.platform import Platform
        from airflow_provider_flux.connectors.graphql.probe import probe

        assert options is None or isinstance(options, FlowPlatformDestinationOptions)
        platform = Platform(credentials, cls.profile, options, tally)
        try:
            with platform.advising():
                return probe(platform.graph, credentials)
        finally:
            platform.close()
