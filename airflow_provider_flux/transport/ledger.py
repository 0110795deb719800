"""How many calls a limit still allows: a sliding log of calls, kept in blocks.

A block is a number of calls that one process reserved at once. It counts in full from before its first call is sent
until `seconds` after its last call was *answered*. Whatever the network does to a call on its way, the server saw it
inside that time: so no span of the server's own clock ever holds more calls than the limit allows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from airflow_provider_flux.transport.pace import Limit


@dataclass(frozen=True)
class Entry:
    """A block in the log of one limit.

    :param limit: the name of the limit
    :param open: whether some of its calls may still be on their way
    :param until: when it stops to count; of an open block when it would, had its process died
    """

    limit: str
    calls: int
    open: bool
    until: float


@dataclass(frozen=True)
class Grant:
    """What became of a wish for calls.

    :param calls: that are reserved now; 0 when there are none
    :param wait: seconds before which none can become free
    """

    calls: int
    wait: float = 0.0


def grant(entries: Sequence[Entry], limits: Sequence[Limit], wanted: int, now: float) -> Grant:
    """As many of the wanted calls as all limits allow together.

    :param entries: that still count, of all limits
    """
    calls, wait = wanted, 0.0
    for limit in limits:
        counted = [entry for entry in entries if entry.limit == limit.name]
        free = limit.calls - sum(entry.calls for entry in counted)
        calls = min(calls, free)
        if free < 1:
            wait = max(wait, _next(counted, limit, 1 - free, now))
    return Grant(calls) if calls > 0 else Grant(0, wait)


def _next(entries: Sequence[Entry], limit: Limit, needed: int, now: float) -> float:
    """Seconds until so many calls can have stopped to count: an open block may end at any moment."""
    soonest = now + limit.seconds
    ends = [(min(entry.until, soonest) if entry.open else entry.until, entry.calls) for entry in entries]
    for end, calls in sorted(ends):
        needed -= calls
        if needed <= 0:
            return max(0.0, end - now)
    return limit.seconds


class LocalBook:
    """The log of one process, where there is no store: `shared.PaceBook`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks: dict[str, tuple[Sequence[Limit], list[Entry]]] = {}

    def take_calls(
        self, connection: str, block: str, limits: Sequence[Limit], wanted: int, life: float
    ) -> Grant:
        """Reserve calls."""
        with self._lock:
            now = time.monotonic()
            self._blocks = {
                name: (of, entries)
                for name, (of, entries) in self._blocks.items()
                if any(entry.until > now for entry in entries)
            }
            counted = [entry for _, entries in self._blocks.values() for entry in entries if entry.until > now]
            found = grant(counted, limits, wanted, now)
            if found.calls:
                entries = [Entry(limit.name, found.calls, True, now + life + limit.seconds) for limit in limits]
                self._blocks[block] = (limits, entries)
            return found

    def give_back(self, connection: str, block: str, used: int) -> None:
        """End a block."""
        with self._lock:
            limits, entries = self._blocks.pop(block, ((), []))
            now = time.monotonic()
            if used:
                ended = [
                    replace(entry, calls=used, open=False, until=now + limit.seconds)
                    for limit, entry in zip(limits, entries, strict=True)
                ]
                self._blocks[block] = (limits, ended)
