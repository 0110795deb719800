"""Connects a connection anew: by a person's consent where it rests on one, else by what to change in its fields."""

from __future__ import annotations

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.api import sign_in
from airflow_provider_flux.connectors.api.consent import Consent, ask_consent
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.stages.sharing import shared
from airflow_provider_flux.store import Store

_PASTE = {
    "api_key": "a freshly generated API key into the field 'password'",
    "bearer": "a freshly generated token into the field 'password'",
    "basic": "the new password into the field 'password'",
    "client_credentials": "the new client secret into the field 'extra.client_secret'",
    "jwt_bearer": "the new key into the field 'extra.private_key'",
}


def prepare(
    store: Store,
    connector: str,
    credentials: Credentials,
    options: SourceOptions | DestinationOptions | None,
    redirect_uri: str,
) -> Consent | None:
    """The consent to ask a person for; None for a connection that rests on none.

    :param connector: name of the built-in connector
    :param options: of a flow that uses the connection
    :raises FluxError: CONNECTION_INVALID with the field that is missing or wrong
    """
    found = registry.get(connector)
    profile = found.profile
    if profile is None:
        return None
    return ask_consent(shared(found.adapted(credentials), store), getattr(options, "auth", None), profile, redirect_uri)


def instead(
    connector: str, credentials: Credentials, options: SourceOptions | DestinationOptions | None
) -> tuple[str, ...]:
    """What to do about a connection that rests on no consent, in sentences.

    :raises FluxError: CONNECTION_INVALID when it holds nothing to sign in with
    """
    found = registry.get(connector)
    name, profile = credentials.conn_id, found.profile
    kind = "basic"  # a database
    if profile is not None:
        kind = sign_in.way(found.adapted(credentials), getattr(options, "auth", None), profile.sign_in).kind
    if kind == "none":
        return (f"'{name}' signs in with nothing, so there is nothing to connect anew.",)
    lines = [
        f"'{name}' signs in by {kind}, which needs no consent. Put {_PASTE[kind]} of the Airflow connection "
        f"(Admin, Connections), then run `airflow-flux connectors verify {name}`."
    ]
    known = profile.sign_in if profile is not None else None
    if known is not None and "refresh_token" in known.kinds:
        lines.append(
            "To let it sign in as a person instead, write `client_id` and `client_secret` of the app and "
            '`"auth": "refresh_token"` into the extra field, and run this command again.'
        )
    return tuple(lines)
