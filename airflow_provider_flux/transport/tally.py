"""How the calls over one connection ended, counted while they are made.

Every call counts, also one that the transport made again by itself: a throttle that was overcome is still a throttle.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

OK: Final = "ok"
AUTH: Final = "auth"
RATE_LIMIT: Final = "rate limit"
OUTAGE: Final = "outage"
CONNECTION: Final = "connection"
"""The connection itself is wrong: an untrusted certificate, a proxy that refuses, another host."""
REFUSED: Final = "refused"
"""The system answered and refused this one request (a record, a path): says nothing about the connection."""

TROUBLE: Final = (AUTH, RATE_LIMIT, OUTAGE, CONNECTION)
"""Kinds that make a connection degraded."""

_KIND_OF_CODE = {
    "AUTHENTICATION_FAILED": AUTH,
    "PERMISSION_DENIED": AUTH,
    "RATE_LIMIT_EXCEEDED": RATE_LIMIT,
    "QUOTA_EXHAUSTED": RATE_LIMIT,
    "CONNECTION_TIMEOUT": OUTAGE,
    "SOURCE_OUTAGE": OUTAGE,
    "DESTINATION_OUTAGE": OUTAGE,
    "UNREADABLE_ANSWER": OUTAGE,
    "OUTCOME_UNKNOWN": OUTAGE,
    "CONNECTION_INVALID": CONNECTION,
}
_KIND_OF_STATUS = {401: AUTH, 402: AUTH, 403: AUTH, 407: CONNECTION, 408: OUTAGE, 429: RATE_LIMIT}


def kind_of_code(code: str) -> str:
    """The kind of a call that ended in an error of the catalogue."""
    return _KIND_OF_CODE.get(code, REFUSED)


def kind_of_status(status: int) -> str:
    """The kind of a call that was answered with this HTTP status."""
    if status < 400:
        return OK
    return _KIND_OF_STATUS.get(status) or (OUTAGE if status >= 500 else REFUSED)


@dataclass
class Count:
    """Calls of one kind in one hour.

    :param last: when the last of them ended (aware)
    :param message: what the last one said; None for a good one
    """

    number: int
    last: datetime
    message: str | None = None


@dataclass(frozen=True)
class Trouble:
    """The last call that went wrong for a reason of the connection.

    :param kind: one of `TROUBLE`
    :param code: a code of the catalogue, None where only the status is known
    """

    kind: str
    code: str | None
    message: str
    at: datetime


class Tally:
    """Counts the calls over one connection. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[datetime, str], Count] = {}
        self._good_before: datetime | None = None
        self._good_at: datetime | None = None
        self._trouble_before: Trouble | None = None
        self._trouble: Trouble | None = None

    def good(self) -> None:
        """A call succeeded."""
        with self._lock:
            now = datetime.now(UTC)
            self._add(OK, now, None)
            self._good_before, self._good_at = self._good_at, now

    def bad(self, kind: str, message: str, code: str | None = None) -> None:
        """A call went wrong.

        :param kind: `REFUSED`, or one of `TROUBLE`
        :param message: what was asked and what came back, without secrets
        :param code: a code of the catalogue, where it is known
        """
        with self._lock:
            self._bad(kind, message, code)

    def correct(self, counted: str, kind: str, message: str, code: str | None) -> None:
        """What was counted as one kind turns out to be another, once its body was read.

        :param counted: the kind under which the same call was counted before
        """
        with self._lock:
            for (_, before), count in reversed(self._counts.items()):
                if before == counted and count.number:
                    count.number -= 1
                    break
            # With several threads it may be another's call that is forgotten here: the next one mends it.
            if counted == OK:
                self._good_at = self._good_before
            elif counted in TROUBLE:
                self._trouble = self._trouble_before
            self._bad(kind, message, code)

    @property
    def counts(self) -> dict[tuple[datetime, str], Count]:
        """A copy of the calls by hour (its beginning, in UTC) and kind."""
        with self._lock:
            return {key: Count(**vars(count)) for key, count in self._counts.items() if count.number}

    @property
    def good_at(self) -> datetime | None:
        """When the last good call ended."""
        return self._good_at

    @property
    def trouble(self) -> Trouble | None:
        """The last call that makes the connection degraded."""
        return self._trouble

    def _bad(self, kind: str, message: str, code: str | None) -> None:
        now = datetime.now(UTC)
        self._add(kind, now, message)
        if kind in TROUBLE:
            self._trouble_before, self._trouble = self._trouble, Trouble(kind, code, message, now)

    def _add(self, kind: str, now: datetime, message: str | None) -> None:
        key = (now.replace(minute=0, second=0, microsecond=0), kind)
        count = self._counts.setdefault(key, Count(0, now))
        count.number += 1
        count.last, count.message = now, message
