"""The endpoint of a shop, and what can be asked of it beside records."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from functools import partial

from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.declare import Description
from airflow_provider_flux.connectors.graphql.graph import Graph
from airflow_provider_flux.connectors.graphql.object_fields import describe_known
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.connectors.shopify import PROFILE, VERSION
from airflow_provider_flux.connectors.shopify.objects import OBJECTS, SHAPES
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.classify import SOURCE
from airflow_provider_flux.transport.tally import Tally

_SHOP = re.compile(r"[a-z0-9][a-z0-9-]*", re.IGNORECASE)
_VERSION = re.compile(r"\d{4}-\d{2}|unstable")

SHOP_NAME = "query { shop { name myshopifyDomain } }"


def endpoint(
    credentials: Credentials,
    *,
    outage: str,
    timeout: timedelta | None = None,
    connections: int = 1,
    tally: Tally | None = None,
) -> Graph:
    """The GraphQL endpoint of the connection's shop. No call is made.

    :param outage: as `Graph.open`
    :raises FluxError: CONNECTION_INVALID, with the field at fault
    """
    version = credentials.extra.get("api_version") or VERSION
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise credentials.invalid("extra.api_version", f"is no version of the Admin API, as {VERSION}")
    extra = {name: value for name, value in credentials.extra.items() if name != "api_version"}
    shop = replace(credentials, host=_address(credentials), extra=extra)
    path = f"/admin/api/{version}/graphql.json"
    return Graph.open(
        shop, PROFILE, outage=outage, path=path, timeout=timeout, connections=connections, tally=tally
    )


def shop_name(credentials: Credentials, tally: Tally | None) -> str:
    """Which shop answered.

    :raises FluxError: with the field of the connection at fault, if it is one
    """
    graph = endpoint(credentials, outage=SOURCE, tally=tally)
    try:
        told = _ask_shop(graph, credentials)
    finally:
        graph.close()
    return f"{graph.client.base.host} answers for the shop {told['name']} ({told['myshopifyDomain']})"


def describe(
    credentials: Credentials,
    options: SourceOptions | DestinationOptions | None,
    object_name: str | None,
    tally: Tally | None,
) -> Description:
    """The fields of an object, from the schema that the shop's version of the API has.

    :raises FluxError: NOT_FOUND for an object that this connector does not know
    """
    opening = partial(endpoint, credentials, outage=SOURCE, tally=tally)
    return describe_known(opening, OBJECTS, SHAPES, options, object_name)


def _ask_shop(graph: Graph, credentials: Credentials) -> dict[str, str]:
    try:
        shop = graph.ask(SHOP_NAME).at("data.shop")
    except FluxError as error:
        if error.code == "NOT_FOUND":
            error.next_step = (
                f"Correct the field 'host' (the shop) or 'extra.api_version' of the connection '{credentials.conn_id}'."
            )
        elif error.code == "AUTHENTICATION_FAILED":
            error.next_step = (
                f"Correct the field 'password' (the Admin API access token) of the connection '{credentials.conn_id}'; "
                "tokens end when the app is uninstalled."
            )
        raise
    assert isinstance(shop, dict)
    return shop


def _address(credentials: Credentials) -> str:
    """The shop's base URL, from its name, its domain or a whole URL.

    :raises FluxError: CONNECTION_INVALID
    """
    host = (credentials.host or "").strip().rstrip("/")
    if not host:
        raise credentials.invalid("host", "is empty; it must hold the shop, as my-shop or my-shop.myshopify.com")
    if "://" in host:
        return host
    if "." not in host:
        if not _SHOP.fullmatch(host):
            raise credentials.invalid("host", "is not the name of a shop, as my-shop or my-shop.myshopify.com")
        host = f"{host}.myshopify.com"
    return f"https://{host}"
