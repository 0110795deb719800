"""From one page to the next by tokens, URLs and offsets.

Two things must never happen: a record skipped because the server lowered the page size, and a loop without end because
it ignores what we ask for.
"""

from __future__ import annotations

import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_flux.connectors.rest.source_options import Paging
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.paths import MISSING, get

log = logging.getLogger("airflow_provider_flux.transport")

_LINK = re.compile(r"<([^>]*)>([^<]*)")
_REL = re.compile(r";\s*rel\s*=\s*\"?([^\";,]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Step:
    """What asks for a page.

    :param params: parameters beside those of every call
    :param url: a URL that the server wrote, which holds all parameters; it may be relative
    :param fallback: how to ask instead, should the server refuse
    :param known: records that must come back; when they do, they were read already
    :param expect_end: the page must be empty; if it is not, records may have been skipped
    :param own_size: the page size is left to the server
    """

    params: Mapping[str, Any] = field(default_factory=dict)
    url: str | None = None
    fallback: Step | None = None
    known: list[Any] | None = None
    expect_end: bool = False
    own_size: bool = False


@dataclass(frozen=True)
class Seen:
    """A page as it came.

    :param step: what asked for it
    :param endpoint: method and path, for messages
    """

    step: Step
    headers: Mapping[str, str]
    value: Any
    records: list[Any]
    endpoint: str


class Pager(ABC):
    """Knows the way through one list, once."""

    def __init__(self, options: Paging) -> None:
        self.options = options

    def first(self) -> Step:
        """What asks for the first page."""
        return Step(self._with_size({}, self.options.size))

    @abstractmethod
    def after(self, seen: Seen) -> Step | None:
        """What asks for the page after this one; None after the last.

        :raises FluxError: BAD_REQUEST when the server does not page as the flow says
        """

    def _with_size(self, params: dict[str, Any], size: int | None) -> dict[str, Any]:
        return params if self.options.size_param is None or size is None else {**params, self.options.size_param: size}

    def _says_more(self, seen: Seen) -> bool | None:
        """What `more` says; None where the flow does not name it."""
        if self.options.more is None:
            return None
        found = get(seen.value, self.options.more)
        if found is MISSING:
            raise broken(seen, f"`page.more: {self.options.more}` is not in the answer")
        return bool(found) and found != "false"


class OnePage(Pager):
    """Everything comes in one answer."""

    def after(self, seen: Seen) -> Step | None:
        """There is no other page."""
        return None


class ByToken(Pager):
    """The answer holds a token, or a URL, that leads on. An empty page with a token is not the last one.

    A lowered page size skips nothing here, and one that the API refuses is left to it.
    """

    def __init__(self, options: Paging, token_of: Callable[[Seen], str | int | None]) -> None:
        super().__init__(options)
        self._token_of = token_of
        self._known: set[str | int] = set()
        self._size = options.size
        self._lowered = False

    def first(self) -> Step:
        """Ask for the first page, in the API's own size if it refuses ours."""
        asked = super().first()
        return asked if self._size is None else replace(asked, fallback=Step(own_size=True))

    def after(self, seen: Seen) -> Step | None:
        """Follow the token."""
        if seen.step.own_size and self._size is not None:
            log.warning("%s: the API refuses pages of %d records; its own size holds", seen.endpoint, self._size)
            self._size = None
        more = self._says_more(seen)
        token = self._token_of(seen)
        if more is False or (token is None and more is None):
            return None
        if token is None:
            raise broken(seen, f"`page.more` says that more follows, but there is no `page.next: {self.options.next}`")
        if token in self._known:
            raise broken(seen, "the next page is one that was read before: the API repeats its cursor, without end")
        self._known.add(token)
        if self._size is not None and 0 < len(seen.records) < self._size and not self._lowered:
            self._lowered = True
            log_lowered(seen, self._size, len(seen.records))
        if self.options.kind != "cursor":
            return Step(url=str(token))
        assert self.options.param is not None
        return Step(self._with_size({self.options.param: token}, self._size))


class ByOffset(Pager):
    """Counts records. What came counts, not what was asked for: a lowered page size skips nothing."""

    def __init__(self, options: Paging) -> None:
        super().__init__(options)
        self._param = options.param or "offset"
        self._offset = options.start or 0
        self._lowered = False
        self._last: list[Any] = []

    def first(self) -> Step:
        """Ask for the first records."""
        return Step(self._with_size({self._param: self._offset}, self.options.size))

    def after(self, seen: Seen) -> Step | None:
        """Ask for what follows the records that came."""
        more = self._says_more(seen)
        if more is False or (not seen.records and more is None):
            return None
        if not seen.records:
            raise broken(seen, f"`page.more: {self.options.more}` says that more follows, but the page is empty")
        check_progress(seen, self._last, self._param)
        if not self._lowered and self.options.size is not None and 0 < len(self._last) < self.options.size:
            self._lowered = True
            log_lowered(seen, self.options.size, len(self._last))
        self._last = seen.records
        self._offset += len(seen.records)
        return self.first()


def next_link(header: str) -> str | None:
    """The target of `rel="next"` in a Link header (RFC 8288)."""
    for link in _LINK.finditer(header):
        relation = _REL.search(link[2])
        if relation is not None and "next" in relation[1].lower().split():
            return link[1] or None
    return None


def token_at(seen: Seen, path: str) -> str | int | None:
    """The cursor or URL at a path of the answer; None where there is none."""
    found = get(seen.value, path)
    if found is MISSING or found is None or found == "" or found is False:
        return None
    if isinstance(found, (str, int)) and found is not True:
        return found
    raise broken(seen, f"`page.next: {path}` is neither a text nor a number")


def check_progress(seen: Seen, last: list[Any], param: str) -> None:
    """:raises FluxError: BAD_REQUEST when a page is the same as the one before it"""
    if seen.records == last and last:
        raise broken(
            seen,
            f"two pages in a row hold the same records: the API ignores `{param}`, or repeats its last page",
            f"Correct `page.param` ('{param}'); if the API repeats its last page, name in `page.more` where it says "
            "that nothing follows.",
        )


def log_lowered(seen: Seen, asked: int, came: int) -> None:
    """Say that the server lowers the page size."""
    log.warning(
        "%s: asked for %d records a page, got %d and more follow: the API lowers the page size",
        seen.endpoint,
        asked,
        came,
    )


def broken(seen: Seen, reason: str, next_step: str | None = None) -> FluxError:
    """The error of a server that does not page as the flow says."""
    return FluxError("BAD_REQUEST", f"{seen.endpoint}: {reason}", next_step=next_step or "Correct `page` in the flow.")
