"""From an Airflow connection to a client of its API.

Fields, as the HTTP provider's hook reads them: `host` (a name or a whole URL), `schema` (http or https), `port`,
`login`, `password` (password, token or key). In `extra`: `timeout` (seconds of silence), `retry_budget` (seconds within
which a call is tried again, or waits for its turn), `limit` (calls, as `100/10s`, or `none`), `verify` (false, or the
file of an authority), `cert` (file, or [file, key file]), `proxy` or `proxies`, `trust_env`, `headers` (an object),
`test_path`, and what signing in needs (see `sign_in`). Where nothing is known of the system, any other text in `extra`
is a header too, as it is for that hook.
"""

from __future__ import annotations

import logging
import ssl
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from airflow_provider_flux.connectors.api import sign_in
from airflow_provider_flux.connectors.api.auth_options import Auth as AuthOptions
from airflow_provider_flux.connectors.api.pacing import open_adviser, open_pace
from airflow_provider_flux.connectors.api.profile import ANY_API, ApiProfile
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.transport.auth import Auth, header_value
from airflow_provider_flux.transport.classify import Row
from airflow_provider_flux.transport.client import BUDGET, TIMEOUT, HttpClient
from airflow_provider_flux.transport.masking import is_secret_name
from airflow_provider_flux.transport.oauth import OAuth
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
        "limit",
        "test_path",
        *sign_in.OWN_EXTRAS,
    }
)
"""Names in the extra field that are options; other texts there are headers."""
# Known to the HTTP provider's hook, without a meaning here.
_IGNORED = frozenset({"stream", "allow_redirects", "max_redirects", "check_response"})


_TOKEN_TIMEOUT, _TOKEN_BUDGET = 10.0, 20.0
"""Of a request for a token: other tasks wait for it, and take over after `oauth.LEASE` seconds."""


def open_client(
    credentials: Credentials,
    auth: AuthOptions | None,
    *,
    profile: ApiProfile = ANY_API,
    timeout: timedelta | None = None,
    connections: int = 10,
    tally: Tally | None = None,
    rows: Sequence[Row] = (),
) -> HttpClient:
    """A client of the connection's API. No call is made.

    :param auth: what the flow says; without it what the connection says
    :param profile: what is known of the vendor's API
    :param connections: most connections at the same time
    :param tally: where its calls are counted; one of its own unless given
    :param rows: of the flow, to recognise answers; those of the profile are known anyway
    :raises FluxError: CONNECTION_INVALID, with the field at fault
    """
    tally = tally or Tally()
    silence = timeout.total_seconds() if timeout is not None else _seconds(credentials, "timeout", TIMEOUT)
    patience = _seconds(credentials, "retry_budget", BUDGET)
    signer, base = open_auth(credentials, auth, profile, tally)
    headers, secrets = _extra_headers(credentials, profile)
    known = signer.token_url if isinstance(signer, OAuth) and not isinstance(base, str) else str(base)
    return HttpClient(
        base,
        conn_id=credentials.conn_id,
        auth=signer,
        headers={**profile.headers, **headers},
        secrets=secrets,
        timeout=silence,
        verify=_verify(credentials, known),
        proxy=_proxy(credentials, known),
        connections=connections,
        budget=0.0 if credentials.one_try else patience,
        tally=tally,
        pace=open_pace(credentials, profile, patience=patience, silence=silence),
        adviser=open_adviser(profile, rows),
    )


def open_auth(
    credentials: Credentials, of_flow: AuthOptions | None, profile: ApiProfile, tally: Tally | None = None
) -> tuple[Auth, str | Callable[[], str]]:
    """What signs the requests of a connection, and the URL that they begin with; a function where only the answer of
    the token server tells. No call is made.

    :raises FluxError: CONNECTION_INVALID, with the field at fault
    """
    told_by_token = profile.sign_in.base_url_from if profile.sign_in is not None else None
    if told_by_token is None or credentials.host or profile.base_url:
        base = base_url(credentials, profile)
        return sign_in.sign_in(credentials, of_flow, profile.sign_in, base, _token_client(credentials), tally), base
    signer = sign_in.sign_in(credentials, of_flow, profile.sign_in, None, _token_client(credentials), tally)
    if isinstance(signer, OAuth):
        return signer, partial(_told, credentials, signer, told_by_token)
    return signer, base_url(credentials, profile)  # raises: the field is empty


def _token_client(credentials: Credentials) -> Callable[[str], HttpClient]:
    """Opens clients of token servers: TLS and proxy as for the API, the API's headers are not sent."""
    return lambda url: HttpClient(
        url,
        conn_id=credentials.conn_id,
        timeout=min(_seconds(credentials, "timeout", TIMEOUT), _TOKEN_TIMEOUT),
        verify=_verify(credentials, url),
        proxy=_proxy(credentials, url),
        connections=1,
        budget=0.0 if credentials.one_try else _TOKEN_BUDGET,
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
    scheme = credentials.schema or ("http" if profile.sign_in is None else "https")
    url = host if "://" in host else f"{scheme}://{host}"
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


def _told(credentials: Credentials, signer: OAuth, member: str) -> str:
    """The API's base URL as the answer of the token server names it.

    :raises FluxError: CONNECTION_INVALID when it names none, or one that is less safe than the token server's own
    """
    url = (signer.token().extra or {}).get(member, "")
    safe = ("https",) if signer.token_url.startswith("https:") else ("https", "http")
    parts = urlsplit(url)
    if parts.scheme not in safe or not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        raise credentials.invalid("host", f"is empty, and the token server names no usable URL as `{member}`")
    return url.rstrip("/")


def _extra_headers(credentials: Credentials, profile: ApiProfile) -> tuple[dict[str, str], tuple[str, ...]]:
    """Headers of the extra field, and those of their values that are secrets."""
    own = credentials.extra.get("headers") or {}
    if not isinstance(own, Mapping):
        raise credentials.invalid("extra.headers", "must be an object of texts")
    if credentials.extra.get("srv_lookup"):
        raise credentials.invalid("extra.srv_lookup", "is not supported; write the host itself")
    headers: dict[str, str] = {}
    # The extra field of a system that is known holds its own options.
    loose = credentials.extra if profile.sign_in is None else {}
    others = {name: value for name, value in loose.items() if name not in OWN_EXTRAS | _IGNORED | {"srv_lookup"}}
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
