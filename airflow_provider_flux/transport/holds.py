"""Obeys what answers say about the next calls: `Retry-After`, and a quota of which nothing is left.

One throttled answer holds all threads of the task, not only the call that it answered: the others would only be
throttled, too. Every header is optional, and every vendor spells it in its own way.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from airflow_provider_flux.transport.limiter import NOTED
from airflow_provider_flux.transport.messages import Request, Response
from airflow_provider_flux.transport.pace import Pace
from airflow_provider_flux.transport.retry import http_date, quota_left, retry_after

log = logging.getLogger("airflow_provider_flux.transport")

_REMAINING: Final = re.compile(r"^(?:x-)?(?:[a-z]+-)?rate-?limit-remaining$")
"""`x-ratelimit-remaining`, `ratelimit-remaining`, `x-rate-limit-remaining`, `x-hubspot-ratelimit-remaining`."""
_DRAFT: Final = re.compile(r"\b(?:remaining|r)=0\b.*?\b(?:reset|t)=(\d+)")
"""`RateLimit: limit=100, remaining=0, reset=5`, and `"default";r=0;t=5` (draft-ietf-httpapi-ratelimit-headers)."""
_ROLLING: Final = 10  # a rolling window that says no more than its length frees some calls within this part of it


class Holds(Pace):
    """What the answers of one connection say, as one task obeys it.

    :param patience: the longest hold in seconds that is waited out here; a longer one is left to the server, which says
        it again to the next call
    """

    def __init__(self, connection: str, *, patience: float) -> None:
        self._connection = connection
        self._patience = patience
        self._lock = threading.Lock()
        self._until = 0.0  # monotonic
        self._said = ""
        self._told = 0.0  # the hold that is in the log already

    def enter(self, request: Request) -> None:
        """Wait as long as the last answers say."""
        while (wait := self._until - time.monotonic()) > 0:
            with self._lock:
                told, self._told = self._told, self._until
            if wait > NOTED and told != self._until:
                log.info("paced: %s waits %.1f s, because %s", request.endpoint, wait, self._said)
            time.sleep(wait)

    def left(self, request: Request, response: Response | None) -> None:
        """See what the answer says."""
        if response is None:
            return
        asked = hold(response)
        if asked is None or not 0 < asked <= self._patience:
            return
        with self._lock:
            until = time.monotonic() + asked
            if until > self._until:
                self._until = until
                left = quota_left(response)
                self._said = f"connection '{self._connection}' was told so by {response.endpoint}, quota left: {left}"


def hold(response: Response) -> float | None:
    """Seconds for which an answer asks everyone to make no call; None where it asks for nothing."""
    if response.status in (429, 503):
        asked = retry_after(response.headers)
        if asked is not None:
            return asked
    headers = {name.lower(): value for name, value in response.headers.items()}
    draft = _DRAFT.search(headers.get("ratelimit", ""))
    if draft is not None:
        return float(draft[1])
    for name, value in headers.items():
        if _REMAINING.match(name) and value.strip() in ("0", "0.0"):
            return _reset(headers, name.removesuffix("remaining"))
    return None


def _reset(headers: Mapping[str, str], prefix: str) -> float | None:
    """Seconds until calls are there again, by the header beside the one that says that none is left."""
    text = headers.get(f"{prefix}reset", headers.get(f"{prefix}reset-after", "")).strip()
    if not text:
        milliseconds = headers.get(f"{prefix}interval-milliseconds", "").strip()
        return float(milliseconds) / 1000 / _ROLLING if milliseconds.isdigit() else None
    now = http_date(headers.get("date", "")) or datetime.now(UTC)
    try:
        number = float(text)
    except ValueError:
        until = http_date(text)
        return None if until is None else (until - now).total_seconds()
    if number > 1e11:  # milliseconds since 1970
        return number / 1000 - now.timestamp()
    if number > 1e8:  # seconds since 1970
        return number - now.timestamp()
    return number
