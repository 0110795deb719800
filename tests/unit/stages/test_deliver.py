"""One verdict per record, whatever becomes of the batch. The destination here is a list with faults on demand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.connectors.contract import Destination, Verdict, WriteItem, Written
from airflow_provider_flux.errors import BatchRejected, FluxError, OutcomeUnknown, RecordError
from airflow_provider_flux.stages.deliver import deliver, find_or_deliver


class Listed(Destination):
    """Appends what it is given; a batch that holds a bad number is refused as a whole."""

    batch_size = 100
    in_flight = 1

    def __init__(self, bad: set[int], *, idempotent: bool = False, can_find: bool = False) -> None:
        self.bad = bad
        self.idempotent = idempotent
        self.can_find = can_find
        self.rows: list[int] = []
        self.tries = 0
        self.before_write: Callable[[int], None] = lambda call: None
        self.deaf: FluxError | None = None

    def write(self, items: Sequence[WriteItem]) -> list[Verdict]:
        self.tries += 1
        self.before_write(self.tries)
        numbers = [item.data["n"] for item in items]
        if self.bad.intersection(numbers):
            raise BatchRejected(RecordError("INVALID_FORMAT", f"one of {numbers} is bad"))
        self.rows += numbers
        return [Written(str(number)) for number in numbers]

    def find(self, items: Sequence[WriteItem]) -> list[str | None]:
        if self.deaf is not None:
            raise self.deaf
        return [str(item.data["n"]) if item.data["n"] in self.rows else None for item in items]


def _items(count: int) -> list[WriteItem]:
    return [WriteItem({"n": number}) for number in range(count)]


def _fail_from(call: int, error: FluxError) -> Callable[[int], None]:
    def before_write(number: int) -> None:
        if number >= call:
            raise error

    return before_write


@given(st.integers(1, 60), st.sets(st.integers(0, 59)))
def test_only_the_bad_records_fail(count: int, bad: set[int]) -> None:
    destination = Listed(bad)
    verdicts = deliver(destination, _items(count))
    failed = {number for number, verdict in enumerate(verdicts) if isinstance(verdict, RecordError)}
    assert failed == {number for number in bad if number < count}
    assert sorted(destination.rows) == sorted(set(range(count)) - bad)
    assert destination.tries <= 2 * count


@given(st.integers(2, 40), st.sets(st.integers(0, 39), min_size=1), st.integers(1, 80))
def test_an_outage_in_the_middle_of_a_refused_batch_doubles_nothing(count: int, bad: set[int], call: int) -> None:
    destination = Listed(bad)
    destination.before_write = _fail_from(call, FluxError("DESTINATION_OUTAGE", "down"))
    try:
        verdicts = deliver(destination, _items(count))
    except FluxError:
        assert destination.rows == []  # then a retry may send all of it
        return
    written = [number for number, verdict in enumerate(verdicts) if isinstance(verdict, Written)]
    assert sorted(destination.rows) == written
    assert len(verdicts) == count


def test_where_sending_twice_is_harmless_an_outage_fails_the_batch() -> None:
    destination = Listed({0}, idempotent=True)
    destination.before_write = _fail_from(4, FluxError("DESTINATION_OUTAGE", "down"))
    with pytest.raises(FluxError, match="down"):
        deliver(destination, _items(8))


@pytest.mark.parametrize(
    ("idempotent", "can_find", "raises"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_an_unknown_outcome_is_held_only_where_nothing_else_can_be_done(
    idempotent: bool, can_find: bool, raises: bool
) -> None:
    destination = Listed(set(), idempotent=idempotent, can_find=can_find)
    destination.before_write = _fail_from(1, OutcomeUnknown("OUTCOME_UNKNOWN", "cut off"))
    if raises:
        with pytest.raises(OutcomeUnknown):
            deliver(destination, _items(3))
        return
    verdicts: list[Any] = list(deliver(destination, _items(3)))
    assert Counter(verdict.code for verdict in verdicts) == {"OUTCOME_UNKNOWN": 3}


def test_what_an_interrupted_attempt_stored_is_found_and_the_rest_is_sent() -> None:
    destination = Listed(set(), can_find=True)
    destination.rows = [0, 1, 4]
    verdicts = find_or_deliver(destination, _items(6))
    assert verdicts == [Written(str(number)) for number in range(6)]
    assert sorted(destination.rows) == list(range(6))


def test_a_record_without_a_key_to_find_it_by_is_not_sent_again() -> None:
    destination = Listed(set(), can_find=True)
    destination.rows = [0]
    verdicts: list[Any] = find_or_deliver(destination, _items(3), findable=lambda item: item.data["n"] != 2)
    assert verdicts[:2] == [Written("0"), Written("1")]
    assert (verdicts[2].code, sorted(destination.rows)) == ("OUTCOME_UNKNOWN", [0, 1])


@pytest.mark.parametrize("code", ["RATE_LIMIT_EXCEEDED", "UNREADABLE_ANSWER", "AUTHENTICATION_FAILED"])
def test_a_batch_stays_in_doubt_as_long_as_the_destination_cannot_be_asked(code: str) -> None:
    destination = Listed(set(), can_find=True)
    destination.rows = [0, 1]
    destination.deaf = FluxError(code, "not now", retry_after=7)
    with pytest.raises(OutcomeUnknown) as raised:
        find_or_deliver(destination, _items(4))
    assert (raised.value.code, raised.value.retry_after) == (code, 7)
    assert destination.tries == 0


def test_an_outage_while_the_rest_is_sent_does_not_forget_what_was_found() -> None:
    destination = Listed(set(), can_find=True)
    destination.rows = [0, 1]
    destination.before_write = _fail_from(1, FluxError("DESTINATION_OUTAGE", "down"))
    verdicts = find_or_deliver(destination, _items(4))
    assert [isinstance(verdict, Written) for verdict in verdicts] == [True, True, False, False]


def test_a_verdict_that_is_missing_is_not_a_success() -> None:
    class Forgetful(Listed):
        def write(self, items: Sequence[WriteItem]) -> list[Verdict]:
            return super().write(items)[:-1]

    with pytest.raises(FluxError, match="3 records were sent and 2 verdicts came back"):
        deliver(Forgetful(set()), _items(3))


@given(st.integers(1, 60), st.sets(st.integers(0, 59), min_size=1), st.booleans())
def test_nothing_is_sent_after_the_first_record_that_ends_the_run(count: int, bad: set[int], one_by_one: bool) -> None:
    destination = Listed(bad)
    destination.one_by_one = one_by_one
    verdicts = deliver(destination, _items(count), lambda code: code == "INVALID_FORMAT")
    first = min([number for number in bad if number < count], default=count)
    assert destination.rows == list(range(first))
    assert [isinstance(verdict, Written) for verdict in verdicts] == [number < first for number in range(count)]
    if first < count:
        assert isinstance(verdicts[first], RecordError)
        assert verdicts[first + 1 :] == [None] * (count - first - 1)


def test_a_record_that_does_not_end_the_run_stops_nothing() -> None:
    destination = Listed({3})
    destination.one_by_one = True
    deliver(destination, _items(8), lambda code: code == "INVALID_EMAIL")
    assert destination.rows == [0, 1, 2, 4, 5, 6, 7]
