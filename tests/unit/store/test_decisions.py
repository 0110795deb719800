"""What people decide is kept: who, when, why, and what stood there before."""

from __future__ import annotations

import pytest

from airflow_provider_flux.store import Store
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import Run
from tests.unit.store.data import NASTY, error

MENDED = '{"id": 1, "email": "ann@example.org"}'


@pytest.fixture
def numbers(store: Store, run: Run) -> list[int]:
    """The numbers of: `a` open, `b` held, `c` retried automatically."""
    new = [error(0, "a"), error(1, "b", state="held"), error(2, "c", state="retrying")]
    store.record_transform(run, 0, 0, [], new, 1)
    return [row.id for row in store.errors()]


def told(store: Store, number: int) -> list[tuple[str, str, str | None, str | None]]:
    return [(one.action, one.decided_by, one.reason, one.before) for one in store.decisions(number)]


def test_a_correction_keeps_what_it_replaces(store: Store, numbers: list[int]) -> None:
    assert store.correct(numbers[0], MENDED, "ann")
    assert store.correct(numbers[0], '{"id": 1}', "bob")
    row = store.errors()[0]
    assert (row.payload, row.corrected) == ('{"id": 1}', '{"id": 1}')
    assert told(store, numbers[0]) == [("edit", "ann", None, '{"id": 1}'), ("edit", "bob", None, MENDED)]
    assert all(one.decided_at >= row.occurred_at for one in store.decisions(numbers[0]))


def test_what_is_retried_or_claimed_or_over_is_not_corrected(store: Store, numbers: list[int]) -> None:
    assert not store.correct(numbers[2], MENDED, "ann")
    store.claim_errors("r1", ErrorFilter(ids=numbers[:1]))
    assert not store.correct(numbers[0], MENDED, "ann")
    store.discard(numbers[1:2], "a test record", "ann")
    assert not store.correct(numbers[1], MENDED, "ann")
    assert not store.correct(10**9, MENDED, "ann")
    assert [row.corrected for row in store.errors()] == [None, None, None]
    assert told(store, numbers[0]) == told(store, numbers[2]) == []


def test_only_what_is_held_is_approved(store: Store, numbers: list[int]) -> None:
    assert store.approve(numbers, "ann" * 100) == 1
    assert store.approve(numbers, "ann") == 0
    assert [row.state for row in store.errors()] == ["open", "approved", "retrying"]
    assert told(store, numbers[0]) == []
    assert told(store, numbers[1]) == [("approve", ("ann" * 100)[:250], None, None)]


def test_a_discard_has_a_reason_and_leaves_alone_what_a_replay_has(store: Store, numbers: list[int]) -> None:
    store.claim_errors("r1", ErrorFilter(ids=numbers[:1]))
    assert store.discard(numbers, NASTY, "ann") == 2
    assert [row.state for row in store.errors()] == ["open", "discarded", "discarded"]
    assert [action for action, *_ in told(store, numbers[1])] == ["discard"]
    assert told(store, numbers[0]) == []


def test_a_request_for_a_retry_is_noted_on_every_error_of_the_replay(store: Store, numbers: list[int]) -> None:
    store.claim_errors("r1", ErrorFilter(flow="contacts"))
    assert store.note_retry("contacts", "r1", "ann") == 2
    assert told(store, numbers[0]) == told(store, numbers[2]) == [("retry", "ann", None, None)]


def test_decisions_are_of_the_record_through_all_its_attempts(store: Store, run: Run, numbers: list[int]) -> None:
    store.decide(ErrorFilter(ids=numbers[:1]), "retry", "ann")
    replay = store.start_run("contacts", "r1", "replay", "contacts")
    store.record_transform(replay, 0, 0, [], [error(0, "a", replaces=numbers[0])], 1)
    newest = store.errors()[-1]
    store.discard([newest.id], "given up", "bob")
    assert told(store, numbers[0]) == told(store, newest.id)
    assert [action for action, *_ in told(store, newest.id)] == ["retry", "discard"]
