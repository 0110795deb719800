"""How fast calls may be made over one connection.

What is known beforehand is declared (`Limit`, see `limiter`); what the system says meanwhile is obeyed (`holds`,
`points`). `docs/limits.md` tells how they work together.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from airflow_provider_flux.transport.messages import Request, Response


@dataclass(frozen=True)
class Limit:
    """Calls that a system allows within any span of time.

    :param calls: how many
    :param seconds: the span
    :param what: who shares it, in words: "per app and account"
    :param path: calls whose path ends so count here, and nowhere else; empty for all that no other limit names
    """

    calls: int
    seconds: float
    what: str = ""
    path: str = ""

    @property
    def name(self) -> str:
        """As connections spell it: `100/10s`."""
        return f"{self.calls}/{self.seconds:g}s{self.path and ' '}{self.path}"

    def __str__(self) -> str:
        return f"{self.calls} calls in {self.seconds:g} s"


class Pace(ABC):
    """Lets the calls of one connection through as fast as it may. Used from several threads at once; `enter` and
    `left` of one call come from the same thread."""

    @abstractmethod
    def enter(self, request: Request) -> None:
        """Wait until the call may be made.

        :raises FluxError: RATE_LIMIT_EXCEEDED when that would take longer than an attempt may
        """

    @abstractmethod
    def left(self, request: Request, response: Response | None) -> None:
        """The call ended, with an answer or without one. Raises nothing: the answer is worth more than the count."""

    def close(self) -> None:
        """No more calls come."""


class Unlimited(Pace):
    """No limit is known."""

    def enter(self, request: Request) -> None:
        """Go on at once."""

    def left(self, request: Request, response: Response | None) -> None:
        """Nothing to learn."""


class Together(Pace):
    """Several at once: a call goes when all of them let it, in their order."""

    def __init__(self, *paces: Pace) -> None:
        self._paces = paces

    def enter(self, request: Request) -> None:
        """Wait for each."""
        passed: list[Pace] = []
        try:
            for pace in self._paces:
                pace.enter(request)
                passed.append(pace)
        except BaseException:
            for pace in reversed(passed):
                pace.left(request, None)
            raise

    def left(self, request: Request, response: Response | None) -> None:
        """Tell each."""
        for pace in reversed(self._paces):
            pace.left(request, response)

    def close(self) -> None:
        """Close each."""
        for pace in self._paces:
            pace.close()


class ByPath(Pace):
    """Some calls have a limit of their own, and do not count for that of the others.

    :param paces: by the end of the path; the one of the empty text is for all others
    """

    def __init__(self, paces: Mapping[str, Pace]) -> None:
        self._paces = paces

    def enter(self, request: Request) -> None:
        """Wait for the limit of this call."""
        if pace := self._of(request):
            pace.enter(request)

    def left(self, request: Request, response: Response | None) -> None:
        """Tell the limit of this call."""
        if pace := self._of(request):
            pace.left(request, response)

    def close(self) -> None:
        """Close each."""
        for pace in self._paces.values():
            pace.close()

    def _of(self, request: Request) -> Pace | None:
        path = request.url.partition("?")[0]
        own = [end for end in self._paces if end and path.endswith(end)]
        return self._paces.get(max(own, key=len, default=""))
