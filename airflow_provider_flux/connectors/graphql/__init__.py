"""The connector `graphql`, and the engine on which connectors to GraphQL vendors stand.

A vendor's connector builds on three parts:

* `graph.Graph`: asks one endpoint. `Graph.open(credentials, PROFILE, outage=SOURCE, path="/graphql")` makes one;
  `graph.ask(document, variables)` answers, or raises what the answer says of the whole request.
* `reading.ListReader(graph, Listing(document, "data.customers", connection("data.customers", size=100)))`: the pages
  of a list, `.pages({"query": ...})`. Records that the server could not tell are defects of their page; a page that
  costs more than the server allows is asked for again in half its size.
* `writing.Mutator(graph)`: `.write(Mutation(DOCUMENT, id="data.customerSet.customer.id"), variables, item)` is the
  verdict on one record. `destination.GraphDestination` does the rest of a destination that writes one by one; a system
  without an upsert implements `connectors.lookup.Records` by such mutations.
"""

from __future__ import annotations

from airflow_provider_flux.connectors.api.form import CLIENT, OAUTH, TEST_PATH
from airflow_provider_flux.connectors.api.profile import ANY_API
from airflow_provider_flux.connectors.contract import Connector, Destination, Source
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.declare import Description, Form, ObjectType
from airflow_provider_flux.connectors.graphql.destination_options import GraphqlDestinationOptions
from airflow_provider_flux.connectors.graphql.source_options import GraphqlSourceOptions
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.transport.tally import Tally


class Graphql(Connector):
    """Any GraphQL API: its documents stand in the flow file."""

    name = "graphql"
    conn_type = "flux_graphql"
    form = Form(
        "Flux GraphQL",
        labels={
            "host": "Base URL",
            "schema": "Protocol",
            "login": "User (Basic only)",
            "password": "API key, token or password",
        },
        placeholders={
            "host": "https://api.example.com",
            "schema": "https",
            "password": "how it is sent is written in the flow: auth",
        },
        fields={**CLIENT, **OAUTH, "test_path": TEST_PATH},
    )
    profile = ANY_API
    any_object = ObjectType(
        "what the documents of the flow read and write",
        key=("as the flow says",),
        incremental="by the variable that `incremental` names",
        paging="Relay connections, offsets, or one answer; a page that costs too much is halved",
        modes=GraphqlDestinationOptions.MODES,
        deletes=GraphqlDestinationOptions.DELETES,
        match=("the fields that `find` asks for",),
        fallback_keys=True,
        doubt="upsert and update are sent again; a create is looked up by `find`, and held for a person without it",
    )
    source_options = GraphqlSourceOptions
    destination_options = GraphqlDestinationOptions

    @classmethod
    def source(cls, options: SourceOptions, credentials: Credentials) -> Source:
        """Open the source."""
        from airflow_provider_flux.connectors.graphql.source import GraphqlSource

        assert isinstance(options, GraphqlSourceOptions)
        return GraphqlSource(options, credentials, cls.profile)

    @classmethod
    def destination(cls, options: DestinationOptions, credentials: Credentials) -> Destination:
        """Open the destination."""
        from airflow_provider_flux.connectors.graphql.writes import GraphqlDestination

        assert isinstance(options, GraphqlDestinationOptions)
        return GraphqlDestination(options, credentials, cls.profile)

    @classmethod
    def test(
        cls,
        credentials: Credentials,
        options: SourceOptions | DestinationOptions | None = None,
        tally: Tally | None = None,
    ) -> str:
        """`{ __typename }`, at the path of the flow, of `test_path` in the extra field, or `/graphql`."""
        from airflow_provider_flux.connectors.graphql.probe import open_graph, probe

        assert options is None or isinstance(options, (GraphqlSourceOptions, GraphqlDestinationOptions))
        graph = open_graph(credentials, options, tally, cls.profile)
        try:
            return probe(graph, credentials)
        finally:
            graph.close()

    @classmethod
    def describe(
        cls,
        credentials: Credentials,
        options: SourceOptions | DestinationOptions | None = None,
        object_name: str | None = None,
        tally: Tally | None = None,
    ) -> Description | None:
        """By introspection; `object_name` is the name of a type."""
        from airflow_provider_flux.connectors.graphql.describing import describe
        from airflow_provider_flux.connectors.graphql.probe import open_graph

        assert options is None or isinstance(options, (GraphqlSourceOptions, GraphqlDestinationOptions))
        graph = open_graph(credentials, options, tally, cls.profile)
        try:
            return describe(graph, options, object_name)
        finally:
            graph.close()
