from __future__ import annotations

import pytest

from airflow_provider_flux.store import Store
from airflow_provider_flux.store.error_rows import UNSETTLED
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import Link, Run
from tests.unit.store.data import MONDAY, NASTY, SHA, TUESDAY, WEDNESDAY, error, link

FIRST = {"transform": 0, "write": 0}
"""The epochs of a run that was never cleared."""


def later_run(store: Store, run_id: str, *links: Link) -> int:
    """A run that delivers and settles; how many errors it resolved."""
    run = store.start_run("contacts", run_id, "scheduled", "contacts")
    store.ack(run, 0, 0, SHA, [], [], links, 1)
    return store.close_errors(run, FIRST, complete=True)


def states(store: Store) -> dict[str | None, str]:
    return {row.source_key: row.state for row in store.errors()}


@pytest.fixture
def failures(store: Store, run: Run) -> Run:
    """Errors of Tuesday's version: `a` open, `b` held, `c` without a version, one without a key."""
    store.record_transform(
        run, 0, 0, [],
        [error(0, "a", TUESDAY), error(1, "b", TUESDAY, state="held"), error(2, "c", None), error(3, None, None)], 1,
    )  # fmt: skip
    return run


def test_delivering_the_same_or_a_newer_version_resolves(store: Store, failures: Run) -> None:
    assert later_run(store, "run-2", link("a", TUESDAY), link("b", WEDNESDAY), link("c", MONDAY)) == 3
    assert states(store) == {"a": "resolved", "b": "resolved", "c": "resolved", None: "open"}
    row = store.errors(ErrorFilter(field="email"))[0]
    assert row.resolved_by == "run-2"
    assert row.resolved_at is not None
    assert row.resolved_at >= row.occurred_at
    assert later_run(store, "run-2") == 0


def test_delivering_an_older_version_resolves_nothing(store: Store, failures: Run) -> None:
    assert later_run(store, "run-2", link("a", MONDAY), link("b", MONDAY)) == 0


def test_delivering_a_record_without_a_version_resolves(store: Store, failures: Run) -> None:
    assert later_run(store, "run-2", link("a", None)) == 1


def test_a_delivered_delete_resolves(store: Store, failures: Run) -> None:
    assert later_run(store, "run-2", link("a", WEDNESDAY, deleted=True)) == 1


def test_an_equal_version_delivered_before_the_error_does_not_resolve_it(store: Store, run: Run) -> None:
    later_run(store, "run-0", link("a", TUESDAY), link("b", WEDNESDAY))
    store.record_transform(run, 0, 0, [], [error(0, "a", TUESDAY), error(1, "b", TUESDAY)], 2)
    # Nothing of `a` was delivered since it failed; of `b` something newer is there already.
    assert later_run(store, "run-2") == 1
    assert states(store) == {"a": "open", "b": "resolved"}


def test_a_delivery_whose_own_run_never_settled_counts_for_the_next(store: Store, failures: Run) -> None:
    killed = store.start_run("contacts", "run-2", "scheduled", "contacts")
    store.ack(killed, 0, 0, SHA, [], [], [link("a", TUESDAY)], 1)
    assert later_run(store, "run-3") == 1
    assert states(store)["a"] == "resolved"


def test_errors_of_the_run_itself_and_of_other_flows_stay(store: Store, run: Run) -> None:
    other = store.start_run("orders", "run-2", "manual", "orders")
    store.record_transform(other, 0, 0, [], [error(0, "a")], 1)
    store.record_transform(run, 0, 0, [], [error(0, "a")], 1)
    store.ack(run, 0, 0, SHA, [], [], [link("a", WEDNESDAY)], 1)
    assert store.close_errors(run, FIRST, complete=True) == 0
    assert later_run(store, "run-2", link("a", WEDNESDAY)) == 1
    assert [row.state for row in store.errors()] == ["open", "resolved"]


def test_strange_keys_are_matched_too(store: Store, run: Run) -> None:
    keys = [NASTY, "k" * 5000]
    store.record_transform(run, 0, 0, [], [error(n, key) for n, key in enumerate(keys)], 1)
    assert {key for key, _, _ in store.known_errors("contacts", keys, 1)} == set(keys)
    assert later_run(store, "run-2", *map(link, keys)) == 2


def test_errors_of_an_older_epoch_are_superseded(store: Store, run: Run) -> None:
    first = [error(0, "a"), error(1, "b", stage="read"), error(2, "e", state="retrying")]
    store.record_transform(run, 0, 0, [], first, 1)
    store.ack(run, 0, 0, SHA, [], [error(3, "c")], [], 1)
    store.record_transform(run, 1, 0, [], [error(0, "d")], 1)
    store.close_errors(run, {"transform": 1, "write": 0}, complete=True)
    assert states(store) == {"a": "superseded", "b": "superseded", "e": "superseded", "c": "open", "d": "open"}
    store.close_errors(run, {"transform": 1, "write": 1}, complete=True)
    assert states(store)["c"] == "superseded"
    assert {row.resolved_by for row in store.errors() if row.state == "superseded"} == {"run-1"}


def test_what_a_clear_delivers_is_resolved_not_only_superseded(store: Store, run: Run) -> None:
    store.record_transform(run, 0, 0, [], [error(0, "a", MONDAY)], 1)
    store.close_errors(run, FIRST, complete=True)
    store.ack(run, 1, 0, SHA, [], [], [link("a", MONDAY)], 2)
    assert store.close_errors(run, {"transform": 1, "write": 1}, complete=True) == 1
    assert states(store) == {"a": "resolved"}


def test_a_clear_that_failed_leaves_what_it_did_not_come_to(store: Store, run: Run) -> None:
    store.record_transform(run, 0, 0, [], [error(0, "a"), error(1, "b")], 1)
    store.record_transform(run, 1, 0, [], [error(0, "a")], 1)
    store.close_errors(run, {"transform": 1}, complete=False)
    assert [(row.epoch, row.source_key, row.state) for row in store.errors()] == [
        (0, "a", "superseded"),
        (0, "b", "open"),
        (1, "a", "open"),
    ]


def test_what_is_held_outlives_a_clear_unless_it_is_held_again(store: Store, run: Run) -> None:
    in_doubt = {"state": "held", "code": "OUTCOME_UNKNOWN"}
    store.ack(run, 0, 0, SHA, [], [error(0, "a", **in_doubt), error(1, "b", **in_doubt)], [], 1)
    store.ack(run, 1, 0, SHA, [], [error(0, "a", **in_doubt), error(1, "b")], [], 1)
    store.close_errors(run, {"transform": 0, "write": 1}, complete=True)
    assert [(row.epoch, row.source_key, row.state) for row in store.errors()] == [
        (0, "a", "superseded"),
        (0, "b", "held"),
        (1, "a", "held"),
        (1, "b", "open"),
    ]


def test_a_record_that_fails_again_in_another_run_stands_there_once(store: Store, failures: Run) -> None:
    again = store.start_run("contacts", "run-2", "manual", "contacts")
    store.record_transform(again, 0, 0, [], [error(0, "a", WEDNESDAY), error(1, "c", None), error(2, None, None)], 1)
    store.close_errors(again, FIRST, complete=True)
    waiting = store.errors(ErrorFilter(state=UNSETTLED))
    assert [(row.source_key, row.run_id) for row in waiting] == [
        ("b", "run-1"),
        ("a", "run-2"),
        ("c", "run-2"),
        (None, "run-2"),
    ]


def test_a_newer_version_that_failed_is_not_replaced_by_an_older_one(store: Store, failures: Run) -> None:
    backfill = store.start_run("contacts", "run-2", "backfill", "contacts")
    store.record_transform(backfill, 0, 0, [], [error(0, "a", MONDAY)], 1)
    store.close_errors(backfill, FIRST, complete=True)
    assert [(row.run_id, row.state) for row in store.errors() if row.source_key == "a"] == [
        ("run-1", "open"),
        ("run-2", "superseded"),
    ]


def test_two_records_without_a_key_and_with_the_same_content_are_two(store: Store, run: Run) -> None:
    twins = [error(0, None, None), error(1, None, None)]
    store.record_transform(run, 0, 0, [], twins, 1)
    store.close_errors(run, FIRST, complete=True)
    again = store.start_run("contacts", "run-2", "manual", "contacts")
    store.record_transform(again, 0, 0, [], twins, 1)
    store.close_errors(again, FIRST, complete=True)
    assert [(row.run_id, row.state) for row in store.errors()] == [
        ("run-1", "superseded"),
        ("run-1", "superseded"),
        ("run-2", "open"),
        ("run-2", "open"),
    ]


def test_what_was_discarded_stays_so_when_the_record_arrives(store: Store, failures: Run) -> None:
    [row] = [row for row in store.errors() if row.source_key == "a"]
    assert store.discard([row.id], "a test record", "ann") == 1
    assert later_run(store, "run-2", link("a", WEDNESDAY)) == 0
    assert states(store)["a"] == "discarded"
