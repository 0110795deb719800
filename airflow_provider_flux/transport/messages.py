"""A request and its answer, as the transport's callers see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """One call.

    :param url: a path below the connection's base URL, or an absolute URL on the same host
    :param params: query parameters; a list repeats its name
    :param body: sent as it is; the caller sets `Content-Type`
    :param repeatable: whether the server may execute it twice without harm; GET is, others only if the caller says so
    """

    method: str
    url: str
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    repeatable: bool | None = None

    @property
    def may_repeat(self) -> bool:
        """Whether it may be sent again although the server may have executed it."""
        return self.method in ("GET", "HEAD") if self.repeatable is None else self.repeatable


@dataclass(frozen=True)
class Response:
    """What came back, whatever its status.

    :param url: the URL that answered, without the credentials of its query
    :param endpoint: method and path for messages, without the query
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    endpoint: str

    @property
    def content_type(self) -> str:
        """The header of that name, or an empty text."""
        return self.headers.get("content-type", "")
