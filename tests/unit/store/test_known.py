"""What fails as it is, what is held, and what was delivered since."""

from __future__ import annotations

import pytest

from airflow_provider_flux.store import Store
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import Run
from airflow_provider_flux.store.text import payload_hash
from tests.unit.store.data import SHA, TUESDAY, WEDNESDAY, error, link

CONTENT = payload_hash('{"id": 1}')


@pytest.fixture
def failures(store: Store, run: Run) -> Run:
    """Errors of Tuesday's version: `a` open, `b` held, `c` without a version, one without a key."""
    new = [error(0, "a", TUESDAY), error(1, "b", TUESDAY, state="held"), error(2, "c", None), error(3, None, None)]
    store.record_transform(run, 0, 0, [], new, 1)
    return run


def number_of(store: Store, key: str | None) -> int:
    [number] = [row.id for row in store.errors() if row.source_key == key]
    return number


def known(store: Store, mapping_version: int) -> set[tuple[str, str | None]]:
    return {(key, version) for key, version, _ in store.known_errors("contacts", ["a", "b", "c", "d"], mapping_version)}


def test_known_errors_are_of_this_mapping_version_or_a_person_has_them(store: Store, failures: Run) -> None:
    assert known(store, 1) == {("a", TUESDAY), ("b", TUESDAY), ("c", None)}
    assert known(store, 2) == {("b", TUESDAY)}
    store.approve([number_of(store, "b")], "ann")
    store.discard([number_of(store, "a")], "a test record", "ann")
    assert known(store, 2) == {("a", TUESDAY), ("b", TUESDAY)}
    assert store.known_errors("orders", ["a"], 1) == set()
    assert store.known_errors("contacts", [], 1) == set()


def test_a_record_that_arrived_is_not_known_any_more(store: Store, failures: Run) -> None:
    again = store.start_run("contacts", "run-2", "scheduled", "contacts")
    store.ack(again, 0, 0, SHA, [], [], [link("a", TUESDAY), link("b", WEDNESDAY)], 1)
    store.close_errors(again, {"transform": 0, "write": 0}, complete=True)
    assert known(store, 1) == {("c", None)}


def test_without_a_version_or_a_key_the_content_tells(store: Store, failures: Run) -> None:
    assert ("c", None, CONTENT) in store.known_errors("contacts", ["c"], 1)
    assert store.known_contents("contacts", [CONTENT, "0" * 32], 1) == {CONTENT}
    assert store.known_contents("contacts", [CONTENT], 2) == set()
    assert store.known_contents("orders", [CONTENT], 1) == set()


def test_an_error_of_a_stored_payload_says_nothing_about_the_record_in_the_source(store: Store, run: Run) -> None:
    store.ack(run, 0, 0, SHA, [], [error(0, "a", None, code="PAYLOAD_MAY_BE_OLD")], [], 1)
    assert known(store, 1) == set()


def test_a_flow_has_known_errors_also_when_its_inbox_is_empty(store: Store, failures: Run) -> None:
    assert store.has_open_errors("contacts")
    assert not store.has_open_errors("orders")
    store.discard([row.id for row in store.errors()], "test records", "ann")
    assert not store.has_open_errors("contacts")
    assert store.has_known_errors("contacts")
    assert not store.has_known_errors("orders")


def test_what_is_held_or_given_up_may_not_be_sent_but_by_the_replay_it_was_approved_for(
    store: Store, failures: Run
) -> None:
    keys = ["a", "b", "d"]
    assert store.held_keys("contacts", keys, "run-2") == {("b", TUESDAY)}
    store.approve([number_of(store, "b")], "ann")
    assert store.held_keys("contacts", keys, "run-2") == {("b", TUESDAY)}
    assert store.claim_errors("run-2", ErrorFilter(ids=(number_of(store, "b"),))) == 1
    assert store.held_keys("contacts", keys, "run-2") == set()
    assert store.held_keys("contacts", keys, "run-3") == {("b", TUESDAY)}
    store.discard([number_of(store, "a")], "a test record", "ann")
    assert store.held_keys("contacts", keys, "run-2") == {("a", TUESDAY)}


def test_a_delivery_by_another_run_after_the_payload_was_read_is_told(store: Store, run: Run) -> None:
    early = store.start_run("contacts", "run-0", "scheduled", "contacts")
    store.record_transform(run, 0, 0, [], [error(n, key, None) for n, key in enumerate("abc")], 1)
    store.claim_errors("run-2", ErrorFilter(flow="contacts"))
    assert store.delivered_since("contacts", "run-2", ["a", "b", "c"]) == set()
    store.ack(early, 0, 0, SHA, [], [], [link("a", None)], 1)
    replay = store.start_run("contacts", "run-2", "replay", "contacts")
    store.ack(replay, 0, 0, SHA, [], [], [link("b", None)], 1)
    assert store.delivered_since("contacts", "run-2", ["a", "b", "c", "d"]) == {"a"}
    assert store.delivered_since("contacts", "run-3", ["a"]) == set()
