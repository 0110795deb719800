"""Connectors of other packages, found by their entry points.

A package declares a `Connector` and names it in its pyproject.toml:

    [project.entry-points."airflow_provider_flux.connectors"]
    acme = "my_package.acme:Acme"

(https://packaging.python.org/en/latest/specifications/entry-points/)
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from importlib.metadata import EntryPoint, entry_points

from airflow_provider_flux.connectors.contract import Connector

log = logging.getLogger(__name__)

GROUP = "airflow_provider_flux.connectors"


def installed_connectors(known: Collection[str]) -> tuple[dict[str, type[Connector]], dict[str, str]]:
    """The connectors that installed packages add.

    :param known: names that are taken
    :return: the connectors by name, and by name why one cannot be used; a package that is broken must not stop the
        flows that do not need it, and those that do are told why
    """
    found: dict[str, type[Connector]] = {}
    broken: dict[str, str] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        connector = _load(entry)
        if isinstance(connector, str):
            broken[entry.name] = connector
        elif entry.name in known or entry.name in found:
            broken[entry.name] = f"{_where(entry)} has a name that is taken"
        else:
            found[entry.name] = connector
    for name in [name for name in broken if name in known or name in found]:
        log.warning("%s, and is not used", broken.pop(name))
    return found, broken


def _load(entry: EntryPoint) -> type[Connector] | str:
    """The connector, or why there is none."""
    try:
        connector = entry.load()
    except Exception as error:  # noqa: BLE001 - whatever another package does when it is imported; it is told
        return f"{_where(entry)} cannot be loaded: {type(error).__name__}: {error}"
    if not isinstance(connector, type) or not issubclass(connector, Connector):
        return f"{_where(entry)} is not a class made from `Connector`"
    if connector.name != entry.name:
        return f"{_where(entry)} calls itself `{connector.name}`; both names must be the same"
    return connector


def _where(entry: EntryPoint) -> str:
    package = entry.dist.name if entry.dist is not None else "an unknown package"
    return f"the connector `{entry.name}` of {package} ({entry.value})"
