"""Cost buckets, as Shopify and Jobber tell them in their answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_flux.transport.advice import Advice
from airflow_provider_flux.transport.buckets import (
    Bucket,
    Cost,
    Excess,
    cost_of,
    excess_of,
    graphql_advice,
    is_throttled,
)
from airflow_provider_flux.transport.messages import Response


def cost(requested: float = 70, available: float = 66, actual: float | None = None) -> dict[str, Any]:
    status = {"maximumAvailable": 1000, "currentlyAvailable": available, "restoreRate": 50}
    return {"cost": {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}}


THROTTLED = {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}], "extensions": cost()}
OLD = {"errors": [{"message": "Throttled"}], "extensions": cost()}


def answer(body: Any, status: int = 200) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, {"content-type": "application/json"}, raw, "https://shop.example/graphql", "POST /graphql")


@pytest.mark.parametrize("body", [THROTTLED, OLD, {**THROTTLED, "data": None}], ids=["coded", "old", "null data"])
def test_a_throttle_in_a_200_waits_until_the_bucket_holds_the_query(body: Any) -> None:
    assert is_throttled(body)
    assert graphql_advice(answer(body)) == Advice(again=True, wait=(70 - 66) / 50)


def test_a_query_that_costs_more_than_the_bucket_waits_for_a_full_one() -> None:
    assert Bucket(1000, 600, 50).wait(5000) == 8.0
    assert Bucket(1000, 600, 50).wait(600) == 0.0
    assert Bucket(1000, 0, 0).wait(600) == 0.0


@pytest.mark.parametrize("extensions", [None, {}, {"cost": {"requestedQueryCost": 70}}, cost(70, 900)])
def test_a_throttle_without_a_bucket_or_with_a_full_one_takes_the_usual_pauses(extensions: Any) -> None:
    body = {"errors": [{"message": "slow down", "extensions": {"code": "RATE_LIMITED"}}], "extensions": extensions}
    assert graphql_advice(answer(body)) == Advice(again=True, wait=None)


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"customers": []}, "extensions": cost()},
        {"data": {"a": 1, "b": None}, "errors": [{"message": "Throttled", "path": ["b"]}]},
        {"errors": [{"message": "The field was throttled by the user"}]},
        {"errors": [{"message": "Too costly", "extensions": {"code": "MAX_COST_EXCEEDED"}}]},
        {"errors": "Throttled"},
        {"contact": {"errors": ["Throttled"]}},
        [{"errors": [{"message": "Throttled"}]}],
        b'{"errors": [{"message": "Thrott',
        b"",
    ],
)
def test_nothing_else_is_a_throttle(body: Any) -> None:
    assert graphql_advice(answer(body)) is None


def test_the_cost_of_a_query_is_read() -> None:
    assert cost_of({"data": {}, "extensions": cost(12, 988, 8)}) == Cost(12.0, 8.0, Bucket(1000.0, 988.0, 50.0))
    assert cost_of({"extensions": {"cost": {"requestedQueryCost": 5, "throttleStatus": {}}}}) == Cost(5.0, None, None)


@pytest.mark.parametrize("value", [{}, [], None, "x", {"extensions": {"cost": "high"}}, {"extensions": None}])
def test_an_answer_without_a_cost_has_none(value: Any) -> None:
    assert cost_of(value) is None


def test_a_query_that_is_too_costly_says_by_how_much() -> None:
    told = {"code": "MAX_COST_EXCEEDED", "cost": 2003, "maxCost": 1000}
    assert excess_of({"errors": [{"message": "Query cost is 2003", "extensions": told}]}) == Excess(2003.0, 1000.0)
    bare = {"code": "MAX_COST_EXCEEDED"}
    assert excess_of({"errors": [{"message": "x"}, {"message": "y", "extensions": bare}]}) == Excess(None, None)
    assert excess_of(THROTTLED) is None
    assert excess_of({"data": {}}) is None
