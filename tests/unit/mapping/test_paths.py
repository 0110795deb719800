from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_flux.mapping.paths import (
    EACH,
    MISSING,
    getter,
    join_step,
    parse_path,
    parse_target,
    set_path,
    why_missing,
)

RECORD: dict[str, Any] = {
    "id": 7,
    "null": None,
    "properties": {"email": "ada@example.com", "first.name": "Ada", "": "empty"},
    "tags": ["a", "b"],
    "none": [],
    "addresses": [{"city": "London"}, {"city": None}, {}],
    "orders": [{"lines": [{"sku": 1}, {"sku": 2}]}, {}, {"lines": [{"sku": 3}]}],
    "deep": {"a": {"b": [{"c": [10, 20]}]}},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("id", 7),
        ("null", None),
        ("properties.email", "ada@example.com"),
        ('properties["first.name"]', "Ada"),
        ("properties['first.name']", "Ada"),
        ("tags[1]", "b"),
        ("tags[*]", ["a", "b"]),
        ("none[*]", []),
        ("addresses[0].city", "London"),
        ("addresses[*].city", ["London", None, None]),
        ("orders[*].lines[*].sku", [1, 2, 3]),
        ("orders[0].lines[*].sku", [1, 2]),
        ("deep.a.b[0].c[1]", 20),
    ],
)
def test_a_path_reads_its_value(path: str, value: Any) -> None:
    assert getter(path)(RECORD) == value


@pytest.mark.parametrize(
    "path",
    [
        "nope",
        "nope.deeper",
        "null.deeper",
        "id.deeper",
        "tags.name",
        "tags[2]",
        "id[0]",
        "properties[0]",
        "id[*]",
        "nope[*].a",
    ],
)
def test_a_path_that_leads_nowhere_is_missing(path: str) -> None:
    assert getter(path)(RECORD) is MISSING


@pytest.mark.parametrize("record", [None, 5, "text", ["a"], True])
@pytest.mark.parametrize("path", ["a", "a.b", "a.b.c", "[0].a", "[*].a", "a[*]"])
def test_what_is_not_an_object_has_no_fields(path: str, record: Any) -> None:
    found = getter(path)(record)
    assert found is MISSING or found == [None]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("", "cannot be empty"),
        (".a", "a dot between names"),
        ("a..b", "a name is missing after a dot"),
        ("a.", "a name is missing after a dot"),
        ("a[", "should be a list position"),
        ("a[x]", "should be a list position"),
        ("a[-1]", "should be a list position"),
        ("a[0]b", "a dot between names"),
        ("a]b", "not allowed in a name"),
        ('a"b', "not allowed in a name"),
    ],
)
def test_a_bad_path_is_refused_with_the_reason(path: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_path(path)


@given(st.lists(st.one_of(st.text(min_size=1), st.integers(0, 999_999), st.just(EACH)), min_size=1))
@example(["line\n["])
def test_a_joined_path_is_parsed_back_to_its_steps(steps: list[Any]) -> None:
    if any(isinstance(step, str) and '"' in step and "'" in step for step in steps):
        return  # no way to write a name with both kinds of quotes
    path = ""
    for step in steps:
        path = join_step(path, step)
    assert parse_path(path) == tuple(steps)


@given(st.text(alphabet="ab.[]*0'\"", max_size=12))
def test_any_text_is_a_path_or_refused_by_value_error(path: str) -> None:
    try:
        getter(path)(RECORD)
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("path", "record", "says"),
    [
        ("properties.email", {"properties": "n/a"}, "`properties` is text, where the path needs an object"),
        ("tags[*]", {"tags": "vip"}, "`tags` is text, where the path needs a list"),
        ("a.b[0].c", {"a": {"b": {"c": 1}}}, "`a.b` is an object, where the path needs a list"),
        ("a[*].b.c", {"a": [{"b": None}, {"b": 3}]}, "`a[1].b` is a number, where the path needs an object"),
        ("a", [], "the record is a list, where the path needs an object"),
    ],
)
def test_another_shape_than_the_path_is_told_from_plain_absence(path: str, record: Any, says: str) -> None:
    assert why_missing(parse_path(path), record) == says


@pytest.mark.parametrize(
    ("path", "record"),
    [
        ("a.b", {}),
        ("a.b", {"a": None}),
        ("a.b", {"a": {}}),
        ("a[3]", {"a": []}),
        ("a[*].b", {"a": [None, {}]}),
        ("a", {}),
    ],
)
def test_plain_absence_has_no_complaint(path: str, record: Any) -> None:
    assert why_missing(parse_path(path), record) is None


def test_writing_makes_the_objects_and_lists_on_the_way() -> None:
    record: dict[str, Any] = {}
    set_path(record, "address.city", "London")
    set_path(record, "address.geo.lat", 51.5)
    set_path(record, "emails[1].value", "b")
    set_path(record, "emails[0].value", "a")
    set_path(record, '["a.b"]', 1)
    assert record == {
        "address": {"city": "London", "geo": {"lat": 51.5}},
        "emails": [{"value": "a"}, {"value": "b"}],
        "a.b": 1,
    }


def test_writing_through_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be written inside text"):
        set_path({"address": "London"}, "address.city", "x")


@pytest.mark.parametrize(("path", "says"), [("a[*].b", "stands for many items"), ("[0].a", "begins with the name")])
def test_a_target_is_one_place_in_an_object(path: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_target(path)
