"""One harmless call, for the Test button of a connection and for `connectors verify`."""

from __future__ import annotations

import time

from airflow_provider_flux.connectors.api.profile import ApiProfile
from airflow_provider_flux.connectors.api.sign_in import remedy
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.graphql.destination_options import GraphqlDestinationOptions
from airflow_provider_flux.connectors.graphql.graph import PATH, Graph
from airflow_provider_flux.connectors.graphql.source_options import GraphqlSourceOptions
from airflow_provider_flux.connectors.rest.error_rows import compiled
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.classify import SOURCE
from airflow_provider_flux.transport.tally import Tally
from airflow_provider_flux.transport.token_server import InvalidGrant

Options = GraphqlSourceOptions | GraphqlDestinationOptions


def open_graph(
    credentials: Credentials, options: Options | None, tally: Tally | None, profile: ApiProfile
) -> Graph:
    """The endpoint as a flow reaches it; without a flow the one that `extra.test_path` names, or `/graphql`.

    :raises FluxError: CONNECTION_INVALID, with the field at fault
    """
    path = credentials.extra.get("test_path", profile.test_path) or PATH
    if not isinstance(path, str) or "://" in path:
        raise credentials.invalid("extra.test_path", "must be a path, as /graphql")
    if options is None:
        return Graph.open(credentials, profile, outage=SOURCE, path=path, tally=tally)
    return Graph.open(
        credentials,
        profile,
        outage=SOURCE,
        path=options.path,
        auth=options.auth,
        rows=compiled(options.errors),
        headers=options.headers,
        timeout=options.timeout,
        tally=tally,
    )


def probe(graph: Graph, credentials: Credentials) -> str:
    """Ask for the name of the root type, which every GraphQL server knows.

    :raises FluxError: what the server answers; AUTHENTICATION_FAILED with the field of the connection
    """
    started = time.monotonic()
    try:
        told = graph.told(graph.send("query { __typename }", {}, repeatable=True, once=True))
    except FluxError as error:
        if error.code == "AUTHENTICATION_FAILED" and not isinstance(error, InvalidGrant):
            error.next_step = remedy(credentials, None, None)
        raise
    seconds = time.monotonic() - started
    status = f"HTTP {told.response.status} in {seconds:.2f} s"
    return f"{told.response.endpoint} of {graph.client.base.host} answered {status}"
