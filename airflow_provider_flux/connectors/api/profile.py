"""What is known of a vendor's API before a flow or a connection says anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from airflow_provider_flux.transport.advice import Adviser, no_advice
from airflow_provider_flux.transport.classify import Row
from airflow_provider_flux.transport.pace import Limit

SignInKind = Literal["bearer", "basic", "api_key", "none", "client_credentials", "refresh_token", "jwt_bearer"]


@dataclass(frozen=True)
class SignIn:
    """How a vendor lets its callers in.

    :param kinds: the possible ways; the connection's fields decide which one it is
    :param header: that carries an API key, with `prefix` before it
    :param token_url: where OAuth2 tokens come from; a path is one of the API's own host
    :param authorize_url: where a person consents (authorization code), for `connectors reconnect`
    :param scopes: asked for unless the connection names its own
    :param pkce: whether the vendor takes PKCE (RFC 7636)
    :param client_in: how the client says who it is at the token URL: by Basic authentication or in the body
    :param base_url_from: the member of the token's answer that holds the API's base URL, where the connection names no
        host: `instance_url` of Salesforce, `api_domain` of Pipedrive
    :param audience: of a JWT; the origin of the token URL unless given
    :param token_header: that carries an OAuth2 token, bare; None: `Authorization: Bearer`
    """

    kinds: tuple[SignInKind, ...]
    header: str | None = None
    prefix: str = ""
    token_url: str | None = None
    authorize_url: str | None = None
    scopes: tuple[str, ...] = ()
    pkce: bool = False
    client_in: Literal["header", "body"] = "body"
    base_url_from: str | None = None
    audience: str | None = None
    token_header: str | None = None


@dataclass(frozen=True)
class ApiProfile:
    """One vendor's API. The connection's own fields go before it.

    :param base_url: where the API is for everyone; None where each account has its own host
    :param sign_in: None: as the flow or the connection says (`auth`)
    :param headers: of every call
    :param rows: recognise its error bodies, asked before the status
    :param limits: of its calls; the connection's extra field `limit` replaces them
    :param adviser: reads its answers for throttles that the status does not show, and for quotas that no retry outlasts
    :param test_path: what the Test button and `connectors verify` ask for with GET
    """

    base_url: str | None = None
    sign_in: SignIn | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    limits: tuple[Limit, ...] = ()
    adviser: Adviser = no_advice
    test_path: str = ""


ANY_API = ApiProfile()
"""Nothing is known: everything stands in the flow and in the connection."""
