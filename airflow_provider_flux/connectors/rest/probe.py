"""One harmless call, for the Test button of a connection and for `connectors verify`."""

from __future__ import annotations

import time

from airflow_provider_flux.connectors.api import sign_in
from airflow_provider_flux.connectors.api.connection import open_client
from airflow_provider_flux.connectors.api.profile import ANY_API, ApiProfile
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.rest.destination_options import RestDestinationOptions
from airflow_provider_flux.connectors.rest.source_options import RestSourceOptions
from airflow_provider_flux.transport.classify import SOURCE
from airflow_provider_flux.transport.failures import Judgement
from airflow_provider_flux.transport.messages import Request
from airflow_provider_flux.transport.tally import Tally


def probe(
    credentials: Credentials,
    options: RestSourceOptions | RestDestinationOptions | None = None,
    tally: Tally | None = None,
    profile: ApiProfile = ANY_API,
) -> str:
    """GET the path that the connection names in `extra.test_path`, or that a flow reads, or the base URL.

    At the base URL any answer but a refusal of the credentials or a server error will do: many APIs have nothing there.

    :param options: of a flow; its way to sign in, and its path where it reads with GET, are then tried
    :param tally: where the call is counted
    :param profile: what is known of the vendor's API
    :raises FluxError: CONNECTION_INVALID with the field at fault, AUTHENTICATION_FAILED, PERMISSION_DENIED, an outage
    """
    request = _request(credentials, options, profile)
    client = open_client(
        credentials, options.auth if options else None, profile=profile, connections=1, tally=tally
    )
    try:
        started = time.monotonic()
        response = client.send(request, once=True)
        seconds = time.monotonic() - started
        judgement = Judgement(credentials.conn_id, client.mask, profile.rows, SOURCE, client.tally)
        refused = response.status in (401, 403, 407, 429) or response.status >= 500
        if refused or (request.url and response.status >= 400):
            error = judgement.failed(response)
            if error.code == "AUTHENTICATION_FAILED":
                error.next_step = sign_in.remedy(credentials, options.auth if options else None, profile.sign_in)
            raise error
        return f"{response.endpoint} of {client.base.host} answered HTTP {response.status} in {seconds:.2f} s"
    finally:
        client.close()


def _request(
    credentials: Credentials, options: RestSourceOptions | RestDestinationOptions | None, profile: ApiProfile
) -> Request:
    path = credentials.extra.get("test_path", profile.test_path)
    if not isinstance(path, str) or "://" in path:
        raise credentials.invalid("extra.test_path", "must be a path, as /v1/me")
    if not path and isinstance(options, RestSourceOptions) and options.method == "GET":
        return Request("GET", options.path, options.params, options.headers)
    return Request("GET", path, headers=options.headers if options else {})
