"""Which records are at fault when a destination answers a batch with HTTP 500, and how many calls it takes to know."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.connectors.contract import Destination, Verdict, WriteItem, Written
from airflow_provider_flux.errors import FluxError, RecordError
from airflow_provider_flux.stages.fail_fast import never
from airflow_provider_flux.stages.isolate import is_fault, isolate


def _fault(status: int = 500) -> FluxError:
    return FluxError("DESTINATION_OUTAGE", f"HTTP {status}", answer="boom", status=status)


class Brittle(Destination):
    """Keeps numbers; answers every batch that holds a bad one with a server error."""

    batch_size = 1000
    in_flight = 1

    def __init__(self, bad: set[int], *, only_once: bool = False, idempotent: bool = True) -> None:
        self.bad = bad
        self.only_once = only_once
        self.idempotent = idempotent
        self.down_from = 1_000_000
        self.rows: set[int] = set()
        self.received: list[int] = []
        self.tries = 0
        self.error = _fault()

    def write(self, items: Sequence[WriteItem]) -> list[Verdict]:
        self.tries += 1
        numbers = [item.data["n"] for item in items]
        if self.tries >= self.down_from:
            raise FluxError("CONNECTION_TIMEOUT", "gone")
        if self.bad.intersection(numbers):
            if self.only_once:
                self.bad = set()
            raise self.error
        self.rows.update(numbers)
        self.received += numbers
        return [Written(str(number)) for number in numbers]


def _items(count: int) -> list[WriteItem]:
    return [WriteItem({"n": number}) for number in range(count)]


@given(st.integers(1, 60), st.sets(st.integers(0, 59), max_size=20))
def test_exactly_the_records_at_fault_are_judged_and_all_others_are_written(count: int, bad: set[int]) -> None:
    destination = Brittle(set(bad))
    verdicts = isolate(destination, _items(count), never, works=True)
    failed = {number for number, verdict in enumerate(verdicts) if isinstance(verdict, RecordError)}
    assert failed == {number for number in bad if number < count}
    assert destination.rows == set(range(count)) - bad
    assert {verdict.code for verdict in verdicts if isinstance(verdict, RecordError)} <= {"UNKNOWN"}
    assert None not in verdicts


@given(st.integers(1, 1000))
def test_a_destination_that_takes_nothing_is_asked_three_times_at_most(count: int) -> None:
    destination = Brittle(set(range(count)))
    with pytest.raises(FluxError, match="HTTP 500"):
        isolate(destination, _items(count), never, works=False)
    assert destination.tries <= 3


@given(st.integers(2, 200), st.data())
def test_one_good_record_among_those_asked_for_is_enough_to_go_on(count: int, data: st.DataObject) -> None:
    good = data.draw(st.sampled_from([0, (count - 1) // 2, count - 1]))
    destination = Brittle(set(range(count)) - {good})
    verdicts = isolate(destination, _items(count), never, works=False)
    assert [number for number, verdict in enumerate(verdicts) if isinstance(verdict, Written)] == [good]


def test_a_batch_full_of_faults_costs_a_bounded_number_of_calls_and_says_so() -> None:
    destination = Brittle(set(range(1000)))
    verdicts = isolate(destination, _items(1000), never, works=True)
    assert destination.tries <= 210
    left = [verdict for verdict in verdicts if isinstance(verdict, RecordError) and verdict.code != "UNKNOWN"]
    assert left and "records that were not looked at one by one" in left[0].message
    assert None not in verdicts


def test_a_fault_that_passes_costs_no_record() -> None:
    destination = Brittle({0}, only_once=True)
    assert isolate(destination, _items(1), never, works=True) == [Written("0")]


def test_nothing_is_sent_after_the_record_at_fault_where_that_ends_the_run() -> None:
    destination = Brittle({5, 9})
    verdicts = isolate(destination, _items(16), lambda code: code == "UNKNOWN", works=True)
    assert destination.rows == set(range(5))
    assert isinstance(verdicts[5], RecordError)
    assert verdicts[6:] == [None] * 10


def test_another_trouble_ends_the_search() -> None:
    destination = Brittle({3})
    destination.error = FluxError("RATE_LIMIT_EXCEEDED", "slow down", status=429)
    with pytest.raises(FluxError, match="slow down"):
        isolate(destination, _items(8), never, works=True)
    assert destination.tries == 1


@given(st.integers(1, 40), st.sets(st.integers(0, 39), min_size=1), st.integers(1, 30), st.booleans())
def test_where_nothing_may_be_sent_twice_a_search_that_breaks_off_keeps_what_is_stored(
    count: int, bad: set[int], down_from: int, works: bool
) -> None:
    destination = Brittle(bad, idempotent=False)
    destination.down_from = down_from
    try:
        verdicts = isolate(destination, _items(count), never, works=works)
    except FluxError:
        assert destination.received == []
        return
    written = [number for number, verdict in enumerate(verdicts) if isinstance(verdict, Written)]
    assert sorted(destination.received) == written
    assert None not in verdicts


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (_fault(500), True),
        (_fault(520), True),
        (_fault(502), False),
        (_fault(503), False),
        (_fault(504), False),
        (FluxError("DESTINATION_OUTAGE", "the database is starting up"), False),
        (FluxError("CONNECTION_TIMEOUT", "no answer"), False),
        (FluxError("RATE_LIMIT_EXCEEDED", "slow down", status=500), False),
        (FluxError("UNKNOWN", "internal error", answer="XX000"), True),
    ],
)
def test_what_may_be_about_a_record(error: FluxError, fault: bool) -> None:
    assert is_fault(error) is fault
