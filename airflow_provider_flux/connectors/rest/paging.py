"""From one page to the next, for every way in which APIs hand out long lists.

Two things must never happen: a record skipped because the server lowered the page size, and a loop without end because
it ignores what we ask for.
"""

from __future__ import annotations

import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
    :param expect_end: the page must be empty; if it is not, records may have been skipped
    """

    params: Mapping[str, Any] = field(default_factory=dict)
    url: str | None = None
    fallback: Step | None = None
    expect_end: bool = False


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
        return params if self.options.size_param is None else {**params, self.options.size_param: size}

    def _says_more(self, seen: Seen) -> bool | None:
        """What `more` says; None where the flow does not name it."""
        if self.options.more is None:
            return None
        found = get(seen.value, self.options.more)
        if found is MISSING:
            raise _broken(seen, f"`page.more: {self.options.more}` is not in the answer")
        return bool(found) and found != "false"


class OnePage(Pager):
    """Everything comes in one answer."""

    def after(self, seen: Seen) -> Step | None:
        """There is no other page."""
        return None


class ByToken(Pager):
    """The answer holds a token, or a URL, that leads on. An empty page with a token is not the last one."""

    def __init__(self, options: Paging, token_of: Callable[[Seen], str | int | None]) -> None:
        super().__init__(options)
        self._token_of = token_of
        self._known: set[str | int] = set()

    def after(self, seen: Seen) -> Step | None:
        """Follow the token."""
        more = self._says_more(seen)
        token = self._token_of(seen)
        if more is False or (token is None and more is None):
            return None
        if token is None:
            raise _broken(seen, f"`page.more` says that more follows, but there is no `page.next: {self.options.next}`")
        if token in self._known:
            raise _broken(seen, "the next page is one that was read before: the API repeats its cursor, without end")
        self._known.add(token)
        if self.options.kind != "cursor":
            return Step(url=str(token))
        assert self.options.param is not None
        return Step(self._with_size({self.options.param: token}, self.options.size))


class ByOffset(Pager):
    """Counts records. What came counts, not what was asked for: a lowered page size skips nothing."""

    def __init__(self, options: Paging) -> None:
        super().__init__(options)
        self._param = options.param or "offset"
        self._offset = options.start or 0
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
            raise _broken(seen, f"`page.more: {self.options.more}` says that more follows, but the page is empty")
        _check_progress(seen, self._last, self._param)
        if self.options.size is not None and 0 < len(self._last) < self.options.size:
            _log_lowered(seen, self.options.size, len(self._last))
        self._last = seen.records
        self._offset += len(seen.records)
        return self.first()


class ByPage(Pager):
    """Counts pages, which is right only while every page is as long as the server thinks it is.

    A page shorter than asked for is the last one, or the server lowered the size. Where its next page begins is then
    anybody's guess: some count in the lowered size, some in the one that was asked for. So the next request asks for
    pages of exactly the size that came, from where we stand, which both understand alike. A server that allows only
    some sizes refuses that; then its own next page must be empty.
    """

    def __init__(self, options: Paging) -> None:
        super().__init__(options)
        self._param = options.param or "page"
        self._start = 1 if options.start is None else options.start
        self._page = self._start
        self._size = options.size
        self._position = 0
        self._last: list[Any] = []
        self._trial = (self._page, 0)

    def first(self) -> Step:
        """Ask for the first page."""
        return self._step(self._page, self._size)

    def after(self, seen: Seen) -> Step | None:
        """Ask for the next page, of a size that the server keeps to."""
        more = self._says_more(seen)
        came = len(seen.records)
        if more is False or (came == 0 and not more):
            return None
        if seen.step.expect_end:
            raise self._uneven(seen, len(self._last))
        _check_progress(seen, self._last, self._param)
        if seen.step.fallback is not None:
            _log_lowered(seen, self._size or 0, self._trial[1])
            self._page, self._size = self._trial
        self._last = seen.records
        self._position += came
        if self._size is None or came == 0 or came >= self._size:
            self._page += 1
            return self._step(self._page, self._size)
        return self._after_short(seen, came, bool(more))

    def _after_short(self, seen: Seen, came: int, more: bool) -> Step:
        natural = Step(self._step(self._page + 1, self._size).params, expect_end=True)
        if self._position % came == 0:
            self._trial = (self._start + self._position // came, came)
            return Step(self._step(*self._trial).params, fallback=natural)
        if more:
            raise self._uneven(seen, came)
        return natural

    def _step(self, page: int, size: int | None) -> Step:
        return Step(self._with_size({self._param: page}, size))

    def _uneven(self, seen: Seen, came: int) -> FluxError:
        return _broken(
            seen,
            f"a page had {came} records where {self._size} were asked for, and more follow: where the next page begins "
            "is not known, and going on could skip records",
            f"Set `page.size` to what the API really gives, for example {came}; or leave `page.size` and "
            "`page.size_param` out, so that the API's own size holds.",
        )


def pager_for(options: Paging) -> Pager:
    """The pager of a kind."""
    if options.kind == "none":
        return OnePage(options)
    if options.kind == "page":
        return ByPage(options)
    if options.kind == "offset":
        return ByOffset(options)
    if options.kind == "link_header":
        return ByToken(options, lambda seen: next_link(seen.headers.get("link", "")))
    if options.kind == "next_url_header":
        header = options.header or ""
        return ByToken(options, lambda seen: seen.headers.get(header) or None)
    path = options.next or ""
    return ByToken(options, lambda seen: _token(seen, path))


def next_link(header: str) -> str | None:
    """The target of `rel="next"` in a Link header (RFC 8288)."""
    for link in _LINK.finditer(header):
        relation = _REL.search(link[2])
        if relation is not None and "next" in relation[1].lower().split():
            return link[1]
    return None


def _token(seen: Seen, path: str) -> str | int | None:
    found = get(seen.value, path)
    if found is MISSING or found is None or found == "" or found is False:
        return None
    if isinstance(found, (str, int)) and found is not True:
        return found
    raise _broken(seen, f"`page.next: {path}` is neither a text nor a number")


def _check_progress(seen: Seen, last: list[Any], param: str) -> None:
    if seen.records == last and last:
        raise _broken(
            seen,
            f"two pages in a row hold the same records: the API ignores `{param}`, or repeats its last page",
            f"Correct `page.param` ('{param}'); if the API repeats its last page, name in `page.more` where it says "
            "that nothing follows.",
        )


def _log_lowered(seen: Seen, asked: int, came: int) -> None:
    log.warning(
        "%s: asked for %d records a page, got %d and more follow: the API lowers the page size",
        seen.endpoint,
        asked,
        came,
    )


def _broken(seen: Seen, reason: str, next_step: str | None = None) -> FluxError:
    return FluxError("BAD_REQUEST", f"{seen.endpoint}: {reason}", next_step=next_step or "Correct `page` in the flow.")
