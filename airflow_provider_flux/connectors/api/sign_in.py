"""From the fields of a connection to what signs its requests.

Which way it is: what the flow says (`auth`); else `auth` in the extra field of the connection; else the first row of
this table that fits and that the system has (`SignIn.kinds`; all of them where nothing is known of it):

| the connection holds                     | way                                              |
| ---------------------------------------- | ------------------------------------------------ |
| extra.private_key                        | jwt_bearer                                       |
| extra.refresh_token                      | refresh_token                                    |
| extra.client_id or extra.client_secret   | client_credentials; refresh_token without it     |
| login and password                       | basic; OAuth where the system knows nothing else |
| password                                 | api_key or bearer, whichever the system has      |
| none of these                            | none, if the system lets everybody in            |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from pydantic import ValidationError

from airflow_provider_flux.connectors.api.auth_options import Auth as AuthOptions
from airflow_provider_flux.connectors.api.oauth_fields import OAUTH_KINDS, oauth
from airflow_provider_flux.connectors.api.profile import SignIn, SignInKind
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport import auth as transport_auth
from airflow_provider_flux.transport.auth import Auth
from airflow_provider_flux.transport.client import HttpClient
from airflow_provider_flux.transport.tally import Tally

ANY = SignIn(
    kinds=("jwt_bearer", "refresh_token", "client_credentials", "basic", "bearer", "none"),
    pkce=True,  # a server that does not know it takes no notice (RFC 6749, 3.1)
)
"""Nothing is known of the system: everything stands in the flow and in the connection."""

OWN_EXTRAS = frozenset(
    {
        "auth",
        "client_id",
        "client_secret",
        "refresh_token",
        "scopes",
        "token_url",
        "authorize_url",
        "private_key",
        "subject",
        "audience",
    }
)
"""Names in the extra field of a connection that are about signing in."""


def sign_in(
    credentials: Credentials,
    of_flow: AuthOptions | None,
    known: SignIn | None,
    base_url: str | None,
    open_client: Callable[[str], HttpClient],
    tally: Tally | None = None,
) -> Auth:
    """What signs the requests of a connection. No call is made.

    :param of_flow: what the flow says
    :param known: what is known of the system
    :param base_url: of the API; None where only the token's answer names it
    :param open_client: opens a client of the token server at that URL
    :param tally: where a sign-in that failed is counted
    :raises FluxError: CONNECTION_INVALID with the field that is missing or wrong
    """
    options = way(credentials, of_flow, known)
    if options.kind in OAUTH_KINDS:
        return oauth(credentials, options, known or ANY, base_url, open_client, tally)
    return _fixed(credentials, options, known or ANY)


def way(credentials: Credentials, of_flow: AuthOptions | None, known: SignIn | None) -> AuthOptions:
    """Which way of signing in applies, and its options.

    :raises FluxError: CONNECTION_INVALID when the connection holds nothing to sign in with, or `extra.auth` is wrong
    """
    declared = of_flow or _declared(credentials)
    if declared is None:
        return AuthOptions(kind=_by_fields(credentials, (known or ANY).kinds))
    if known is not None and declared.kind not in known.kinds:
        raise credentials.invalid("extra.auth", f"{declared.kind} is not possible; possible: {', '.join(known.kinds)}")
    return declared


def _by_fields(credentials: Credentials, kinds: tuple[SignInKind, ...]) -> SignInKind:
    extra = credentials.extra
    app: tuple[SignInKind, ...] = ("client_credentials", "refresh_token")
    wanted: tuple[SignInKind, ...] = ()
    if extra.get("private_key"):
        wanted += ("jwt_bearer",)
    if extra.get("refresh_token"):
        wanted += ("refresh_token",)
    if extra.get("client_id") or extra.get("client_secret"):
        wanted += app
    if credentials.login:
        wanted += ("basic",)
    if credentials.password:
        wanted += tuple(kind for kind in kinds if kind in ("api_key", "bearer"))
        wanted += app
    for kind in (*wanted, "none"):
        if kind in kinds:
            return kind
    raise _nothing_to_sign_in_with(credentials, kinds)


def remedy(credentials: Credentials, of_flow: AuthOptions | None, known: SignIn | None) -> str:
    """What to do when the system refuses who signed in like this (HTTP 401), in a sentence."""
    kind, name = way(credentials, of_flow, known).kind, credentials.conn_id
    if kind == "refresh_token":
        return f"Connect again: `airflow-flux connectors reconnect {name}`."
    fields = {
        "basic": "fields 'login' and 'password'",
        "client_credentials": "fields 'extra.client_id', 'extra.client_secret' and 'extra.scopes'",
        "jwt_bearer": "fields 'extra.private_key', 'extra.subject' and 'extra.scopes'",
        "none": "field 'password' (it is empty)",
    }
    wrong = fields.get(kind, "field 'password'")
    return f"Correct the {wrong} of the Airflow connection '{name}'."


_FIELDS: dict[SignInKind, str] = {
    "api_key": "'password' (an API key)",
    "bearer": "'password' (a token)",
    "basic": "'login' and 'password'",
    "client_credentials": "'extra.client_id' and 'extra.client_secret'",
    "refresh_token": "'extra.client_id' and 'extra.client_secret' (then `airflow-flux connectors reconnect`)",
    "jwt_bearer": "'extra.client_id' and 'extra.private_key'",
}


def _nothing_to_sign_in_with(credentials: Credentials, kinds: tuple[SignInKind, ...]) -> FluxError:
    ways = list(dict.fromkeys(_FIELDS[kind] for kind in kinds if kind in _FIELDS))
    first = ways[0].split("'")[1]
    return credentials.invalid(first, f"is empty; to sign in the connection must hold {', or '.join(ways)}")


def _fixed(credentials: Credentials, options: AuthOptions, known: SignIn) -> Auth:
    """The same credentials for every request."""
    login, password = credentials.login, credentials.password or ""
    try:
        if options.kind == "basic":
            if not login:
                raise credentials.invalid("login", "is empty; `auth: basic` needs it")
            return transport_auth.basic(login, password)
        if options.kind == "bearer":
            return transport_auth.bearer(_password(credentials, "token"))
        if options.kind == "api_key":
            header, prefix = options.header or known.header, options.prefix or known.prefix
            key = _password(credentials, "API key")
            return transport_auth.api_key(key, header=header, query=options.query, prefix=prefix)
    except ValueError as error:
        field = "login" if "login" in str(error) else "password"
        raise credentials.invalid(field, str(error)) from None
    return transport_auth.NO_AUTH


def _password(credentials: Credentials, what: str) -> str:
    if not credentials.password:
        raise credentials.invalid("password", f"is empty; it must hold the {what}")
    return credentials.password


def _declared(credentials: Credentials) -> AuthOptions | None:
    """`auth` of the connection's extra field."""
    declared = credentials.extra.get("auth")
    if declared is None:
        return None
    if isinstance(declared, str) and declared not in get_args(SignInKind):
        raise credentials.invalid("extra.auth", f"must be one of {', '.join(get_args(SignInKind))}")
    try:
        return AuthOptions.model_validate({"kind": declared} if isinstance(declared, str) else declared)
    except ValidationError as error:
        reason = "; ".join(detail["msg"] for detail in error.errors(include_input=False, include_url=False))
        raise credentials.invalid("extra.auth", reason) from None
