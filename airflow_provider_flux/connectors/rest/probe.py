"""One harmless call, for the Test button of a connection."""

from __future__ import annotations

import time

from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.rest.connection import open_client
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.classify import SOURCE
from airflow_provider_flux.transport.failures import Judgement
from airflow_provider_flux.transport.messages import Request


def probe(credentials: Credentials) -> str:
    """GET the base URL, or the path that the connection names in `extra.test_path`, and say what answered.

    Any answer but a refusal of the credentials or a server error will do: many APIs have nothing at their base URL.

    :raises FluxError: CONNECTION_INVALID with the field at fault, AUTHENTICATION_FAILED, PERMISSION_DENIED, an outage
    """
    path = credentials.extra.get("test_path", "")
    if not isinstance(path, str) or "://" in path:
        raise credentials.invalid("extra.test_path", "must be a path, as /v1/me")
    client = open_client(credentials, None, connections=1)
    try:
        started = time.monotonic()
        response = client.send(Request("GET", path), once=True)
        seconds = time.monotonic() - started
        judgement = Judgement(credentials.conn_id, client.mask, (), SOURCE)
        refused = response.status in (401, 403, 407, 429) or response.status >= 500
        if refused or (path and response.status >= 400):
            raise _with_field(judgement.failed(response), credentials)
        return f"{response.endpoint} of {client.base.host} answered HTTP {response.status} in {seconds:.2f} s"
    finally:
        client.close()


def _with_field(error: FluxError, credentials: Credentials) -> FluxError:
    if error.code == "AUTHENTICATION_FAILED":
        fields = "'login' and 'password'" if credentials.login else "'password'"
        error.next_step = f"Correct the field {fields} of the Airflow connection '{credentials.conn_id}'."
    return error
