"""Which connector a connection belongs to: as the flows use it, else by its type."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.flow.loader import load_flows

Options = SourceOptions | DestinationOptions


def use_of(include: Path, connection: str, conn_type: str) -> tuple[str | None, Options | None]:
    """The connector of a connection, and the options of a flow that uses it; those of a source, if there is one.

    :param conn_type: Airflow's connection type, which decides where no valid flow uses the connection
    :return: None for the connector where no flow uses the connection and no connector is for its type
    """
    found: Options | None = None
    for flow in load_flows(include)[0]:
        if flow.file.source.connection == connection:
            return flow.file.source.connector, flow.file.source
        if flow.file.destination.connection == connection:
            found = flow.file.destination
    return (connector_of_type(conn_type), None) if found is None else (found.connector, found)


def connector_of_type(conn_type: str) -> str | None:
    """The name of the first connector that is for connections of that type."""
    return next((name for name in registry.names() if registry.get(name).conn_type == conn_type), None)
