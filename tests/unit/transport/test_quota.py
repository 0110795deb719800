"""Throttles and quotas that the rows of a vendor or of a flow tell apart."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest

from airflow_provider_flux.transport.advice import Advice
from airflow_provider_flux.transport.classify import Row
from airflow_provider_flux.transport.messages import Request, Response
from airflow_provider_flux.transport.quota import adviser_of, advisers, day_used_up
from airflow_provider_flux.transport.tally import RATE_LIMIT
from tests.contracts.servers.wire import Reply, script
from tests.unit.transport.conftest import Lab

ROWS = (
    Row("QUOTA_EXHAUSTED", frozenset({429}), "policyName", re.compile("^DAILY$")),
    Row("QUOTA_EXHAUSTED", frozenset({403}), "[0].errorCode", re.compile("REQUEST_LIMIT_EXCEEDED")),
    Row("RATE_LIMIT_EXCEEDED", frozenset({403}), "reason", re.compile("rateLimitExceeded")),
    Row("QUOTA_EXHAUSTED", frozenset({200}), "error.code", re.compile("DAY")),
    Row("DUPLICATE_RECORD", frozenset({409})),
)
DAILY = {"policyName": "DAILY", "message": "You have reached your daily limit."}
SECONDS = {"policyName": "TEN_SECONDLY_ROLLING", "message": "You have reached your ten_secondly_rolling limit."}


def answer(status: int, body: Any) -> Response:
    return Response(status, {}, json.dumps(body).encode(), "https://api.example.com/x", "GET /x")


@pytest.mark.parametrize(
    ("status", "body", "advice"),
    [
        (429, DAILY, Advice(again=False)),
        (429, SECONDS, None),
        (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED"}], Advice(again=False)),
        (403, {"reason": "rateLimitExceeded"}, Advice(again=True)),
        (403, {"reason": "forbidden"}, None),
        (409, DAILY, None),
        (200, {"error": {"code": "DAY"}}, Advice(again=False)),
        (200, DAILY, None),
    ],
)
def test_rows_say_whether_to_ask_again(status: int, body: Any, advice: Advice | None) -> None:
    assert adviser_of(ROWS)(answer(status, body)) == advice


def test_an_earlier_row_knows_better() -> None:
    rows = (Row("DUPLICATE_RECORD", frozenset({429}), "policyName"), *ROWS)
    assert adviser_of(rows)(answer(429, DAILY)) is None


def test_the_first_adviser_that_knows_is_followed() -> None:
    asked = advisers(lambda response: None, adviser_of(ROWS), lambda response: Advice(again=True, wait=9.0))
    assert asked(answer(429, DAILY)) == Advice(again=False)
    assert asked(answer(200, {})) == Advice(again=True, wait=9.0)


def test_a_daily_quota_is_asked_once_and_is_one_line_of_the_log(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    wire = lab.server(script(Reply(429, DAILY, {"Retry-After": "0", "X-HubSpot-RateLimit-Daily-Remaining": "0"})))
    with caplog.at_level(logging.WARNING):
        assert lab.client(wire.url, adviser=adviser_of(ROWS)).send(Request("GET", "/x")).status == 429
    assert len(wire.calls) == 1
    [line] = caplog.messages
    assert line == (
        "quota exhausted: HTTP 429 from GET /x, not trying again: no wait within a task outlasts it, quota left: 0"
    )


def test_a_throttle_with_another_status_is_overcome_and_counted_as_one(lab: Lab) -> None:
    wire = lab.server(script(Reply(403, {"reason": "rateLimitExceeded"}, {"Retry-After": "0"}), Reply(200, [])))
    client = lab.client(wire.url, adviser=adviser_of(ROWS))
    assert client.send(Request("POST", "/x", body=b"{}")).status == 200
    assert {kind: count.number for (_, kind), count in client.tally.counts.items()} == {RATE_LIMIT: 1, "ok": 1}


@pytest.mark.parametrize(
    ("status", "headers", "used_up"),
    [
        (429, {"x-daily-ratelimit-token-remaining": "0"}, True),  # Pipedrive
        (429, {"X-HubSpot-RateLimit-Daily-Remaining": " 0 "}, True),
        (429, {"x-daily-ratelimit-token-remaining": "10"}, False),
        (429, {"x-ratelimit-remaining": "0"}, False),  # of a few seconds
        (429, {"x-daily-ratelimit-token-limit": "0"}, False),
        (429, {}, False),
        (200, {"x-daily-ratelimit-token-remaining": "0"}, False),  # the last call that it allowed
    ],
)
def test_a_day_is_used_up_where_a_429_says_that_nothing_is_left_of_it(
    status: int, headers: dict[str, str], used_up: bool
) -> None:
    assert day_used_up(Response(status, headers, b"", "https://api.example.com/x", "GET /x")) is used_up
