"""An error is in at most one replay at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_flux.store import Store, open_store
from airflow_provider_flux.store.error_rows import UNSETTLED
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import Claim, Run
from tests.unit.store.conftest import PROCESSES, EightProcesses
from tests.unit.store.data import SHA, error, link

MANY = 10_000
FIRST = {"transform": 0, "write": 0}
SECOND = {"transform": 1, "write": 1}
ALL = ErrorFilter(flow="contacts")


@pytest.fixture
def waiting(store: Store, run: Run) -> list[int]:
    """The numbers of: `a` and `b` open, `c` due in a minute, `d` held."""
    in_a_minute = {"state": "retrying", "due_in": timedelta(minutes=1)}
    new = [error(0, "a"), error(1, "b"), error(2, "c", **in_a_minute), error(3, "d", state="held")]
    store.record_transform(run, 0, 0, [], new, 1)
    return [row.id for row in store.errors()]


def keys(store: Store, run_id: str) -> list[str | None]:
    return [row.source_key for row in store.claimed("contacts", run_id)]


def replay(store: Store, run_id: str) -> Run:
    return store.start_run("contacts", run_id, "replay", "contacts", replay_payload="stored")


def take_all(url: str, number: int) -> int:
    with open_store(url) as store:
        return store.claim_errors(f"replay-{number}", ALL)


def test_many_processes_that_claim_the_same_errors_share_them_out(store_url: str, eight: EightProcesses) -> None:
    with open_store(store_url) as store:
        run = store.start_run("contacts", "run-1", "scheduled", "contacts")
        store.record_transform(run, 0, 0, [], [error(n, f"k{n}") for n in range(MANY)], 1)
        taken = eight.run(take_all, store_url)
        assert sum(taken) == MANY
        seen = [row.id for number in range(PROCESSES) for row in store.claimed("contacts", f"replay-{number}")]
        assert len(seen) == len(set(seen)) == MANY
        assert sum(claim.errors for claim in store.active_claims("contacts")) == MANY


def replay_some(url: str, number: int) -> int:
    """Replays a few at a time until nothing is left: every second record fails once more, and then arrives."""
    tried = 0
    with open_store(url) as store:
        for turn in range(MANY):
            run_id = f"replay-{number}-{turn}"
            if not store.claim_errors(run_id, ALL, limit=20):
                return tried
            tried += 1
            run = replay(store, run_id)
            rows = list(store.claimed("contacts", run_id))
            again = [
                error(row.ordinal, row.source_key, replaces=row.id)
                for row in rows
                if row.attempt == 1 and row.ordinal % 2
            ]
            left = {one.source_key for one in again}
            arrived = [link(row.source_key or "") for row in rows if row.source_key not in left]
            store.ack(run, 0, 0, SHA, [], again, arrived, 1)
            store.close_errors(run, FIRST, complete=True, replayed={row.id: row.source_key for row in rows})
    raise AssertionError("the records never came to an end")


def test_many_processes_that_replay_at_once_neither_wait_for_ever_nor_lose_a_record(
    store_url: str, eight: EightProcesses
) -> None:
    records = 400
    with open_store(store_url) as store:
        run = store.start_run("contacts", "run-1", "scheduled", "contacts")
        store.record_transform(run, 0, 0, [], [error(n, f"k{n}") for n in range(records)], 1)
        eight.run(replay_some, store_url)
        assert store.count_errors(ErrorFilter(state=UNSETTLED)) == 0
        assert store.count_errors(ErrorFilter(state="resolved")) == records
        assert store.count_errors(ErrorFilter(state="superseded")) == records // 2
        assert store.active_claims() == []


def test_a_record_that_a_replay_has_failed_with_is_free_once_that_has_settled(store: Store, waiting: list[int]) -> None:
    assert store.claim_errors("r1", ALL, limit=1) == 1
    [row] = store.claimed("contacts", "r1")
    run = replay(store, "r1")
    store.ack(run, 0, 0, SHA, [], [error(row.ordinal, row.source_key, replaces=row.id)], [], 1)
    assert store.claim_errors("r2", ALL) == 2, "the two others; the newest attempt still belongs to r1"
    store.close_errors(run, FIRST, complete=True, replayed={row.id: row.source_key})
    assert store.claim_errors("r3", ALL) == 1
    [newest] = store.claimed("contacts", "r3")
    assert (newest.attempt, newest.source_key) == (2, row.source_key)


def test_what_is_held_or_claimed_is_not_taken(store: Store, waiting: list[int]) -> None:
    assert store.claim_errors("r1", ALL, limit=1) == 1
    assert store.claim_errors("r2", ALL) == 2
    assert store.claim_errors("r3", ALL) == 0
    assert keys(store, "r1") == ["a"]
    assert keys(store, "r2") == ["b", "c"]
    assert store.active_claims() == [Claim("contacts", "r1", 1), Claim("contacts", "r2", 2)]
    assert store.active_claims("orders") == []


def test_what_is_approved_may_be_taken(store: Store, waiting: list[int]) -> None:
    assert store.approve(waiting, "ann") == 1
    assert store.claim_errors("r1", ErrorFilter(ids=waiting[3:])) == 1
    assert keys(store, "r1") == ["d"]


def test_only_what_is_due_is_taken_by_the_ladder(store: Store, waiting: list[int]) -> None:
    now = datetime.now(UTC)
    assert store.claim_due("contacts", "r1", now) == 0
    assert store.claim_due("orders", "r1", now + timedelta(minutes=2)) == 0
    assert store.claim_due("contacts", "r1", now + timedelta(minutes=2)) == 1
    assert keys(store, "r1") == ["c"]


def test_the_next_due_retry_is_told_until_a_replay_has_it(store: Store, waiting: list[int]) -> None:
    [due] = [row.due_at for row in store.errors() if row.due_at]
    assert store.next_due("contacts") == due
    assert store.next_due("orders") is None
    store.claim_errors("r1", ALL)
    assert store.next_due("contacts") is None


def test_retries_that_are_due_shortly_after_one_another_share_an_instant(store: Store, run: Run) -> None:
    waits = [timedelta(seconds=seconds) for seconds in (60, 75, 89, 100)]
    new = [error(n, f"k{n}", state="retrying", due_in=wait) for n, wait in enumerate(waits)]
    store.record_transform(run, 0, 0, [], new, 1)
    first, _, third, _ = sorted(row.due_at or "" for row in store.errors())
    assert store.next_due("contacts") == first
    assert store.next_due("contacts", timedelta(seconds=30)) == third


def test_what_is_given_back_may_be_taken_by_another(store: Store, waiting: list[int]) -> None:
    store.claim_errors("r1", ALL)
    assert store.release_claims("contacts", "r1") == 3
    assert keys(store, "r1") == []
    assert store.was_claimed("contacts", "r1")
    assert not store.was_claimed("contacts", "r2")
    assert store.claim_errors("r2", ALL) == 3
    assert store.release_claims("contacts", "r1") == 0


def test_retries_that_a_failed_run_did_not_come_to_are_put_off(store: Store, waiting: list[int]) -> None:
    store.claim_errors("r1", ALL)
    store.close_errors(replay(store, "r1"), {}, complete=False, postpone=timedelta(minutes=30))
    due = store.next_due("contacts")
    assert due is not None
    assert timedelta(minutes=29) < datetime.fromisoformat(due) - datetime.now(UTC) < timedelta(minutes=31)
    assert [row.due_at for row in store.errors() if row.source_key == "a"] == [None]


def test_a_record_that_fails_again_is_a_new_attempt_of_the_same_error(store: Store, waiting: list[int]) -> None:
    store.claim_errors("r1", ErrorFilter(ids=waiting[:2]))
    first = replay(store, "r1")
    store.record_transform(first, 0, 0, [], [error(0, "a", replaces=waiting[0]), error(1, "b", replaces=waiting[1])], 1)
    store.close_errors(first, FIRST, complete=True, replayed=dict.fromkeys(waiting[:2]))
    assert [(row.source_key, row.state) for row in store.errors(ErrorFilter(flow="contacts"))] == [
        ("a", "superseded"),
        ("b", "superseded"),
        ("c", "retrying"),
        ("d", "held"),
        ("a", "open"),
        ("b", "open"),
    ]
    newest = store.errors()[-2]
    assert (newest.origin, newest.attempt) == (waiting[0], 2)
    assert [row.id for row in store.attempts(newest)] == [waiting[0], newest.id]
    assert [row.id for row in store.attempts(store.errors()[0])] == [waiting[0], newest.id]


def test_a_cleared_replay_takes_its_records_again_and_none_of_anybody_else(store: Store, waiting: list[int]) -> None:
    store.claim_errors("r1", ErrorFilter(ids=waiting[:3]))
    first = replay(store, "r1")
    again = [error(1, "b", replaces=waiting[1]), error(2, "c", replaces=waiting[2])]
    store.ack(first, 0, 0, SHA, [], again, [link("a")], 1)
    store.close_errors(first, FIRST, complete=True, replayed=dict.fromkeys(waiting[:3]))
    [newest_of_c] = [row.id for row in store.errors() if row.origin == waiting[2]]
    store.claim_errors("r2", ErrorFilter(ids=(newest_of_c,)))

    assert store.claim_again(first) == 2
    assert store.claim_again(first) == 0
    assert sorted(key or "" for key in keys(store, "r1")) == ["a", "b"]
    assert keys(store, "r2") == ["c"]


def test_a_cleared_replay_leaves_what_another_run_or_a_person_settled(store: Store, waiting: list[int]) -> None:
    store.claim_errors("r1", ErrorFilter(ids=waiting[:3]))
    first = replay(store, "r1")
    again = [error(n, key, replaces=waiting[n]) for n, key in enumerate("abc")]
    store.ack(first, 0, 0, SHA, [], again, [], 1)
    store.close_errors(first, FIRST, complete=True, replayed=dict.fromkeys(waiting[:3]))
    store.discard([row.id for row in store.errors() if row.origin == waiting[0]], "a test record", "ann")
    tick = store.start_run("contacts", "run-2", "scheduled", "contacts")
    store.ack(tick, 0, 0, SHA, [], [], [link("b")], 1)
    store.close_errors(tick, FIRST, complete=True)

    assert store.claim_again(first) == 1
    assert keys(store, "r1") == ["c"]


def test_a_clear_of_a_run_leaves_what_a_replay_has(store: Store, run: Run, waiting: list[int]) -> None:
    store.claim_errors("r1", ErrorFilter(ids=waiting[:1]))
    store.close_errors(run, SECOND, complete=True)
    assert {row.source_key: row.state for row in store.errors()} == {
        "a": "open",
        "b": "superseded",
        "c": "superseded",
        "d": "held",
    }
    assert keys(store, "r1") == ["a"]


def test_a_record_that_a_replay_gives_back_stands_there_once(store: Store, run: Run, waiting: list[int]) -> None:
    store.claim_errors("r1", ErrorFilter(ids=waiting[:1]))
    store.record_transform(run, 1, 0, [], [error(0, "a")], 1)
    store.close_errors(run, SECOND, complete=True)
    store.close_errors(replay(store, "r1"), {}, complete=False)
    assert [(row.epoch, row.state) for row in store.errors() if row.source_key == "a"] == [
        (0, "superseded"),
        (1, "open"),
    ]


def test_a_correction_stays_with_the_record_when_it_fails_again(store: Store, waiting: list[int]) -> None:
    mended = '{"id": 1, "email": "ann@example.org"}'
    assert store.correct(waiting[0], mended, "ann")
    read = store.errors()[0]
    store.claim_errors("r1", ErrorFilter(ids=waiting[:1]))
    store.record_transform(replay(store, "r1"), 0, 0, [], [error(0, "a", replaces=waiting[0], payload=mended)], 1)
    newest = store.errors()[-1]
    assert (newest.payload, newest.corrected, newest.source_hash) == (read.payload, mended, read.source_hash)
