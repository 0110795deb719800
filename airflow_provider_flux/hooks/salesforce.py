"""The official Salesforce provider's hook with Flux's sign-in behind its Test button.

The connection type `salesforce` and its form are that provider's; nothing is registered here. It comes with
`pip install 'airflow-provider-flux[salesforce]'`; flows themselves need only the connection.
"""

from __future__ import annotations

from airflow.providers.salesforce.hooks.salesforce import SalesforceHook

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.hooks.connections import credentials
from airflow_provider_flux.hooks.forms import test_result


class FluxSalesforceHook(SalesforceHook):
    """An org as Flux reaches it. A DAG of your own may use it like the Salesforce provider's hook, which it is.

    :param salesforce_conn_id: id of an Airflow connection of type `salesforce`
    """

    def credentials(self) -> Credentials:
        """The connection as the connector takes it.

        :raises FluxError: CONNECTION_INVALID
        """
        return credentials(self.conn_id)

    def test_connection(self) -> tuple[bool, str]:
        """One harmless call over the way by which flows sign in."""
        return test_result(lambda: registry.get("salesforce").test(self.credentials()))
