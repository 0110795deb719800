"""What the processes of `test_sign_in` do: one call that needs a token, with a lease that a test can wait for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from airflow_provider_flux.connectors.api.connection import open_client
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.store import open_store
from airflow_provider_flux.transport.messages import Request
from airflow_provider_flux.transport.shared import Shared

LEASE = 1.0


def call(store_url: str, fields: dict[str, Any]) -> int:
    """The status of one call that needs a token."""
    with open_store(store_url) as store:
        credentials = replace(Credentials(**fields), shared=Shared(tokens=store, pace=store))
        client = open_client(credentials, None)
        auth: Any = client._auth
        auth._shared = replace(auth._shared, lease=LEASE)
        try:
            return client.send(Request("GET", "/v1/contacts")).status
        finally:
            client.close()
