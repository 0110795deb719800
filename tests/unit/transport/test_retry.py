"""Throttles and outages within one attempt: how long is waited, what is logged, when it ends."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport import auth
from airflow_provider_flux.transport.messages import Request, Response
from airflow_provider_flux.transport.retry import quota_left, retry_after
from tests.contracts.servers.wire import Reply, script, unused_port
from tests.unit.transport.conftest import Lab

GET = Request("GET", "/v1/contacts", params={"page": 3})
LOGGER = "airflow_provider_flux.transport"


def test_retry_after_in_seconds_is_waited_for(lab: Lab) -> None:
    wire = lab.server(script(Reply(429, headers={"Retry-After": "1"}), Reply(200, [])))
    started = time.monotonic()
    assert lab.client(wire.url).send(GET).status == 200
    assert 1.0 <= time.monotonic() - started < 3.0


def test_retry_after_as_a_date_is_waited_for_by_the_servers_own_clock(lab: Lab) -> None:
    # The server's clock is a year behind ours: only the difference of its two dates counts.
    server_now = datetime.now(UTC) - timedelta(days=365)
    headers = {
        "Date": format_datetime(server_now, usegmt=True),
        "Retry-After": format_datetime(server_now + timedelta(seconds=2), usegmt=True),
    }
    assert retry_after({name.lower(): value for name, value in headers.items()}) == 2.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, 0.0),
        ({"retry-after": "Mon, 32 Foo 2026 99:00:00 GMT"}, None),
        ({"retry-after": "Sat, 21 Nov 2026 10:00:05 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 5.0),
        ({"retry-after": "Sat, 21 Nov 2026 09:00:00 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 0.0),
    ],
)
def test_every_form_of_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_a_date_without_the_servers_date_is_compared_with_our_clock() -> None:
    until = datetime.now(UTC) + timedelta(seconds=30)
    assert 25 < (retry_after({"retry-after": format_datetime(until, usegmt=True)}) or 0) <= 30


@pytest.mark.parametrize(
    ("headers", "left"),
    [
        ({"X-RateLimit-Remaining": "0"}, "0"),
        ({"ratelimit-remaining": "12"}, "12"),
        ({"X-HubSpot-RateLimit-Daily-Remaining": "99"}, "99"),
        ({"x-daily-requests-left": "4"}, "4"),
        ({"X-RateLimit-Limit": "100"}, "unknown"),
    ],
)
def test_the_quota_is_found_in_the_vendors_spellings(headers: dict[str, str], left: str) -> None:
    assert quota_left(Response(429, headers, b"", "https://api.example.com/x", "GET /x")) == left


def test_each_throttle_is_one_log_line(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    throttle = Reply(429, {"error": "slow"}, {"Retry-After": "0", "X-RateLimit-Remaining": "17"})
    wire = lab.server(script(throttle, throttle, Reply(200, [])))
    with caplog.at_level(logging.INFO):
        lab.client(wire.url, auth=auth.api_key("s3cret", query="key")).send(GET)
    lines = [record.getMessage() for record in caplog.records]
    assert [record.name for record in caplog.records] == [LOGGER, LOGGER]
    for line in lines:
        assert line.startswith("throttled: HTTP 429 from GET /v1/contacts, waiting ")
        assert line.endswith("quota left: 17")
        assert "s3cret" not in line


def test_a_wait_beyond_the_budget_is_not_begun(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    wire = lab.server(script(Reply(429, headers={"Retry-After": "3600"})))
    started = time.monotonic()
    response = lab.client(wire.url).send(GET)
    assert (response.status, len(wire.calls)) == (429, 1)
    assert time.monotonic() - started < 1
    assert "throttled: HTTP 429 from GET /v1/contacts, not trying again" in caplog.text


@pytest.mark.parametrize("status", [429, 503, 502, 504])
def test_the_budget_ends_the_trying_and_the_last_answer_comes_back(lab: Lab, status: int) -> None:
    wire = lab.server(script(Reply(status)))
    assert lab.client(wire.url, budget=1.2).send(GET).status == status
    assert 2 <= len(wire.calls) <= 3


def test_an_outage_spends_the_budget_once_and_not_for_every_call(lab: Lab) -> None:
    down = [True]
    wire = lab.server(lambda call: Reply(503 if down[0] else 200))
    client = lab.client(wire.url, budget=1.2)
    calls = []
    for _ in range(3):
        client.send(GET)
        calls.append(len(wire.calls))
    assert calls[0] in (2, 3)
    assert calls[1:] == [calls[0] + 1, calls[0] + 2]

    down[0] = False
    assert client.send(GET).status == 200
    down[0] = True
    wire.calls.clear()
    client.send(GET)
    assert len(wire.calls) == calls[0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500, 501])
def test_other_statuses_are_not_tried_again(lab: Lab, status: int) -> None:
    wire = lab.server(script(Reply(status)))
    assert lab.client(wire.url).send(GET).status == status
    assert len(wire.calls) == 1


def test_once_means_once(lab: Lab) -> None:
    wire = lab.server(script(Reply(503)))
    assert lab.client(wire.url).send(GET, once=True).status == 503
    started = time.monotonic()
    with pytest.raises(FluxError):
        lab.client(f"http://127.0.0.1:{unused_port()}").send(GET, once=True)
    assert len(wire.calls) == 1
    assert time.monotonic() - started < 0.5


_PAGE = Reply(200, b"<!doctype html><title>Back soon</title>", {"Content-Type": "text/html"})
_HALF = Reply(200, b'{"data": [{"id": 1}, {"i')
_WHOLE = Reply(200, {"data": []})
_LIST = Request("GET", "/v1/contacts", wants="json")


@pytest.mark.parametrize("unreadable", [_PAGE, _HALF])
def test_an_unreadable_answer_is_asked_for_again_where_that_does_no_harm(lab: Lab, unreadable: Reply) -> None:
    wire = lab.server(script(unreadable, unreadable, _WHOLE))
    assert lab.client(wire.url).send(_LIST).decoded.value == {"data": []}
    assert len(wire.calls) == 3


def test_an_address_that_always_answers_with_a_page_is_asked_four_times(lab: Lab) -> None:
    wire = lab.server(script(_PAGE))
    assert lab.client(wire.url).send(_LIST).body == _PAGE.body
    assert len(wire.calls) == 4


def test_throttles_do_not_count_as_unreadable_answers(lab: Lab) -> None:
    throttle = Reply(429, {}, {"Retry-After": "0"})
    wire = lab.server(script(throttle, throttle, throttle, _PAGE, _WHOLE))
    assert lab.client(wire.url, budget=60).send(_LIST).decoded.value == {"data": []}
    assert len(wire.calls) == 5


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "/v1/contacts"),
        Request("POST", "/v1/contacts", body=b"{}", wants="json"),
    ],
)
def test_a_page_is_not_asked_for_again_by_a_write_that_may_have_happened_nor_by_who_wants_anything(
    lab: Lab, request_: Request
) -> None:
    wire = lab.server(script(_PAGE, _WHOLE))
    assert lab.client(wire.url).send(request_).body == _PAGE.body
    assert len(wire.calls) == 1
