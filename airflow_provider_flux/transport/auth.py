"""How a request says who it comes from: a Bearer token, a login, or an API key in a header or in the query."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Auth:
    """What is added to every request, and only to requests to the connection's own host.

    :param secrets: texts that must never be shown
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


NO_AUTH = Auth()


def bearer(token: str) -> Auth:
    """:raises ValueError: when the token cannot stand in a header"""
    return Auth(headers={"Authorization": f"Bearer {header_value(token)}"}, secrets=(token,))


def basic(login: str, password: str) -> Auth:
    """Login and password, as UTF-8 (RFC 7617).

    :raises ValueError: when the login holds a colon
    """
    if ":" in login:
        raise ValueError("a login with a colon cannot be sent by Basic authentication")
    pair = base64.b64encode(f"{login}:{password}".encode()).decode("ascii")
    return Auth(headers={"Authorization": f"Basic {pair}"}, secrets=(password, pair))


def api_key(key: str, *, header: str | None = None, query: str | None = None, prefix: str = "") -> Auth:
    """A key in a header (`prefix` before it), or in a query parameter.

    :raises ValueError: when the key cannot stand in a header
    """
    if query is not None:
        return Auth(params={query: key}, secrets=(key,))
    return Auth(headers={header or "X-Api-Key": prefix + header_value(key)}, secrets=(key,))


def header_value(text: str) -> str:
    """The text itself, if a header can hold it. The message does not show it.

    :raises ValueError: when it holds a line break or another character that a header cannot hold
    """
    if not text.isascii() or not text.isprintable():
        raise ValueError("it holds a line break, or another character that a header cannot hold")
    if text != text.strip():
        raise ValueError("it begins or ends with a blank")
    return text
