"""The task of the DAG `flux_verify`: tests a connection where connections are used, and notes its health."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from airflow_provider_flux import settings

if TYPE_CHECKING:
    from airflow_provider_flux.compat import Context
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
    from airflow_provider_flux.stages.uses import use_of
    from airflow_provider_flux.stages.verify import verify
    from airflow_provider_flux.store import open_store

    configured = settings.load()
    connection = credentials(name)
    # As a flow uses it, so that the call is made as the flow makes it.
    connector, options = use_of(configured.include, name, connection.conn_type)
    if connector is None:
        raise AirflowFailException(
            f"connection '{name}' is of the type '{connection.conn_type}', which no connector of Flux is for, and no "
            "flow uses it"
        )
    with open_store(configured.store) as store:
        return verify(store, name, connector, lambda: connection, options)
