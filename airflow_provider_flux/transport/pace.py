"""How fast calls may be made over one connection.

What is known beforehand is declared (`Limit`, see `limiter`); what the system says meanwhile is obeyed (`holds`,
`points`). `docs/limits.md` tells how they work together.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from airflow_provider_flux.transport.messages import Request, Response


@dataclass(frozen=True)
class Limit:
    """Calls that a system allows within any span of time.

    :param calls: how many
    :param seconds: the span
    :param what: who shares it, in words: "per app and account"
    """

    calls: int
    seconds: float
    what: str = ""

    @property
    def name(self) -> str:
        """As connections spell it: `100/10s`."""
        return f"{self.calls}/{self.seconds:g}s"

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
