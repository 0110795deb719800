"""Queries wait for the points that they need, as the answers tell them."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from airflow_provider_flux.transport.buckets import graphql_advice
from airflow_provider_flux.transport.messages import Request
from airflow_provider_flux.transport.points import Points
from tests.contracts.servers.wire import Call, Reply
from tests.unit.transport.conftest import Lab

DOCUMENT = "query Customers { customers(first: 100) { nodes { id } } }"
QUERY = Request("POST", "/graphql", body=json.dumps({"query": DOCUMENT, "variables": {"after": None}}).encode())


@dataclass
class Shop:
    """A bucket as Shopify keeps it: a query that it cannot pay is not executed, and answered with 200."""

    cost: float = 70
    maximum: float = 200
    rate: float = 1000
    available: float = 200
    executed: int = 0
    throttled: int = 0
    bodies: list[bytes] = field(default_factory=list)
    _at: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, call: Call) -> Reply:
        with self._lock:
            now = time.monotonic()
            self.available = min(self.maximum, self.available + (now - self._at) * self.rate)
            self._at = now
            self.bodies.append(call.body)
            if self.available < self.cost:
                self.throttled += 1
                error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
                return Reply(200, {"errors": [error], "extensions": self._extensions(None)})
            self.available -= self.cost
            self.executed += 1
            return Reply(200, {"data": {"customers": {"nodes": []}}, "extensions": self._extensions(self.cost)})

    def _extensions(self, actual: float | None) -> dict[str, object]:
        status = {
            "maximumAvailable": self.maximum, "currentlyAvailable": int(self.available), "restoreRate": self.rate
        }  # fmt: skip
        return {"cost": {"requestedQueryCost": self.cost, "actualQueryCost": actual, "throttleStatus": status}}


def test_queries_in_turn_wait_for_their_points_and_are_not_throttled(lab: Lab) -> None:
    shop = Shop()
    client = lab.client(lab.server(shop).url, pace=Points("shop", patience=5))
    for _ in range(12):
        client.send(QUERY)
    assert (shop.executed, shop.throttled) == (12, 0)


def test_queries_at_once_all_arrive_and_what_is_throttled_was_not_executed(lab: Lab) -> None:
    shop = Shop()
    client = lab.client(lab.server(shop).url, pace=Points("shop", patience=5), adviser=graphql_advice, connections=6)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: client.send(QUERY), range(18)))
    assert shop.executed == 18
    assert all(answer.decoded.value["data"] is not None for answer in answers)


def test_without_a_pace_the_wait_comes_from_the_bucket(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop(available=0, rate=200)
    client = lab.client(lab.server(shop).url, adviser=graphql_advice)
    client.send(QUERY)
    assert (shop.executed, shop.throttled) == (1, 1)
    [line] = caplog.messages
    assert re.fullmatch(
        r"throttled: HTTP 200 from POST /graphql, waiting 0\.\d s, quota left: \d+ of 200 points", line
    )


def test_a_throttle_in_a_200_is_counted_as_one(lab: Lab) -> None:
    client = lab.client(lab.server(Shop(available=0, rate=1000)).url, adviser=graphql_advice)
    client.send(QUERY)
    assert {kind: count.number for (_, kind), count in client.tally.counts.items()} == {"rate limit": 1, "ok": 1}


def test_a_wait_of_more_than_a_second_is_one_line_of_the_log(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop(cost=150, rate=80)
    client = lab.client(lab.server(shop).url, pace=Points("shop", patience=5))
    with caplog.at_level(logging.INFO):
        client.send(QUERY)
        client.send(QUERY)
    [line] = caplog.messages
    assert line.startswith("paced: POST /graphql waits 1.")
    assert line.endswith("because the query costs 150 points of connection 'shop', quota left: 50 of 200 points")


def test_a_wait_beyond_the_patience_is_left_to_the_server(lab: Lab) -> None:
    shop = Shop(cost=150, rate=1)
    client = lab.client(lab.server(shop).url, pace=Points("shop", patience=0.1))
    client.send(QUERY)
    client.send(QUERY)
    assert (shop.executed, shop.throttled) == (1, 1)


def test_another_query_and_what_is_no_query_do_not_wait(lab: Lab) -> None:
    shop = Shop(cost=150, rate=1)
    client = lab.client(lab.server(shop).url, pace=Points("shop", patience=5))
    client.send(QUERY)
    started = time.monotonic()
    client.send(Request("POST", "/graphql", body=b'{"query": "{ shop { name } }"}'))
    client.send(Request("POST", "/x", body=b"no json"))
    client.send(Request("GET", "/x"))
    assert time.monotonic() - started < 2  # the query itself would wait for 100 s
    assert len(shop.bodies) == 4
