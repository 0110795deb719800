"""The list of connectors. A new one is one file beside this one and one line here; docs/new-connector.md shows how.

Other packages add theirs: see `installed`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from airflow_provider_flux.connectors.contract import Connector
from airflow_provider_flux.connectors.installed import installed_connectors

_CONNECTORS = {
    "rest": "airflow_provider_flux.connectors.rest:Rest",
    "jobber": "airflow_provider_flux.connectors.jobber:Jobber",
    "shopify": "airflow_provider_flux.connectors.shopify:Shopify",
    "salesforce": "airflow_provider_flux.connectors.salesforce:Salesforce",
    "sql": "airflow_provider_flux.connectors.sql:Sql",
    "graphql": "airflow_provider_flux.connectors.graphql:Graphql",
    "flow_platform": "airflow_provider_flux.connectors.flow_platform:FlowPlatform",
    "hubspot": "airflow_provider_flux.connectors.hubspot:Hubspot",
    "pipedrive": "airflow_provider_flux.connectors.pipedrive:Pipedrive",
}


def names() -> tuple[str, ...]:
    """Names that a flow file may write in `connector:`."""
    return (*_CONNECTORS, *_installed()[0])


def broken() -> dict[str, str]:
    """By name, why the connector of an installed package cannot be used."""
    return _installed()[1]


@cache
def get(name: str) -> type[Connector]:
    """The connector of that name.

    :raises KeyError: when there is none
    """
    if name not in _CONNECTORS:
        return _installed()[0][name]
    module, _, attribute = _CONNECTORS[name].partition(":")
    connector: type[Connector] = getattr(import_module(module), attribute)
    return connector


@cache
def _installed() -> tuple[dict[str, type[Connector]], dict[str, str]]:
    return installed_connectors(_CONNECTORS)
