"""The endpoint of an account, and what can be asked of it beside records."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from functools import partial

from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.declare import Description
from airflow_provider_flux.connectors.graphql.graph import Graph
from airflow_provider_flux.connectors.graphql.object_fields import describe_known
from airflow_provider_flux.connectors.jobber import PROFILE, VERSION
from airflow_provider_flux.connectors.jobber.objects import OBJECTS, SHAPES
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.classify import SOURCE
from airflow_provider_flux.transport.tally import Tally

PATH = "/api/graphql"
ACCOUNT = "query { account { id name } }"

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")


def endpoint(
    credentials: Credentials,
    *,
    outage: str,
    timeout: timedelta | None = None,
    connections: int = 1,
    tally: Tally | None = None,
) -> Graph:
    """The GraphQL endpoint of the connection's account. No call is made.

    :param outage: as `Graph.open`
    :raises FluxError: CONNECTION_INVALID, with the field at fault
    """
    version = credentials.extra.get("api_version") or VERSION
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise credentials.invalid("extra.api_version", f"is no version of Jobber's API, as {VERSION}")
    extra = {name: value for name, value in credentials.extra.items() if name != "api_version"}
    host = (credentials.host or "").strip()
    if host and "://" not in host:
        host = f"https://{host}"
    account = replace(credentials, host=host or None, extra=extra)
    return Graph.open(
        account,
        PROFILE,
        outage=outage,
        path=PATH,
        headers={"X-JOBBER-GRAPHQL-VERSION": version},
        timeout=timeout,
        connections=connections,
        tally=tally,
    )


def account_name(credentials: Credentials, tally: Tally | None) -> str:
    """Which account answered.

    :raises FluxError: with the field of the connection at fault, if it is one
    """
    graph = endpoint(credentials, outage=SOURCE, tally=tally)
    try:
        name = graph.ask(ACCOUNT).at("data.account.name")
    except FluxError as error:
        if error.code == "AUTHENTICATION_FAILED":
            error.next_step = (
                f"Sign in anew: `airflow-flux connectors reconnect {credentials.conn_id}`; or correct the field "
                f"'password' (an access token, which ends after an hour) of the connection '{credentials.conn_id}'."
            )
        raise
    finally:
        graph.close()
    return f"{graph.client.base.host} answers for the account {name}"


def describe(
    credentials: Credentials,
    options: SourceOptions | DestinationOptions | None,
    object_name: str | None,
    tally: Tally | None,
) -> Description:
    """The fields of an object, from the schema of the version that is asked, and those that this connector adds.

    :raises FluxError: NOT_FOUND for an object that this connector does not know
    """
    opening = partial(endpoint, credentials, outage=SOURCE, tally=tally)
    return describe_known(opening, OBJECTS, SHAPES, options, object_name)
