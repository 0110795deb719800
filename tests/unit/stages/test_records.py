"""Keys, ranges of fates, and the index of keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.stages.fates import ranges
from airflow_provider_flux.stages.keys import KeyIndex
from airflow_provider_flux.stages.records import key_of

FATES = st.lists(st.tuples(st.sampled_from(["written", "failed", "skipped"]), st.sampled_from(["a", "b"])), max_size=50)


@given(FATES, st.integers(0, 1000))
def test_ranges_cover_every_ordinal_once(fates: list[tuple[str, str]], first: int) -> None:
    rows = [(first + index, *fate) for index, fate in enumerate(fates)]
    covered = {
        ordinal: (outcome.bucket, outcome.reason)
        for outcome in ranges(rows)
        for ordinal in range(outcome.first, outcome.last + 1)
    }
    assert covered == {ordinal: (bucket, reason) for ordinal, bucket, reason in rows}
    assert sum(outcome.last - outcome.first + 1 for outcome in ranges(rows)) == len(rows)


def test_equal_neighbours_are_one_range() -> None:
    outcomes = ranges([(0, "written", ""), (1, "written", ""), (3, "written", ""), (4, "failed", "X")])
    assert [(outcome.first, outcome.last) for outcome in outcomes] == [(0, 1), (3, 3), (4, 4)]


@pytest.mark.parametrize(
    ("record", "key"),
    [
        ({"id": "a"}, "a"),
        ({"id": 7}, "7"),
        ({"id": 0}, "0"),
        ({"id": None}, None),
        ({"id": ""}, None),
        ({}, None),
    ],
)
def test_a_key_is_text_or_missing(record: dict[str, object], key: str | None) -> None:
    assert key_of([lambda record: record.get("id")], record) == key


def test_a_composite_key_needs_every_part() -> None:
    assert key_of([lambda r: r["a"], lambda r: r["b"]], {"a": "x", "b": 2}) == '["x", "2"]'
    assert key_of([lambda r: r["a"], lambda r: None], {"a": "x"}) is None


@pytest.mark.parametrize(("value", "named"), [({"a": 1}, "an object"), ([1], "a list")])
def test_a_key_that_is_no_scalar_is_refused(value: object, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        key_of([lambda record: record["id"]], {"id": value})


VERSIONS = st.one_of(st.none(), st.sampled_from(["1", "2", "3"]))


@given(st.lists(st.tuples(st.sampled_from("abc"), VERSIONS), max_size=40), st.integers(1, 7))
def test_of_every_key_exactly_the_newest_version_is_kept(records: list[tuple[str, str | None]], size: int) -> None:
    rows = [(key, ordinal, version) for ordinal, (key, version) in enumerate(records)]
    with KeyIndex() as index:
        for start in range(0, len(rows), size):
            index.add(rows[start : start + size])
        superseded = list(index.superseded())

    newest: dict[str, int] = {}
    for key, ordinal, version in rows:
        if key not in newest or (version or "") >= (rows[newest[key]][2] or ""):
            newest[key] = ordinal
    assert superseded == sorted({ordinal for _, ordinal, _ in rows} - set(newest.values()))
