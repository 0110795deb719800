"""Shapes of records, what changed between two of them, and which rules that touches."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.mapping.drift import Drift, drifts
from airflow_provider_flux.mapping.engine import Mapping, compile_mapping
from airflow_provider_flux.mapping.paths import parse_path
from airflow_provider_flux.mapping.shape import MOST_FIELDS, Shape, decode, encode, sampled
from airflow_provider_flux.mapping.spec import MappingFile

PERSON: dict[str, Any] = {"id": 1, "name": "Ann", "phone": "1", "address": {"city": "Bonn", "zip": "53"}, "tags": ["a"]}


def shape(record: dict[str, Any], number: int = 50, **more: Any) -> Shape:
    """Of so many records like this one."""
    found = Shape()
    for _ in range(number):
        found.observe({**record, **more})
    return found


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in PERSON.items() if key != name}


def mapping(*rules: dict[str, Any]) -> Mapping:
    return compile_mapping(MappingFile.model_validate({"rules": list(rules)}), "people", 1)


def found(before: Shape, now: Shape) -> list[tuple[str, str]]:
    return [(drift.kind, drift.path) for drift in drifts(before, now)]


def test_a_shape_counts_fields_types_and_empty_values() -> None:
    seen = Shape()
    seen.observe({"a": 1, "b": {"c": None}, "l": [{"sku": ""}, {"sku": "x"}], "x.y": True})
    seen.observe({"a": "text"})
    assert seen.records == 2
    assert seen.fields["a"].types == {"integer": 1, "string": 1}
    assert (seen.fields["b.c"].seen, seen.fields["b.c"].empty, seen.fields["b.c"].type) == (1, 1, None)
    assert (seen.fields["l[*].sku"].empty, seen.fields["l[*].sku"].example) == (0, "x")
    assert seen.fields['["x.y"]'].type == "boolean"


def test_nothing_changed() -> None:
    assert drifts(shape(PERSON), shape(PERSON)) == []


def test_added_removed_and_retyped_fields_are_found() -> None:
    assert found(shape(PERSON), shape(PERSON, note="x")) == [("added", "note")]
    assert found(shape(PERSON), shape(without("tags"))) == [("removed", "tags")]
    [changed] = drifts(shape(PERSON), shape(PERSON, phone=491))
    assert (changed.kind, changed.before, changed.now, changed.example) == ("retyped", "string", "integer", "491")


@pytest.mark.parametrize("name", ["phone_number", "phoneNumber", "Phone", "phones"])
def test_a_renamed_field_is_one_change(name: str) -> None:
    [changed] = drifts(shape(PERSON), shape({**without("phone"), name: "1"}))
    assert (changed.kind, changed.path, changed.now) == ("renamed", "phone", name)


def test_what_matches_in_name_but_not_in_type_or_place_is_not_renamed() -> None:
    retyped = {**without("phone"), "phone_number": 1}
    assert set(found(shape(PERSON), shape(retyped))) == {("removed", "phone"), ("added", "phone_number")}
    moved = {**without("phone"), "contact": {"phone": "1"}}
    assert set(found(shape(PERSON), shape(moved))) == {("removed", "phone"), ("added", "contact")}


def test_a_whole_object_that_is_gone_is_one_change() -> None:
    assert found(shape(PERSON), shape(without("address"))) == [("removed", "address")]


def test_an_integer_where_numbers_came_is_no_change() -> None:
    assert drifts(shape({"total": 1.5}), shape({"total": 2})) == []


def test_a_field_that_is_missing_from_a_few_records_is_no_drift() -> None:
    now = shape(PERSON, 40)
    now.add(shape(without("phone"), 10))
    assert drifts(shape(PERSON), now) == []
    rare = shape(without("tags"), 90)
    rare.add(shape(PERSON, 10))
    assert drifts(rare, shape(without("tags"), 20)) == []  # one in ten: twenty without it are no news
    assert found(rare, shape(without("tags"), 200)) == [("removed", "tags")]


def test_too_few_records_say_nothing() -> None:
    assert drifts(shape(PERSON), shape(without("phone"), 9)) == []
    assert drifts(shape(PERSON, 9), shape(without("phone"))) == []


def test_a_field_that_becomes_empty_is_news() -> None:
    assert found(shape(PERSON), shape(PERSON, phone=None)) == [("emptied", "phone")]
    half = shape(PERSON, 25)
    half.add(shape(PERSON, 25, phone=""))
    assert drifts(half, shape(PERSON, phone=None)) == []


def test_the_rules_that_break_are_named_and_come_first() -> None:
    rules = mapping(
        {"from": "id", "to": "id"},
        {"from": "phone", "to": "phone", "required": True},
        {"from": "address", "to": "address", "transforms": ["address_single_line"]},
        {"from": "address.city", "to": "town"},
        {"from": "name", "to": "name", "required": True, "default": "x"},
    )
    gone = drifts(shape(PERSON), shape({**without("phone"), "note": "x"}), rules)
    assert [drift.path for drift in gone] == ["phone", "note"]
    assert [(rule.target, rule.breaks) for rule in gone[0].rules] == [("phone", True)]
    [city] = drifts(shape(PERSON), shape({**PERSON, "address": {"town": 1, "zip": "1"}}), rules)[:1]
    assert {(rule.target, rule.breaks) for rule in city.rules} == {("address", False), ("town", False)}
    [name] = drifts(shape(PERSON), shape(without("name")), rules)
    assert [(rule.target, rule.breaks) for rule in name.rules] == [("name", False)]


def test_a_change_reads_as_a_sentence() -> None:
    assert str(Drift("renamed", "phone", now="tel")) == "phone was renamed to tel"
    assert str(Drift("retyped", "n", "string", "integer")) == "n was string and is integer now"


def test_the_number_of_fields_is_bounded() -> None:
    seen = Shape()
    seen.observe({f"key{number}": number for number in range(2 * MOST_FIELDS)})
    assert len(seen.fields) == MOST_FIELDS


def test_a_sample_is_spread_over_the_batch() -> None:
    assert list(sampled(range(1000), 100)) == list(range(0, 1000, 10))
    assert list(sampled(range(3), 100)) == [0, 1, 2]
    assert len(sampled(range(101), 100)) <= 100
    assert list(sampled([], 100)) == []


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=15,
)
_records = st.dictionaries(st.text(max_size=4), _json, max_size=5)


@given(st.lists(_records, min_size=1, max_size=5))
def test_any_records_have_a_shape_that_can_be_kept_and_is_no_drift_from_itself(records: list[dict[str, Any]]) -> None:
    seen = Shape()
    for record in records * 20:
        seen.observe(record)
    assert decode(encode(seen)) == seen
    assert [drift for drift in drifts(seen, seen) if drift.kind != "emptied"] == []
    for path, field in seen.fields.items():
        assert field.empty + sum(field.types.values()) == field.seen <= seen.records
        if all(part for part in path.split(".")) and '""' not in path and "''" not in path:
            parse_path(path)
