from __future__ import annotations

from airflow_provider_flux.store import Store
from airflow_provider_flux.store.rows import Link, Run
from tests.unit.store.data import MONDAY, NASTY, SHA, TUESDAY, WEDNESDAY, link


def deliver(store: Store, run: Run, *links: Link) -> None:
    store.ack(run, 0, 0, SHA, [], [], links, 1)


def test_a_delivery_leaves_a_link(store: Store, run: Run) -> None:
    delivered = [link("a"), link("b", None, destination_key=None), link("c", deleted=True)]
    deliver(store, run, *delivered)
    assert store.links("contacts", ["a", "b", "c", "d"]) == {one.source_key: one for one in delivered}
    assert store.links("orders", ["a"]) == {}
    assert store.links("contacts", []) == {}


def test_nothing_older_replaces_a_link(store: Store, run: Run) -> None:
    deliver(store, run, link("a", TUESDAY, hash="tuesday"))
    deliver(store, run, link("a", MONDAY, hash="monday"))
    assert store.links("contacts", ["a"])["a"].hash == "tuesday"
    deliver(store, run, link("a", TUESDAY, hash="tuesday, again"))
    assert store.links("contacts", ["a"])["a"].hash == "tuesday, again"
    deliver(store, run, link("a", WEDNESDAY, hash="gone", deleted=True))
    assert store.links("contacts", ["a"])["a"] == link("a", WEDNESDAY, hash="gone", deleted=True)


def test_a_delivery_without_version_or_key_leaves_the_known_ones(store: Store, run: Run) -> None:
    deliver(store, run, link("a", TUESDAY, hash="old"))
    deliver(store, run, link("a", None, destination_key=None, hash="new"))
    assert store.links("contacts", ["a"])["a"] == link("a", TUESDAY, hash="new")
    deliver(store, run, link("a", MONDAY, hash="older"))
    assert store.links("contacts", ["a"])["a"].hash == "new"


def test_a_version_is_learned_where_there_was_none(store: Store, run: Run) -> None:
    deliver(store, run, link("a", None))
    deliver(store, run, link("a", MONDAY))
    assert store.links("contacts", ["a"])["a"].version == MONDAY


def test_text_versions_compare_as_python_does_whatever_the_locale_of_the_database(store: Store, run: Run) -> None:
    deliver(store, run, link("a", "a", hash="lower"))
    deliver(store, run, link("a", "Z", hash="upper"))  # 'Z' < 'a' by code point, not in a dictionary
    assert store.links("contacts", ["a"])["a"].hash == "lower"


def test_of_one_key_twice_in_a_batch_the_newest_stays(store: Store, run: Run) -> None:
    deliver(store, run, link("a", TUESDAY, hash="new"), link("b"), link("a", MONDAY, hash="old"))
    assert store.links("contacts", ["a", "b"]) == {"a": link("a", TUESDAY, hash="new"), "b": link("b")}


def test_any_text_can_be_a_key(store: Store, run: Run) -> None:
    long, longer = "é" * 20_000, "é" * 20_001
    keys = [
        NASTY,
        "",
        "n\\u0000ul",
        "n\x00ul",
        "\udc80",
        "\\udc80",
        "\U0001f600" * 500,
        long,
        longer,
        '"',
        "'",
        "%s",
        ":x",
    ]
    deliver(store, run, *(link(key, hash=str(number)) for number, key in enumerate(keys)))
    found = store.links("contacts", keys)
    assert {key: found[key].hash for key in keys} == {key: str(number) for number, key in enumerate(keys)}


def test_incompressible_keys_of_any_length_fit_the_index(store: Store, run: Run) -> None:
    keys = ["".join(chr(0x10000 + (start + step * 7919) % 0xFFFFF) for step in range(length)) for start, length in
            ((1, 400), (2, 500), (3, 501), (4, 30_000))]  # fmt: skip
    deliver(store, run, *map(link, keys))
    assert set(store.links("contacts", keys)) == set(keys)


def test_more_keys_than_a_statement_has_parameters(store: Store, run: Run) -> None:
    keys = [f"key-{number}" for number in range(2500)]
    deliver(store, run, *map(link, keys))
    assert set(store.links("contacts", [*keys, "other"])) == set(keys)
