"""What answers say about the next calls is obeyed by all threads of a task."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from airflow_provider_flux.transport.holds import Holds, hold
from airflow_provider_flux.transport.messages import Request, Response
from tests.contracts.servers.wire import Call, Reply, script
from tests.unit.transport.conftest import Lab

GET = Request("GET", "/v1/contacts")
DATE = "Sat, 21 Nov 2026 10:00:00 GMT"
AT = datetime(2026, 11, 21, 10, tzinfo=UTC).timestamp()


def answer(status: int, headers: dict[str, str]) -> Response:
    return Response(status, headers, b"", "https://api.example.com/x", "GET /x")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2"}, 2.0),  # Pipedrive
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(AT + 7), "date": DATE}, 7.0),  # GitHub
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str((AT + 7) * 1000), "date": DATE}, 7.0),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "Sat, 21 Nov 2026 10:00:04 GMT", "date": DATE}, 4.0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "1.5"}, 1.5),
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": "5"}, 5.0),
        ({"RateLimit": "limit=100, remaining=0, reset=5"}, 5.0),
        ({"RateLimit": '"default";r=0;t=5'}, 5.0),
        ({"X-HubSpot-RateLimit-Remaining": "0", "X-HubSpot-RateLimit-Interval-Milliseconds": "10000"}, 1.0),
        ({"RateLimit": "limit=100, remaining=10, reset=5"}, None),
        ({"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "2"}, None),
        ({"X-RateLimit-Remaining": "0"}, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, None),
        ({"X-HubSpot-RateLimit-Remaining": "0", "X-HubSpot-RateLimit-Interval-Milliseconds": "?"}, None),
        ({"X-HubSpot-RateLimit-Daily-Remaining": "0", "X-HubSpot-RateLimit-Reset": "9"}, None),
        ({"retry-after": "5"}, None),  # of a success: when to look again, not when to call again
        ({}, None),
    ],
)
def test_a_quota_of_which_nothing_is_left_holds_until_it_starts_anew(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert hold(answer(200, headers)) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("status", [429, 503])
def test_a_refusal_holds_as_long_as_it_says_in_either_form(status: int) -> None:
    assert hold(answer(status, {"retry-after": "3"})) == 3.0
    assert hold(answer(status, {"retry-after": "Sat, 21 Nov 2026 10:00:05 GMT", "date": DATE})) == 5.0
    assert hold(answer(status, {})) is None


def test_a_date_is_compared_with_our_own_clock_where_the_server_tells_none() -> None:
    until = format_datetime(datetime.fromtimestamp(time.time() + 30, UTC), usegmt=True)
    assert 25 < (hold(answer(200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": until})) or 0) <= 30


def test_one_throttled_answer_holds_every_other_call(lab: Lab) -> None:
    arrivals: list[float] = []

    def answers(call: Call) -> Reply:
        arrivals.append(time.monotonic())
        return Reply(429, headers={"Retry-After": "0.2"}) if len(arrivals) == 1 else Reply(200, [])

    client = lab.client(lab.server(answers).url, pace=Holds("crm", patience=5))
    assert client.send(GET, once=True).status == 429
    assert client.send(GET).status == 200
    assert arrivals[1] - arrivals[0] >= 0.19


def test_a_hold_beyond_the_patience_is_left_to_the_server(lab: Lab) -> None:
    wire = lab.server(script(Reply(429, headers={"Retry-After": "3600"}), Reply(200, [])))
    client = lab.client(wire.url, pace=Holds("crm", patience=5))
    assert [client.send(GET, once=True).status for _ in range(2)] == [429, 200]


def test_a_hold_of_more_than_a_second_is_one_line_of_the_log(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    used_up = Reply(200, [], {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1.1"})
    client = lab.client(lab.server(script(used_up, Reply(200, []))).url, pace=Holds("crm", patience=5))
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            client.send(GET)
    [line] = caplog.messages
    assert line.startswith("paced: GET /v1/contacts waits 1.1 s, because connection 'crm' was told so by ")
    assert line.endswith("GET /v1/contacts, quota left: 0")
