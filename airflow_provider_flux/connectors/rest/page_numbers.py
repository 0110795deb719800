"""From one page to the next by page numbers, without trusting that pages are as long as was asked for."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from airflow_provider_flux.connectors.rest.paging import Pager, Seen, Step, broken, check_progress, log_lowered
from airflow_provider_flux.connectors.rest.source_options import Paging
from airflow_provider_flux.errors import FluxError


class ByPage(Pager):
    """Counts pages, which is right only while every page is as long as the server thinks it is.

    A page shorter than asked for is the last one, or the server lowered the size; and then some servers count pages in
    the lowered size, others in the one that was asked for. So after a short page two questions are asked in a size that
    all understand alike: does the page stand where we think (not needed for the first), and does anything come behind
    it? A server that allows only some sizes refuses them; then its own next page must be empty. With `more` none of
    this is needed for the last page.
    """

    def __init__(self, options: Paging) -> None:
        super().__init__(options)
        self._param = options.param or "page"
        self._start = 1 if options.start is None else options.start
        self._page = self._start
        self._size = options.size
        self._last: list[Any] = []
        self._trial = (self._page, 0)

    def first(self) -> Step:
        """Ask for the first page."""
        return Step(self._params(self._page, self._size))

    def after(self, seen: Seen) -> Step | None:
        """Ask for the next page, or one of the two questions after a short one."""
        if seen.step.known is not None:
            return self._place_checked(seen, seen.step.known)
        more = self._says_more(seen)
        if more is False or (not seen.records and not more):
            return None
        if seen.step.expect_end:
            raise self._uneven(seen)
        check_progress(seen, self._last, self._param)
        if seen.step.fallback is not None:
            self._adopt_trial(seen)
        return self._onward(seen)

    def _onward(self, seen: Seen) -> Step:
        came = len(seen.records)
        self._last = seen.records
        if self._size is not None and came > self._size:
            self._size = None  # the API takes no notice of the size: its own holds
        if self._size is None or came == 0 or came == self._size:
            self._page += 1
            return Step(self._params(self._page, self._size))
        if self._page > self._start:
            return self._check_place(came)
        return self._look_behind(came)

    @property
    def _position(self) -> int:
        """Records before the current page. All pages before it were full."""
        return (self._page - self._start) * (self._size or 0)

    def _check_place(self, came: int) -> Step:
        """Ask again for the beginning of a short page, counted so that the size cannot be lowered any more."""
        size = math.gcd(self._position, came)
        self._trial = (self._start + self._position // size, size)
        return replace(self._try(), known=self._last[:size])

    def _place_checked(self, seen: Seen, known: list[Any]) -> Step:
        if seen.records == known:
            return self._look_behind(len(self._last))
        # Counted in a lowered size, the short page stood before where we thought. Here is what really comes next.
        self._adopt_trial(seen)
        return self._onward(seen)

    def _look_behind(self, came: int) -> Step:
        """Ask whether anything comes behind a short page."""
        end = self._position + came
        size = math.gcd(end, came)
        self._trial = (self._start + end // size, size)
        return self._try()

    def _try(self) -> Step:
        natural = Step(self._params(self._page + 1, self._size), expect_end=True)
        return Step(self._params(*self._trial), fallback=natural)

    def _adopt_trial(self, seen: Seen) -> None:
        """More follows: go on in the size that the server keeps to.

        :raises FluxError: when there is no such size that leads on from where we stand
        """
        page, size = self._trial
        if size < len(self._last) or not seen.records:
            raise self._uneven(seen)
        log_lowered(seen, self._size or 0, size)
        self._page, self._size = page, size

    def _params(self, page: int, size: int | None) -> dict[str, Any]:
        return self._with_size({self._param: page}, size)

    def _uneven(self, seen: Seen) -> FluxError:
        came = len(self._last)
        return broken(
            seen,
            f"a page had {came} records where {self._size} were asked for, and more follow: where the next page begins "
            "is not known, and going on could skip records",
            f"Set `page.size` to what the API really gives, for example {came}; or leave `page.size` and "
            "`page.size_param` out, so that the API's own size holds.",
        )
