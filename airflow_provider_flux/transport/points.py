"""Keeps GraphQL queries within a cost bucket, as far as the answers tell it: nothing has to be declared.

Before a query waits for the points that the same query needed last time, so that it is seldom throttled; a throttle
that comes all the same, because others use the account too, is waited out (see `buckets`).
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

import msgspec

from airflow_provider_flux.transport.answers import NotJson
from airflow_provider_flux.transport.buckets import Bucket, cost_of
from airflow_provider_flux.transport.limiter import NOTED
from airflow_provider_flux.transport.messages import Request, Response
from airflow_provider_flux.transport.pace import Pace

log = logging.getLogger("airflow_provider_flux.transport")

_LOOK: Final = 0.5  # seconds between two looks at the bucket: answers that come meanwhile may tell better
_MOST_QUERIES: Final = 200  # whose costs are remembered: a connector has a handful


class _Document(msgspec.Struct):
    query: str


_read_document = msgspec.json.Decoder(_Document).decode


class Points(Pace):
    """The cost bucket of one connection, as one task sees it.

    :param patience: the longest wait in seconds; a query is then made, and the server says itself that it must wait
    """

    def __init__(self, connection: str, *, patience: float) -> None:
        self._connection = connection
        self._patience = patience
        self._lock = threading.Lock()
        self._bucket: Bucket | None = None
        self._told_at = 0.0  # when the bucket was seen (monotonic)
        self._costs: dict[int, float] = {}
        self._flying = 0.0  # points of the queries on their way
        self._mine = threading.local()

    def enter(self, request: Request) -> None:
        """Wait until the bucket holds what the query needed last time."""
        self._mine.cost = 0.0
        if self._bucket is None:
            return
        cost = self._costs.get(_document(request), 0.0)
        started = time.monotonic()
        told = False
        while (wait := self._take(cost)) > 0:
            if time.monotonic() + wait > started + self._patience:
                return
            if wait > NOTED and not told:
                told = True
                self._tell(request, wait, cost)
            time.sleep(min(wait, _LOOK))
        self._mine.cost = cost

    def left(self, request: Request, response: Response | None) -> None:
        """See what the query cost, and what is left."""
        with self._lock:
            self._flying = max(0.0, self._flying - self._mine.cost)
        if response is None or b'"requestedQueryCost"' not in response.body:
            return
        try:
            cost = cost_of(response.decoded.value)
        except NotJson:
            return
        if cost is None:
            return
        with self._lock:
            if len(self._costs) >= _MOST_QUERIES:
                self._costs.clear()
            self._costs[_document(request)] = cost.requested
            if cost.bucket is not None:
                self._bucket, self._told_at = cost.bucket, time.monotonic()

    def _take(self, cost: float) -> float:
        """Seconds to wait before so many points are there; 0 when they are taken."""
        with self._lock:
            assert self._bucket is not None
            bucket, since = self._bucket, time.monotonic() - self._told_at
            refilled = min(bucket.maximum, bucket.available + since * bucket.rate)
            # Queries on their way may not be in the server's count yet.
            wait = Bucket(bucket.maximum, refilled - self._flying, bucket.rate).wait(cost)
            if wait <= 0:
                self._flying += cost
            return wait

    def _tell(self, request: Request, wait: float, cost: float) -> None:
        assert self._bucket is not None
        log.info(
            "paced: %s waits %.1f s, because the query costs %g points of connection '%s', quota left: %g of %g points",
            request.endpoint, wait, cost, self._connection, self._bucket.available, self._bucket.maximum,
        )  # fmt: skip


def _document(request: Request) -> int:
    """Tells queries apart; 0 for what is none."""
    if not request.body:
        return 0
    try:
        return hash(_read_document(request.body).query)
    except msgspec.DecodeError:
        return 0
