"""The hooks of the connectors that have none of their own: a class for each, made from what it declares."""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_flux.compat import AIRFLOW_V_3_2_PLUS
from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.contract import Connector
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.hooks.connections import credentials
from airflow_provider_flux.hooks.forms import field_behaviour, form_widgets, test_result


class FluxApiHook(BaseHook):
    """A system as Flux reaches it; each connector has a class of its own, for example `FluxHubspotHook`.

    :param conn_id: id of an Airflow connection of the class's type; each class also takes it as `<type>_conn_id`
    """

    connector: str
    conn_type: str
    conn_name_attr: str
    default_conn_name: str

    def __init__(self, conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__()
        self.conn_id = conn_id or kwargs.get(self.conn_name_attr) or self.default_conn_name

    def credentials(self) -> Credentials:
        """The connection as the connector takes it.

        :raises FluxError: CONNECTION_INVALID
        """
        return credentials(self.conn_id)

    def test_connection(self) -> tuple[bool, str]:
        """One harmless call, for the Test button of the connection form."""
        return test_result(lambda: registry.get(self.connector).test(self.credentials()))

    # From Airflow 3.2 on the form comes from `provider_info` and these methods would only raise warnings.
    if not AIRFLOW_V_3_2_PLUS:

        @classmethod
        def get_connection_form_widgets(cls) -> dict[str, Any]:
            """Fields beyond Airflow's own."""
            return form_widgets(cls.conn_type)

        @classmethod
        def get_ui_field_behaviour(cls) -> dict[str, Any]:
            """Labels and placeholders of the form."""
            return field_behaviour(cls.conn_type)


_FORM = ("get_connection_form_widgets", "get_ui_field_behaviour")


def _hook_class(connector: type[Connector], name: str) -> type[FluxApiHook]:
    assert connector.form is not None
    declared = {
        "__module__": __name__,
        "__doc__": f"{connector.form.title} as Flux reaches it.",
        "connector": connector.name,
        "conn_type": connector.conn_type,
        "conn_name_attr": f"{connector.conn_type}_conn_id",
        "default_conn_name": f"{connector.conn_type}_default",
        "hook_name": connector.form.title,
    }
    if not AIRFLOW_V_3_2_PLUS:
        # Older Airflows look into the class itself, not into what it inherits.
        declared |= {method: FluxApiHook.__dict__[method] for method in _FORM}
    return type(name, (FluxApiHook,), declared)


for _connector in map(registry.get, registry.names()):
    _module, _, _name = _connector.hook_path().rpartition(".")
    if _module == __name__ and _connector.form is not None:
        globals()[_name] = _hook_class(_connector, _name)
