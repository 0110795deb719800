"""The list of connectors. A new one is one file beside this one and one line here."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from airflow_provider_flux.connectors.contract import Connector

_CONNECTORS = {
    "rest": "airflow_provider_flux.connectors.rest:Rest",
    "sql": "airflow_provider_flux.connectors.sql:Sql",
}


def names() -> tuple[str, ...]:
    """Names that a flow file may write in `connector:`."""
    return tuple(_CONNECTORS)


@cache
def get(name: str) -> type[Connector]:
    """The connector of that name.

    :raises KeyError: when there is none
    """
    module, _, attribute = _CONNECTORS[name].partition(":")
    connector: type[Connector] = getattr(import_module(module), attribute)
    return connector
