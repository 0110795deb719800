"""The declared limits of a connection, against a real server that counts."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.ledger import Entry, Grant, LocalBook, grant
from airflow_provider_flux.transport.limiter import Limiter
from airflow_provider_flux.transport.messages import Request
from airflow_provider_flux.transport.pace import Limit, Pace
from airflow_provider_flux.transport.tally import RATE_LIMIT
from tests.contracts.servers.wire import Call, Reply, script
from tests.unit.transport.conftest import Lab

GET = Request("GET", "/v1/contacts?key=s3cret")


@dataclass
class Clock:
    """Notes when calls arrive at the server."""

    arrivals: list[float] = field(default_factory=list)
    delay: float = 0.0

    def __call__(self, call: Call) -> Reply:
        self.arrivals.append(time.monotonic())
        return Reply(200, [], delay=self.delay)

    def most_in(self, seconds: float) -> int:
        """The most calls within any such span."""
        return max(sum(1 for one in self.arrivals if first <= one < first + seconds) for first in self.arrivals)


def limiter(*limits: Limit, patience: float = 10.0, book: LocalBook | None = None) -> Limiter:
    return Limiter("crm", limits, book, patience=patience, silence=1.0)


@pytest.mark.parametrize("delay", [0.0, 0.03])
def test_the_server_never_counts_more_calls_than_the_limit_and_all_arrive(lab: Lab, delay: float) -> None:
    clock = Clock(delay=delay)
    client = lab.client(lab.server(clock).url, pace=limiter(Limit(20, 0.3)), connections=8)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.send(GET), range(90)))
    assert len(clock.arrivals) == 90
    assert clock.most_in(0.3) <= 20


def test_two_limits_are_both_kept(lab: Lab) -> None:
    clock = Clock()
    client = lab.client(lab.server(clock).url, pace=limiter(Limit(4, 0.1), Limit(10, 0.4)), connections=8)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.send(GET), range(30)))
    assert (clock.most_in(0.1) <= 4, clock.most_in(0.4) <= 10) == (True, True)


def test_calls_that_fail_count_too(lab: Lab) -> None:
    wire = lab.server(script(Reply(reset=True)))
    book = LocalBook()
    client = lab.client(wire.url, pace=limiter(Limit(5, 3600), book=book))
    for _ in range(5):
        with pytest.raises(FluxError):
            client.send(GET, once=True)
    assert book.take_calls("crm", "x", (Limit(5, 3600),), 1, 60).calls == 0
    assert len(wire.calls) == 5


def test_a_wait_that_would_last_too_long_is_a_rate_limit_and_no_call(lab: Lab) -> None:
    wire = lab.server(script(Reply(200, [])))
    client = lab.client(wire.url, pace=limiter(Limit(2, 3600), patience=0.1))
    client.send(GET)
    client.send(GET)
    with pytest.raises(FluxError) as caught:
        client.send(GET)
    assert (caught.value.code, caught.value.transient, len(wire.calls)) == ("RATE_LIMIT_EXCEEDED", True, 2)
    assert 3500 < (caught.value.retry_after or 0) <= 3600
    assert "connection 'crm': GET /v1/contacts was not made" in caught.value.message
    assert "2 calls in 3600 s" in caught.value.message
    assert "'limit'" in caught.value.next_step
    assert "s3cret" not in f"{caught.value.message} {caught.value.next_step}"
    assert client.tally.trouble is not None
    assert client.tally.trouble.kind == RATE_LIMIT


def test_calls_that_queue_are_not_given_up_as_long_as_others_get_through(lab: Lab) -> None:
    clock = Clock()
    client = lab.client(lab.server(clock).url, pace=limiter(Limit(2, 0.1), patience=0.7), connections=20)
    with ThreadPoolExecutor(20) as pool:  # the last of them waits for almost a second
        answers = list(pool.map(lambda _: client.send(GET).status, range(20)))
    assert answers == [200] * 20
    assert clock.most_in(0.1) <= 2


def test_a_wait_of_more_than_a_second_is_one_line_of_the_log(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    client = lab.client(lab.server(script(Reply(200, []))).url, pace=limiter(Limit(4, 1.2)), connections=8)
    with caplog.at_level(logging.INFO), ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.send(GET), range(8)))
    [line] = caplog.messages
    assert line.startswith("paced: GET /v1/contacts waits 1.")
    assert line.endswith("for the limit of connection 'crm' (4 calls in 1.2 s), quota left: 0")


def test_short_waits_are_no_lines_of_the_log(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    client = lab.client(lab.server(script(Reply(200, []))).url, pace=limiter(Limit(4, 0.2)))
    with caplog.at_level(logging.INFO):
        for _ in range(8):
            client.send(GET)
    assert caplog.messages == []


def test_a_closed_client_holds_no_calls(lab: Lab) -> None:
    book = LocalBook()
    client = lab.client(lab.server(script(Reply(200, []))).url, pace=limiter(Limit(100, 3600), book=book))
    for _ in range(4):
        client.send(GET)
    client.close()
    assert book.take_calls("crm", "x", (Limit(100, 3600),), 100, 60).calls == 96


def test_blocks_grow_with_the_demand_up_to_a_tenth_of_the_limit() -> None:
    pace, book = _watched(Limit(100, 3600))
    for _ in range(40):
        _call(pace)
    assert book.wishes == [1, 2, 4, 8, 10, 10, 10]


def test_a_store_that_fails_when_calls_are_given_back_costs_no_answer(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    client = lab.client(lab.server(script(Reply(200, [1]))).url, pace=limiter(Limit(1, 3600), book=_Broken()))
    assert client.send(GET).body == b"[1]"
    assert "stays reserved for a while: STORE_UNAVAILABLE" in caplog.text


class _Watched(LocalBook):
    """Remembers how many calls were wished for."""

    def __init__(self) -> None:
        super().__init__()
        self.wishes: list[int] = []

    def take_calls(self, connection: str, block: str, limits: object, wanted: int, life: float) -> Grant:
        self.wishes.append(wanted)
        return super().take_calls(connection, block, limits, wanted, life)  # type: ignore[arg-type]


class _Broken(LocalBook):
    """A store that goes away after the reservation."""

    def give_back(self, connection: str, block: str, used: int) -> None:
        raise FluxError("STORE_UNAVAILABLE", "the store at sqlite: locked")


def _watched(limit: Limit) -> tuple[Pace, _Watched]:
    book = _Watched()
    return limiter(limit, book=book), book


def _call(pace: Pace) -> None:
    pace.enter(GET)
    pace.left(GET, None)


# --- the log itself ---------------------------------------------------------------------------

ENTRIES = st.lists(
    st.builds(Entry, st.just("10/60s"), st.integers(1, 4), st.booleans(), st.floats(100.1, 500)), max_size=8
)


@given(entries=ENTRIES, wanted=st.integers(1, 20))
@settings(max_examples=60)
def test_a_grant_is_all_that_is_free_or_the_soonest_moment_at_which_there_is_something(
    entries: list[Entry], wanted: int
) -> None:
    limit, now = Limit(10, 60), 100.0
    found = grant(entries, [limit], wanted, now)
    free = 10 - sum(entry.calls for entry in entries)
    if free > 0:
        assert found == Grant(min(free, wanted))
        return
    assert found.calls == 0
    then = now + found.wait
    before = [entry for entry in entries if _can_end(entry, now) < then - 1e-6]
    after = [entry for entry in entries if _can_end(entry, now) <= then + 1e-6]
    assert free + sum(entry.calls for entry in before) < 1 <= free + sum(entry.calls for entry in after)


def _can_end(entry: Entry, now: float) -> float:
    return min(entry.until, now + 60) if entry.open else entry.until
