"""The hook of the connection type `flux_rest`."""

from __future__ import annotations

import json
from typing import Any

from airflow.providers.http.hooks.http import HttpHook

from airflow_provider_flux.compat import AIRFLOW_V_3_2_PLUS
from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.api.sign_in import OWN_EXTRAS
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.hooks.connections import credentials
from airflow_provider_flux.hooks.forms import field_behaviour, form_widgets, test_result

_FLUX_ONLY = OWN_EXTRAS | {"test_path", "retry_budget", "limit"}


class FluxRestHook(HttpHook):
    """A REST API as Flux reaches it. A DAG of your own may use it like the HTTP provider's hook, which it is.

    :param flux_rest_conn_id: id of an Airflow connection of type `flux_rest`
    """

    conn_name_attr = "flux_rest_conn_id"
    default_conn_name = "flux_rest_default"
    conn_type = "flux_rest"
    hook_name = "Flux REST"

    def __init__(self, flux_rest_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(http_conn_id=flux_rest_conn_id, **kwargs)
        self.flux_rest_conn_id = flux_rest_conn_id

    def credentials(self) -> Credentials:
        """The connection as the connector takes it.

        :raises FluxError: CONNECTION_INVALID
        """
        return credentials(self.flux_rest_conn_id)

    @classmethod
    def get_connection(cls, conn_id: str) -> Any:
        """The connection without what only Flux understands: the HTTP provider's hook would send it, client secrets
        and refresh tokens too, as headers of every request."""
        found = super().get_connection(conn_id)
        fields = {name: getattr(found, name) for name in ("host", "schema", "login", "password", "port")}
        extra = {name: value for name, value in found.extra_dejson.items() if name not in _FLUX_ONLY}
        return type(found)(conn_id=conn_id, conn_type=found.conn_type, **fields, extra=json.dumps(extra))

    def test_connection(self) -> tuple[bool, str]:
        """One harmless call, for the Test button of the connection form."""
        return test_result(lambda: registry.get("rest").test(self.credentials()))

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
