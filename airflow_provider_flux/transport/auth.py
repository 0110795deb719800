"""How a request says who it comes from: a Bearer token, a login, an API key in a header or in the query, or a token
that has to be fetched first (see `transport.oauth`)."""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Signature:
    """What is added to a request, and only to requests to the connection's own host.

    :param secrets: texts that must never be shown
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


class Auth(ABC):
    """Signs the requests of one connection. Used from several threads at once."""

    @abstractmethod
    def sign(self) -> Signature:
        """What the next request carries. May fetch a token.

        :raises FluxError: AUTHENTICATION_FAILED, CONNECTION_INVALID, or what keeps the token from being fetched
        """

    def renew(self, refused: Signature) -> bool:
        """Called after a request was answered with 401: whether there are other credentials now, to try it once more.

        :param refused: what the request carried
        """
        return False


@dataclass(frozen=True)
class Fixed(Auth):
    """The same credentials for every request."""

    signature: Signature = Signature()

    def sign(self) -> Signature:
        """The credentials."""
        return self.signature


NO_AUTH = Fixed()


def bearer(token: str) -> Fixed:
    """:raises ValueError: when the token cannot stand in a header"""
    return Fixed(bearer_signature(token))


def bearer_signature(token: str) -> Signature:
    """:raises ValueError: when the token cannot stand in a header"""
    return Signature(headers={"Authorization": f"Bearer {header_value(token)}"}, secrets=(token,))


def basic(login: str, password: str) -> Fixed:
    """Login and password, as UTF-8 (RFC 7617).

    :raises ValueError: when the login holds a colon
    """
    if ":" in login:
        raise ValueError("a login with a colon cannot be sent by Basic authentication")
    pair = base64.b64encode(f"{login}:{password}".encode()).decode("ascii")
    return Fixed(Signature(headers={"Authorization": f"Basic {pair}"}, secrets=(password, pair)))


def api_key(key: str, *, header: str | None = None, query: str | None = None, prefix: str = "") -> Fixed:
    """A key in a header (`prefix` before it), or in a query parameter.

    :raises ValueError: when the key cannot stand in a header
    """
    if query is not None:
        return Fixed(Signature(params={query: key}, secrets=(key,)))
    return Fixed(Signature(headers={header or "X-Api-Key": prefix + header_value(key)}, secrets=(key,)))


def header_value(text: str) -> str:
    """The text itself, if a header can hold it. The message does not show it.

    :raises ValueError: when it holds a line break or another character that a header cannot hold
    """
    if not text.isascii() or not text.isprintable():
        raise ValueError("it holds a line break, or another character that a header cannot hold")
    if text != text.strip():
        raise ValueError("it begins or ends with a blank")
    return text
