"""Keeps all calls over one connection, of all tasks together, within the declared limits.

A task reserves a block of calls at a time (see `ledger`), so that a call costs nothing and a block two short
transactions. Blocks are small against the limit, and as small as the task's demand: what one task holds and does not
use is missing to the others.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.ledger import LocalBook
from airflow_provider_flux.transport.messages import Request, Response
from airflow_provider_flux.transport.pace import Limit, Pace
from airflow_provider_flux.transport.shared import PaceBook

log = logging.getLogger("airflow_provider_flux.transport")

NOTED: Final = 1.0
"""Seconds of waiting from which on it is a line of the log."""

_BLOCKS = 10  # a block is at most this part of the limit: another task need not wait for long
_USABLE = 20  # and its calls are begun within this part of the span: its last calls delay the next span but little
_MARGIN = 5.0  # seconds beside what the network may take
_SHORTEST = 0.002  # seconds of sleep: no thread spins


@dataclass(eq=False)
class _Block:
    """Calls that were reserved together.

    :param left: those that may still be made, until the block is closed
    :param flying: those that were not answered yet
    :param closes_at: when no more of them are made (monotonic)
    """

    name: str
    calls: int
    left: int
    closes_at: float
    flying: int = 0

    @property
    def used(self) -> int:
        return self.calls - self.left

    @property
    def is_open(self) -> bool:
        return self.left > 0 and time.monotonic() < self.closes_at


class Limiter(Pace):
    """The declared limits of one connection, as one process keeps them.

    :param limits: none of them empty
    :param book: where the calls of all tasks are counted; of this process alone unless given
    :param patience: seconds within which a call must become possible
    :param silence: seconds after which a call without an answer is given up
    """

    def __init__(
        self, connection: str, limits: Sequence[Limit], book: PaceBook | None, *, patience: float, silence: float
    ) -> None:
        self._connection = connection
        self._limits = tuple(limits)
        self._book = book or LocalBook()
        self._patience = patience
        self._most = max(1, min(limit.calls for limit in limits) // _BLOCKS)
        self._usable = min(limit.seconds for limit in limits) / _USABLE
        # Whatever was let through is connected and sent within that time, or never.
        self._life = self._usable + 2 * silence + _MARGIN
        self._state = threading.Condition()
        self._block: _Block | None = None
        self._reserving = False  # whether a thread is asking the book for the next block
        self._wanted = 1
        self._waiting = 0  # threads
        self._let_at = time.monotonic()  # when a call was let through last
        self._told_until = 0.0  # the end of the last wait that is in the log
        self._mine = threading.local()

    def enter(self, request: Request) -> None:
        """Wait until the call may be made.

        :raises FluxError: RATE_LIMIT_EXCEEDED when no call becomes possible in time, STORE_UNAVAILABLE
        """
        waits_since = time.monotonic()
        with self._state:
            while not self._let_through():
                if self._reserving:
                    self._waiting += 1
                    self._state.wait()
                    self._waiting -= 1
                    continue
                self._reserving = True
                done = self._retire()
                self._state.release()
                try:
                    block = self._reserve(request, waits_since, done)
                finally:
                    self._state.acquire()
                    self._reserving = False
                    self._state.notify_all()
                self._block = block

    def left(self, request: Request, response: Response | None) -> None:
        """The call was answered, or will not be."""
        block: _Block = self._mine.block
        with self._state:
            block.flying -= 1
            ended = block is not self._block and not block.flying
        if ended:
            self._give_back(block)

    def close(self) -> None:
        """Give back what is left."""
        with self._state:
            done = self._retire()
        if done is not None:
            self._give_back(done)

    def _let_through(self) -> bool:
        """Whether the present block has a call left, for the calling thread."""
        block = self._block
        if block is None or not block.is_open:
            return False
        block.left -= 1
        block.flying += 1
        if not block.left:
            # The demand may be higher still: the next block is larger.
            self._wanted = min(2 * block.calls, self._most)
            self._block = None
        self._mine.block = block
        self._let_at = time.monotonic()
        return True

    def _retire(self) -> _Block | None:
        """Let nobody use the present block any more; the block, if none of its calls is on its way."""
        block, self._block = self._block, None
        if block is None:
            return None
        self._wanted = max(1, min(block.used, self._most))
        return None if block.flying else block

    def _reserve(self, request: Request, waits_since: float, done: _Block | None) -> _Block:
        """A new block, as soon as there is one. Called by one thread at a time, without the lock.

        :param done: to be given back before
        :raises FluxError: as `enter`
        """
        if done is not None:
            self._give_back(done)
        while True:
            name, closes_at = uuid.uuid4().hex, time.monotonic() + self._usable
            wanted = min(max(self._wanted, 1 + self._waiting), self._most)
            granted = self._book.take_calls(self._connection, name, self._limits, wanted, self._life)
            if granted.calls:
                return _Block(name, granted.calls, granted.calls, closes_at)
            now = time.monotonic()
            if now + granted.wait > max(self._let_at, waits_since) + self._patience:
                raise self._too_long(request, granted.wait)
            if now + granted.wait > max(waits_since, self._told_until) + NOTED:
                self._told_until = now + granted.wait
                self._tell(request, self._told_until - waits_since)
            time.sleep(max(granted.wait, _SHORTEST))

    def _give_back(self, block: _Block) -> None:
        try:
            self._book.give_back(self._connection, block.name, block.used)
        except FluxError as error:
            # The answers to its calls are worth more, and the block ends by itself when its life is over.
            log.warning("the limit of connection '%s' stays reserved for a while: %s", self._connection, error)

    def _tell(self, request: Request, seconds: float) -> None:
        log.info(
            "paced: %s waits %.1f s for the limit of connection '%s' (%s), quota left: 0",
            request.endpoint, seconds, self._connection, ", ".join(map(str, self._limits)),
        )  # fmt: skip

    def _too_long(self, request: Request, wait: float) -> FluxError:
        limits = ", ".join(map(str, self._limits))
        return FluxError(
            "RATE_LIMIT_EXCEEDED",
            f"connection '{self._connection}': {request.endpoint} was not made: no call is left of the limit "
            f"({limits}) for {wait:.0f} s more, and a call waits {self._patience:g} s at most",
            next_step="The task retries by itself. Run the flows on this connection less often or at other times, or "
            f"correct the field 'limit' of the connection '{self._connection}' if the system allows more.",
            retry_after=wait,
        )
