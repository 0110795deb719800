"""A request and its answer, as the transport's callers see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from urllib.parse import urlsplit

from airflow_provider_flux.transport.answers import Decoded, NotJson, decode, looks_like_html


@dataclass(frozen=True)
class Request:
    """One call.

    :param url: a path below the connection's base URL, or an absolute URL on the same host
    :param params: query parameters; a list repeats its name
    :param body: sent as it is; the caller sets `Content-Type`
    :param repeatable: whether the server may execute it twice without harm; GET is, others only if the caller says so
    :param wants: what a good answer holds: JSON, at least no page for people (`data`), or anything
    """

    method: str
    url: str
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    repeatable: bool | None = None
    wants: Literal["anything", "data", "json"] = "anything"

    @property
    def may_repeat(self) -> bool:
        """Whether it may be sent again although the server may have executed it."""
        return self.method in ("GET", "HEAD") if self.repeatable is None else self.repeatable

    @property
    def endpoint(self) -> str:
        """Method and path for messages; never the query, where keys may stand."""
        return f"{self.method} {urlsplit(self.url).path or '/'}"


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

    @cached_property
    def decoded(self) -> Decoded:
        """The JSON of the body, read once.

        :raises NotJson: when it is none
        """
        return decode(self.body, self.content_type)

    def fits(self, request: Request) -> bool:
        """Whether a 2xx answer holds what the request wants; any other status speaks for itself."""
        if request.wants == "anything" or not 200 <= self.status < 300:
            return True
        if looks_like_html(self.body):
            return False
        if request.wants == "data":
            return True
        try:
            return self.decoded is not None
        except NotJson:
            return False

    @property
    def content_type(self) -> str:
        """The header of that name, or an empty text."""
        return self.headers.get("content-type", "")
