from __future__ import annotations

import pytest

from airflow_provider_flux.store import Store
from airflow_provider_flux.store.rows import Link, Run
from tests.unit.store.data import MONDAY, NASTY, SHA, TUESDAY, WEDNESDAY, error, link


def later_run(store: Store, run_id: str, *links: Link) -> int:
    """A run that delivers and settles; how many errors it resolved."""
    run = store.start_run("contacts", run_id, "scheduled", "contacts")
    store.ack(run, 0, 0, SHA, [], [], links, 1)
    return store.resolve_errors("contacts", run_id)


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
    row = store.errors(field="email")[0]
    assert row.resolved_by == "run-2"
    assert row.resolved_at is not None
    assert row.resolved_at >= row.occurred_at
    assert store.resolve_errors("contacts", "run-2") == 0


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
    assert store.resolve_errors("contacts", "run-1") == 0
    assert later_run(store, "run-2", link("a", WEDNESDAY)) == 1
    assert [row.state for row in store.errors()] == ["open", "resolved"]


def test_strange_keys_are_matched_too(store: Store, run: Run) -> None:
    keys = [NASTY, "k" * 5000]
    store.record_transform(run, 0, 0, [], [error(n, key) for n, key in enumerate(keys)], 1)
    assert store.known_errors("contacts", keys, 1) == {(key, MONDAY) for key in keys}
    assert later_run(store, "run-2", *map(link, keys)) == 2


def test_errors_of_an_older_epoch_are_superseded(store: Store, run: Run) -> None:
    store.record_transform(run, 0, 0, [], [error(0, "a"), error(1, "b", stage="read")], 1)
    store.ack(run, 0, 0, SHA, [], [error(2, "c")], [], 1)
    store.record_transform(run, 1, 0, [], [error(0, "d")], 1)
    assert store.supersede_errors(run, "transform", 1) == 2
    assert states(store) == {"a": "superseded", "b": "superseded", "c": "open", "d": "open"}
    assert store.supersede_errors(run, "write", 1) == 1


def test_what_is_held_outlives_a_clear_unless_it_is_held_again(store: Store, run: Run) -> None:
    store.ack(run, 0, 0, SHA, [], [error(0, "a", state="held"), error(1, "b", state="held")], [], 1)
    store.ack(run, 1, 0, SHA, [], [error(0, "a", state="held")], [], 1)
    assert store.supersede_errors(run, "write", 1) == 1
    assert [(row.epoch, row.source_key, row.state) for row in store.errors()] == [
        (0, "a", "superseded"),
        (0, "b", "held"),
        (1, "a", "held"),
    ]


def test_a_replay_takes_over_the_errors_that_it_did_not_resolve(store: Store, failures: Run) -> None:
    ids = [row.id for row in store.errors()]
    later_run(store, "run-2", link("a", TUESDAY))
    store.supersede_replayed([*ids, 10**9])
    assert states(store) == {"a": "resolved", "b": "superseded", "c": "superseded", None: "superseded"}


def test_known_errors_are_of_this_mapping_version_or_held(store: Store, failures: Run) -> None:
    keys = ["a", "b", "c", "d"]
    assert store.known_errors("contacts", keys, 1) == {("a", TUESDAY), ("b", TUESDAY), ("c", None)}
    assert store.known_errors("contacts", keys, 2) == {("b", TUESDAY)}
    assert store.known_errors("contacts", keys, None) == {("b", TUESDAY)}
    assert store.known_errors("orders", keys, 1) == set()
    assert store.known_errors("contacts", [], 1) == set()
    later_run(store, "run-2", link("a", TUESDAY), link("b", TUESDAY))
    assert store.known_errors("contacts", keys, 1) == {("c", None)}


def test_a_flow_has_open_errors_until_all_are_over(store: Store, failures: Run) -> None:
    assert store.has_open_errors("contacts")
    assert not store.has_open_errors("orders")
    store.supersede_replayed([row.id for row in store.errors()])
    assert not store.has_open_errors("contacts")
