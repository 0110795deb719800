"""How fast calls may be made over one connection."""

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


class Pace(ABC):
    """Lets the calls of one connection through as fast as it may. Used from several threads at once."""

    @abstractmethod
    def enter(self, request: Request) -> None:
        """Wait until the call may be made.

        :raises FluxError: RATE_LIMIT_EXCEEDED when that would take longer than an attempt may
        """

    @abstractmethod
    def left(self, request: Request, response: Response | None) -> None:
        """The call ended, with an answer or without one."""


class Unlimited(Pace):
    """No limit is known."""

    def enter(self, request: Request) -> None:
        """Go on at once."""

    def left(self, request: Request, response: Response | None) -> None:
        """Nothing to learn."""
