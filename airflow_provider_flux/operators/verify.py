"""The task of the DAG `flux_verify`: tests a connection where connections are used, and notes its health."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from airflow_provider_flux import settings

if TYPE_CHECKING:
    from airflow_provider_flux.compat import Context
    from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
    from airflow_provider_flux.stages.verify import Verified


class FluxVerifyOperator(BaseOperator):
    """Makes one harmless call over the connection of the DAG run's param `connection`."""

    def execute(self, context: Context) -> dict[str, Any]:
        """What was found.

        :raises AirflowFailException: when the connection is refused, or unknown
        :raises FluxError: when the settings are not valid or the store cannot be reached
        """
        found = _verify(context["params"]["connection"])
        for line in (found.answer, *found.advice):
            self.log.info("%s", line)
        if not found.passed:
            raise AirflowFailException(f"{found.connection} is {found.state} ({found.kind}): {found.answer}")
        return {"connection": found.connection, "state": found.state, "answer": found.answer, "proved": found.proved}


def _verify(name: str) -> Verified:
    from airflow_provider_flux.hooks.connections import credentials
    from airflow_provider_flux.stages.verify import verify
    from airflow_provider_flux.store import open_store

    configured = settings.load()
    connection = credentials(name)
    connector, options = _as_flows_use_it(configured, name) or (_of_type(connection.conn_type), None)
    if connector is None:
        raise AirflowFailException(
            f"connection '{name}' is of the type '{connection.conn_type}', which no connector of Flux is for, and no "
            "flow uses it"
        )
    with open_store(configured.store) as store:
        return verify(store, name, connector, lambda: connection, options)


def _as_flows_use_it(
    configured: settings.Settings, name: str
) -> tuple[str, SourceOptions | DestinationOptions] | None:
    """The connector and the options of a flow that uses the connection, so that the call is made as the flow makes it;
    those of a source, if there is one."""
    from airflow_provider_flux.flow.loader import load_flows

    found: tuple[str, SourceOptions | DestinationOptions] | None = None
    for flow in load_flows(configured.include)[0]:
        if flow.file.source.connection == name:
            return flow.file.source.connector, flow.file.source
        if flow.file.destination.connection == name:
            found = flow.file.destination.connector, flow.file.destination
    return found


def _of_type(conn_type: str) -> str | None:
    from airflow_provider_flux.connectors import registry

    return next((name for name in registry.names() if registry.get(name).conn_type == conn_type), None)
