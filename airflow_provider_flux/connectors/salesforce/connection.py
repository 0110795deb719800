"""From a connection of the official Salesforce provider to a client of the REST API.

Fields, as that provider's hook reads them (`apache-airflow-providers-salesforce`, hooks/salesforce.py): `login`,
`password`; in `extra`, also with the prefix `extra__salesforce__`: `consumer_key`, `consumer_secret`, `private_key`,
`private_key_file_path`, `domain`, `instance`, `instance_url`, `version`, `proxies`, `security_token`. Ours beside them:
`session_id`, `refresh_token`, and what every API connection may say (`timeout`, `retry_budget`, `verify`, `token_url`).

| the connection holds                        | sign-in                                          |
| ------------------------------------------- | ------------------------------------------------ |
| session_id and instance_url (or instance)   | that session; it cannot be renewed               |
| consumer_key, private_key and login         | OAuth2 JWT bearer                                |
| consumer_key and refresh_token              | OAuth2 refresh token                             |
| consumer_key and `"auth": "refresh_token"`  | the same, after `connectors reconnect`           |
| consumer_key, consumer_secret and a domain  | OAuth2 client credentials                        |

A login with password and security token goes through SOAP, which Flux does not speak.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow_provider_flux.connectors.api.connection import OWN_EXTRAS, open_client
from airflow_provider_flux.connectors.api.profile import ApiProfile
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.client import HttpClient
from airflow_provider_flux.transport.tally import Tally

VERSION = "63.0"
"""Of the API, unless the connection says another (`extra.version`)."""

_PREFIX = "extra__salesforce__"
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,200}[A-Za-z0-9])?")
_LONGEST_KEY = 20_000


def open_salesforce(
    credentials: Credentials,
    profile: ApiProfile,
    *,
    timeout: timedelta | None = None,
    connections: int = 1,
    tally: Tally | None = None,
) -> HttpClient:
    """A client of the org. No call is made.

    :raises FluxError: CONNECTION_INVALID with the field that is missing or wrong
    """
    client = open_client(
        adapted(credentials), None, profile=profile, timeout=timeout, connections=connections, tally=tally
    )
    secrets = (one_of(credentials, name) for name in ("consumer_secret", "refresh_token", "private_key"))
    client.mask.learn(tuple(secret for secret in (*secrets, credentials.password) if secret))
    return client


def path(credentials: Credentials, rest: str) -> str:
    """A path of the REST API: `/services/data/v63.0/query`.

    :raises FluxError: CONNECTION_INVALID for a version that is none
    """
    version = one_of(credentials, "version") or VERSION
    if re.fullmatch(r"v?\d{2,3}\.0", version) is None:
        raise credentials.invalid("extra.version", "must be a version of the API, as 63.0")
    return f"/services/data/v{version.removeprefix('v')}/{rest}"


def one_of(credentials: Credentials, name: str) -> str | None:
    """A text of the extra field, under its own name or the provider's older one.

    :raises FluxError: CONNECTION_INVALID when it is no text
    """
    value = credentials.extra.get(name) or credentials.extra.get(_PREFIX + name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise credentials.invalid(f"extra.{name}", "must be a text")
    return value.strip() or None


def adapted(credentials: Credentials) -> Credentials:
    """The connection in the words in which all API connections sign in (`connectors.api.sign_in`).

    :raises FluxError: CONNECTION_INVALID with the field that is missing or wrong
    """
    extra: dict[str, Any] = {name: value for name, value in credentials.extra.items() if name in OWN_EXTRAS}
    proxies = one_of(credentials, "proxies") if isinstance(credentials.extra.get("proxies"), str) else None
    if proxies is not None:
        extra["proxies"] = proxies
    extra.pop("headers", None)
    instance = _instance(credentials)
    session = one_of(credentials, "session_id")
    if session is not None:
        if instance is None:
            raise credentials.invalid("extra.instance_url", "is empty; a session needs the URL of its org")
        return replace(credentials, host=instance, login=None, password=session, extra={**extra, "auth": "bearer"})
    key = one_of(credentials, "consumer_key")
    if key is None:
        raise _no_app(credentials)
    extra |= {"client_id": key, **_way(credentials, instance)}
    return replace(credentials, host=instance, login=None, password=None, extra=extra)


def _way(credentials: Credentials, instance: str | None) -> dict[str, Any]:
    """What the ways of OAuth2 need beside the app's key."""
    domain = _domain(credentials)
    secret = one_of(credentials, "consumer_secret")
    known = {} if secret is None else {"client_secret": secret}
    token_url = {"token_url": one_of(credentials, "token_url") or _oauth(domain, instance, "token")}
    private_key = _private_key(credentials)
    if private_key is not None:
        if not credentials.login:
            raise credentials.invalid("login", "is empty; JWT bearer needs the user name in whose name to sign in")
        # A sandbox has its own login host, and it alone is the right audience there.
        sandbox = domain == "test" or "sandbox" in domain or "--" in domain
        audience = one_of(credentials, "audience") or f"https://{'test' if sandbox else 'login'}.salesforce.com"
        signed = {"auth": "jwt_bearer", "private_key": private_key, "subject": credentials.login}
        return {**signed, "audience": audience, **token_url}
    refresh = one_of(credentials, "refresh_token")
    if refresh is not None or credentials.extra.get("auth") == "refresh_token":
        # Without one, `connectors reconnect` gets it from a person's consent.
        given = {} if refresh is None else {"refresh_token": refresh}
        authorize = one_of(credentials, "authorize_url") or _oauth(domain, instance, "authorize")
        consent = {"authorize_url": authorize, "scopes": "api refresh_token"}
        return {"auth": "refresh_token", **given, **known, **token_url, **consent}
    if secret is None:
        raise credentials.invalid(
            "extra.consumer_secret", "is empty; beside `consumer_key` the connection needs it, or `private_key` and a "
            'login, or `"auth": "refresh_token"` for a person\'s consent'
        )  # fmt: skip
    if instance is None and "token_url" not in credentials.extra and domain in ("login", "test"):
        raise credentials.invalid(
            "extra.domain", "must be the org's own domain for client credentials, as mycompany.my; "
            f"{domain}.salesforce.com does not take them"
        )  # fmt: skip
    return {"auth": "client_credentials", **known, **token_url}


def _oauth(domain: str, instance: str | None, what: str) -> str:
    # An org's own host knows its users and apps; the shared hosts know everybody's.
    host = instance if instance is not None else f"https://{domain}.salesforce.com"
    return f"{host}/services/oauth2/{what}"


def _domain(credentials: Credentials) -> str:
    """The part before `.salesforce.com`: login, test, or the org's own, as the provider's hook reads it."""
    domain = (one_of(credentials, "domain") or "login").removeprefix("https://").rstrip("/")
    domain = domain.removesuffix(".salesforce.com")
    if _DOMAIN.fullmatch(domain) is None:
        raise credentials.invalid("extra.domain", "must be `login`, `test`, or the org's own, as mycompany.my")
    return domain


def _instance(credentials: Credentials) -> str | None:
    """The org's own URL, where the connection names it."""
    url, name = one_of(credentials, "instance_url"), one_of(credentials, "instance")
    if url is not None:
        return url.rstrip("/") if "://" in url else f"https://{url.rstrip('/')}"
    return None if name is None else f"https://{name}"


def _private_key(credentials: Credentials) -> str | None:
    """The key itself, or what its file holds."""
    key, file = one_of(credentials, "private_key"), one_of(credentials, "private_key_file_path")
    if key is not None or file is None:
        return key
    try:
        with Path(file).open(encoding="ascii") as opened:
            return opened.read(_LONGEST_KEY)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no PEM file"
        raise credentials.invalid("extra.private_key_file_path", f"cannot be read: {reason}") from None


def _no_app(credentials: Credentials) -> FluxError:
    """What to do about a connection without an app; SOAP's fields are the likeliest reason."""
    if credentials.password or one_of(credentials, "security_token"):
        return credentials.invalid(
            "extra.consumer_key",
            "is empty. A login with password and security token goes through SOAP, which Salesforce is retiring and "
            "Flux does not speak: make a connected app and write its `consumer_key` and `consumer_secret` with the "
            "org's `domain` (client credentials), or its `consumer_key` with `private_key` (JWT bearer)",
        )
    return credentials.invalid(
        "extra.consumer_key",
        "is empty; the connection needs `consumer_key` and `consumer_secret` of a connected app, or `session_id` and "
        "`instance_url`",
    )
