"""Asks a token server for a token, and reads what it says (RFC 6749, 5)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.answers import NotJson, kept
from airflow_provider_flux.transport.classify import loosely, vendor_message
from airflow_provider_flux.transport.client import HttpClient
from airflow_provider_flux.transport.grants import Grant, OAuthClient
from airflow_provider_flux.transport.messages import Request, Response
from airflow_provider_flux.transport.retry import retry_after
from airflow_provider_flux.transport.shared import StoredToken

_MOST_LEEWAY = 60.0
_SHARE = 0.2  # of a token's life is its leeway, if that is shorter
_LEAST_LEEWAY = 1.0  # servers count in whole seconds


class InvalidGrant(FluxError):
    """The server does not accept the refresh token, the assertion or the code itself (any more)."""


@dataclass(frozen=True)
class TokenServer:
    """Where the tokens of one connection come from.

    :param url: of the token endpoint
    :param open: opens a client of that host, which is closed after each request
    :param keep: members of the answer that are kept beside the token (`instance_url`)
    """

    conn_id: str
    url: str
    client: OAuthClient
    open: Callable[[], HttpClient]
    keep: tuple[str, ...] = ()

    def ask(self, grant: Grant, refresh: str | None = None) -> StoredToken:
        """Ask for a token.

        A request whose answer was lost is sent again, also with a refresh token that the server may have used up: the
        lost one cannot be asked for, so nothing is worse for it.

        :param refresh: the refresh token that was handed out last
        :raises InvalidGrant: it is used up, revoked or expired; a person must consent again, or mend the connection
        :raises FluxError: AUTHENTICATION_FAILED for a client that is not known, CONNECTION_INVALID for what the
            connection says wrongly, CONNECTION_TIMEOUT and RATE_LIMIT_EXCEEDED where another try may help
        """
        headers, body = self.client.request(grant.form(refresh))
        client = self.open()
        try:
            client.mask.learn(_secrets(grant, self.client, refresh, headers, body))
            asked_at = time.time()
            request = Request(
                "POST", self.url, headers={**headers}, body=body.encode(), repeatable=True, wants="json"
            )
            response = client.send(request)
            value = _json(response)
            if not 200 <= response.status < 300 or (isinstance(value, Mapping) and value.get("error")):
                raise self._refused(response, value, client.mask)
            return self._token(response, value, asked_at)
        finally:
            client.close()

    def _token(self, response: Response, value: Any, asked_at: float) -> StoredToken:
        """The token of a good answer. Errors do not show the answer: it holds a token."""
        access = value.get("access_token") if isinstance(value, Mapping) else None
        if not isinstance(access, str) or not access.isascii() or not access.isprintable() or access != access.strip():
            raise self._unreadable(response, "it holds no `access_token` that a request could carry")
        if str(value.get("token_type") or "bearer").lower() != "bearer":
            raise self._unreadable(response, "its `token_type` is not Bearer")
        refresh, lifetime = value.get("refresh_token"), _seconds(value.get("expires_in"))
        facts = {name: value[name] for name in self.keep if isinstance(value.get(name), str)}
        return StoredToken(
            access=access,
            refresh=refresh if isinstance(refresh, str) and refresh else None,
            expires_at=None if lifetime is None else asked_at + lifetime,
            renew_at=None if lifetime is None else asked_at + lifetime - _leeway(lifetime),
            extra=facts or None,
        )

    def _unreadable(self, response: Response, reason: str) -> FluxError:
        return FluxError(
            "UNREADABLE_ANSWER",
            f"connection '{self.conn_id}': {response.endpoint} (HTTP {response.status}) is no answer of a token "
            f"server: {reason}",
            next_step=f"Correct the field 'extra.token_url' of the Airflow connection '{self.conn_id}'.",
            status=response.status,
        )

    def _refused(self, response: Response, value: Any, mask: Callable[[str], str]) -> FluxError:
        """What the server's refusal means, by its `error` (RFC 6749, 5.2) or else by its status."""
        said = value.get("error") if isinstance(value, Mapping) else None
        loose = loosely(response.body, response.content_type)
        words = (said, value.get("error_description")) if isinstance(said, str) else (vendor_message(loose),)
        text = ": ".join(word for word in words if isinstance(word, str) and word)
        message = mask(
            f"connection '{self.conn_id}': the token server refuses: {response.endpoint} answered "
            f"HTTP {response.status}" + (f": {text}" if text else "")
        )
        code, next_step = self._meaning(said, response.status)
        kind = InvalidGrant if said in _USED_UP else FluxError
        return kind(
            code,
            message,
            next_step=next_step,
            answer=kept(response.body, mask),
            retry_after=retry_after(response.headers),
            status=response.status,
        )

    def _meaning(self, said: Any, status: int) -> tuple[str, str | None]:
        connection = f"of the Airflow connection '{self.conn_id}'"
        if said in _USED_UP:
            return "AUTHENTICATION_FAILED", None
        if said == "invalid_scope":
            return "CONNECTION_INVALID", f"Correct the field 'extra.scopes' {connection}."
        if said in ("unauthorized_client", "unsupported_grant_type"):
            return "AUTHENTICATION_FAILED", (
                "Allow the app this way to sign in in the system's settings, or choose another one by the fields "
                f"{connection} (docs/sign-in.md)."
            )
        if status == 429:
            return "RATE_LIMIT_EXCEEDED", None
        if status >= 500 or said in ("server_error", "temporarily_unavailable"):
            return "CONNECTION_TIMEOUT", "See the system's status page; the task retries by itself."
        if status in (404, 405):
            return "CONNECTION_INVALID", f"Correct the field 'extra.token_url' {connection}."
        return "AUTHENTICATION_FAILED", (
            f"Correct the fields 'extra.client_id' and 'extra.client_secret' {connection}, then run "
            f"`airflow-flux connectors verify {self.conn_id}`."
        )


_USED_UP = ("invalid_grant", "bad_refresh_token", "bad_verification_code")  # the last two are GitHub's


def _json(response: Response) -> Any:
    try:
        return response.decoded.value
    except NotJson:
        return None


def _seconds(value: Any) -> float | None:
    """`expires_in`: a number, from some servers as a text; None where it is missing or makes no sense."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return seconds if math.isfinite(seconds) and seconds > 0 else None


def _leeway(lifetime: float) -> float:
    """How many seconds before it expires a token is renewed."""
    return min(_MOST_LEEWAY, max(_SHARE * lifetime, min(_LEAST_LEEWAY, lifetime / 2)))


def _secrets(
    grant: Grant, client: OAuthClient, refresh: str | None, headers: Mapping[str, str], body: str
) -> tuple[str, ...]:
    """What is sent and must not be shown."""
    sent = parse_qs(body)
    found = [*grant.secrets(), *sent.get("assertion", ()), headers.get("Authorization", "").partition(" ")[2]]
    return tuple(secret for secret in (*found, client.secret, refresh) if secret)
