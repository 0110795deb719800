"""Which version of a mapping is active, and who decided it."""

from __future__ import annotations

import threading

from airflow_provider_flux.store import Store


def promote(store: Store, version: int, replaces: int | None = None, name: str = "people") -> bool:
    text = f"version {version}"
    return store.promote_mapping(
        name, version, digest=text, text=text, replaces=replaces, by="ada", reason=f"why {version}"
    )


def states(store: Store, name: str = "people") -> dict[int, str]:
    return {row.version: row.state for row in store.mapping_rows(name)}


def test_a_promoted_version_replaces_the_one_before_which_may_come_back(store: Store) -> None:
    assert promote(store, 1)
    assert promote(store, 2, replaces=1)
    assert states(store) == {1: "draft", 2: "active"}
    assert promote(store, 1, replaces=2)
    assert states(store) == {1: "active", 2: "draft"}
    assert [row.text for row in store.mapping_rows("people")] == ["version 1", "version 2"]


def test_every_decision_says_who_when_and_why(store: Store) -> None:
    promote(store, 1)
    promote(store, 2, replaces=1)
    assert store.retire_mapping("people", 1, by="bob", reason=None)
    first, second, third = store.mapping_changes("people")
    assert (first.action, first.version, first.replaced, first.decided_by, first.reason) == (
        "promote", 1, None, "ada", "why 1",
    )  # fmt: skip
    assert (second.version, second.replaced) == (2, 1)
    assert (third.action, third.version, third.decided_by, third.reason) == ("retire", 1, "bob", None)
    assert first.decided_at <= second.decided_at <= third.decided_at


def test_what_somebody_else_promoted_meanwhile_is_not_overwritten(store: Store) -> None:
    promote(store, 1)
    assert not promote(store, 2, replaces=None)
    assert not promote(store, 2, replaces=7)
    assert states(store) == {1: "active"}
    assert len(store.mapping_changes("people")) == 1


def test_of_many_who_promote_at_once_one_comes_through(store: Store) -> None:
    done: list[bool] = []
    threads = [threading.Thread(target=lambda n=n: done.append(promote(store, n))) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done.count(True) == 1
    assert list(states(store).values()) == ["active"]
    assert len(store.mapping_changes("people")) == 1


def test_the_active_version_cannot_be_retired_and_no_version_twice(store: Store) -> None:
    promote(store, 1)
    assert not store.retire_mapping("people", 1, by="bob", reason=None)
    assert store.retire_mapping("people", 2, by="bob", reason=None)  # one that was never active
    assert not store.retire_mapping("people", 2, by="bob", reason=None)
    assert states(store) == {1: "active", 2: "retired"}


def test_mappings_are_kept_apart(store: Store) -> None:
    promote(store, 1)
    promote(store, 1, name="orders")
    assert states(store, "orders") == {1: "active"}
    assert [row.name for row in store.mapping_rows()] == ["orders", "people"]
