"""From an Airflow connection to a client of its API.

Fields, as the HTTP provider's hook reads them: `host` (a name or a whole URL), `schema` (http or https), `port`,
`login`, `password` (password, token or key). In `extra`: `timeout` (seconds of silence), `retry_budget` (seconds within
which a call is tried again), `verify` (false, or the file of an authority), `cert` (file, or [file, key file]), `proxy`
or `proxies`, `trust_env`, `headers` (an object), `auth` (as in the flow), `test_path`; any other text in `extra` is a
header too, as it is for that hook.
"""

from __future__ import annotations

import logging
import ssl
import urllib.request
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import ValidationError

from airflow_provider_flux.connectors.api.profile import ANY_API, ApiProfile
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.rest import options as rest_options
from airflow_provider_flux.transport import auth as transport_auth
from airflow_provider_flux.transport.auth import Auth, header_value
from airflow_provider_flux.transport.client import BUDGET, TIMEOUT, HttpClient
from airflow_provider_flux.transport.masking import is_secret_name
from airflow_provider_flux.transport.tally import Tally

log = logging.getLogger(__name__)

OWN_EXTRAS = frozenset(
    {
        "timeout",
        "retry_budget",
        "verify",
        "verify_ssl",
        "cert",
        "proxy",
        "proxies",
        "trust_env",
        "headers",
        "auth",
        "test_path",
    }
)
"""Names in the extra field that are options; other texts there are headers."""
# Known to the HTTP provider's hook, without a meaning here.
_IGNORED = frozenset({"stream", "allow_redirects", "max_redirects", "check_response"})


def open_client(
    credentials: Credentials,
    auth: rest_options.Auth | None,
    *,
    profile: ApiProfile = ANY_API,
    timeout: timedelta | None = None,
    connections: int = 10,
    tally: Tally | None = None,
) -> HttpClient:
    """A client of the connection's API. No call is made.

    :param auth: what the flow says; without it what the connection says
    :param profile: what is known of the vendor's API
    :param connections: most connections at the same time
    :param tally: where its calls are counted; one of its own unless given
    :raises FluxError: CONNECTION_INVALID, with the field at fault
    """
    base = base_url(credentials, profile)
    headers, secrets = _extra_headers(credentials)
    return HttpClient(
        base,
        conn_id=credentials.conn_id,
        auth=_auth(credentials, auth),
        headers={**profile.headers, **headers},
        secrets=secrets,
        timeout=timeout.total_seconds() if timeout is not None else _seconds(credentials, "timeout", TIMEOUT),
        verify=_verify(credentials, base),
        proxy=_proxy(credentials, base),
        connections=connections,
        budget=0.0 if credentials.one_try else _seconds(credentials, "retry_budget", BUDGET),
        tally=tally,
        adviser=profile.adviser,
    )


def base_url(credentials: Credentials, profile: ApiProfile = ANY_API) -> str:
    """Scheme, host, port and path that all calls begin with.

    :raises FluxError: CONNECTION_INVALID, with the field at fault
    """
    host = (credentials.host or profile.base_url or "").strip()
    if not host:
        raise credentials.invalid(
            "host", "is empty; it must hold the API's host or base URL, as https://api.example.com"
        )
    url = host if "://" in host else f"{credentials.schema or 'http'}://{host}"
    try:
        parts = urlsplit(url)
        port = parts.port or credentials.port
    except ValueError:
        raise credentials.invalid("host", "is not a host or a URL") from None
    if parts.scheme not in ("http", "https"):
        raise credentials.invalid("schema" if "://" not in host else "host", "must say http or https")
    if parts.username is not None or parts.password is not None:
        raise credentials.invalid("host", "holds a login; write it into the fields 'login' and 'password'")
    if not parts.hostname or parts.query or parts.fragment or not url.isprintable() or " " in url:
        raise credentials.invalid("host", "is not a host or a URL")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return urlunsplit((parts.scheme, f"{name}:{port}" if port else name, parts.path.rstrip("/"), "", ""))


def _auth(credentials: Credentials, of_flow: rest_options.Auth | None) -> Auth:
    declared = of_flow or _declared(credentials)
    try:
        if declared is None:
            if credentials.login:
                return transport_auth.basic(credentials.login, credentials.password or "")
            return transport_auth.bearer(credentials.password) if credentials.password else transport_auth.NO_AUTH
        if declared.kind == "bearer":
            return transport_auth.bearer(_password(credentials, "token"))
        if declared.kind == "api_key":
            key = _password(credentials, "API key")
            return transport_auth.api_key(key, header=declared.header, query=declared.query, prefix=declared.prefix)
        if declared.kind == "basic":
            if not credentials.login:
                raise credentials.invalid("login", "is empty; `auth: basic` needs it")
            return transport_auth.basic(credentials.login, credentials.password or "")
    except ValueError as error:
        field = "login" if "login" in str(error) else "password"
        raise credentials.invalid(field, str(error)) from None
    return transport_auth.NO_AUTH


def _password(credentials: Credentials, what: str) -> str:
    if not credentials.password:
        raise credentials.invalid("password", f"is empty; it must hold the {what}")
    return credentials.password


def _declared(credentials: Credentials) -> rest_options.Auth | None:
    """`auth` of the connection's extra field."""
    declared = credentials.extra.get("auth")
    if declared is None:
        return None
    try:
        return rest_options.Auth.model_validate({"kind": declared} if isinstance(declared, str) else declared)
    except ValidationError as error:
        reason = "; ".join(detail["msg"] for detail in error.errors(include_input=False, include_url=False))
        raise credentials.invalid("extra.auth", reason) from None


def _extra_headers(credentials: Credentials) -> tuple[dict[str, str], tuple[str, ...]]:
    """Headers of the extra field, and those of their values that are secrets."""
    own = credentials.extra.get("headers") or {}
    if not isinstance(own, Mapping):
        raise credentials.invalid("extra.headers", "must be an object of texts")
    if credentials.extra.get("srv_lookup"):
        raise credentials.invalid("extra.srv_lookup", "is not supported; write the host itself")
    headers: dict[str, str] = {}
    others = {
        name: value for name, value in credentials.extra.items() if name not in OWN_EXTRAS | _IGNORED | {"srv_lookup"}
    }
    for name, value in {**others, **own}.items():
        if not isinstance(value, str):
            raise credentials.invalid(f"extra.{name}", "is neither an option of Flux nor the text of a header")
        try:
            headers[name] = header_value(value)
        except ValueError as error:
            raise credentials.invalid(f"extra.{name}", str(error)) from None
    return headers, tuple(value for name, value in headers.items() if is_secret_name(name))


def _seconds(credentials: Credentials, name: str, default: float) -> float:
    value = credentials.extra.get(name)
    if value is None or value == "":
        return default
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise credentials.invalid(f"extra.{name}", "must be a number of seconds, at most 3600")
    return seconds


def _verify(credentials: Credentials, base: str) -> ssl.SSLContext | bool:
    """How TLS certificates are checked."""
    value = _flag(credentials.extra.get("verify", credentials.extra.get("verify_ssl", True)))
    cert = credentials.extra.get("cert")
    if value is False:
        log.warning("connection '%s' does not check TLS certificates (extra.verify)", credentials.conn_id)
    if not base.startswith("https:") or (isinstance(value, bool) and cert is None):
        return value is not False
    try:
        context = ssl.create_default_context(cafile=value if isinstance(value, str) else None)
        if value is False:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
    except OSError as error:
        raise credentials.invalid("extra.verify", f"cannot be used: {error.strerror or error}") from None
    try:
        if cert is not None:
            context.load_cert_chain(*([cert] if isinstance(cert, str) else cert))
    except (OSError, TypeError) as error:
        raise credentials.invalid("extra.cert", f"cannot be used: {error}") from None
    return context


def _proxy(credentials: Credentials, base: str) -> str | None:
    """The proxy of the connection, else of the environment (`HTTPS_PROXY`, `NO_PROXY`)."""
    scheme, _, rest = base.partition("://")
    own: Any = credentials.extra.get("proxy") or credentials.extra.get("proxies")
    if isinstance(own, Mapping):
        own = own.get(scheme)
    if own:
        if not isinstance(own, str) or not own.startswith(("http://", "https://")):
            raise credentials.invalid("extra.proxy", "must be the URL of a proxy, as http://proxy.example.com:3128")
        return own
    host = rest.partition("/")[0]
    if _flag(credentials.extra.get("trust_env", True)) is False or urllib.request.proxy_bypass(host):
        return None
    found = urllib.request.getproxies().get(scheme)
    return found if found is None or "://" in found else f"http://{found}"


def _flag(value: Any) -> Any:
    """Connections written as URIs hold only texts."""
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value
