from __future__ import annotations

import copy
import subprocess
import sys
import threading
from typing import Any

import pytest

from airflow_provider_flux.errors import CATALOGUE, RecordError
from tests.unit.mapping.building import mapping


def one(rule: dict[str, Any], record: dict[str, Any]) -> Any:
    """The value of the only rule."""
    values, errors = mapping({"to": "out", **rule}).apply(record)
    assert errors == []
    return values["out"]


def error(rule: dict[str, Any], record: dict[str, Any]) -> RecordError:
    """The error of the only rule."""
    _, errors = mapping({"to": "out", **rule}).apply(record)
    assert len(errors) == 1
    assert errors[0].code in CATALOGUE
    assert errors[0].field == "out"
    return errors[0]


def test_a_record_is_mapped() -> None:
    contacts = mapping(
        {"from": "id", "to": "crm_id", "required": True},
        {"from": "properties.email", "to": "email", "transforms": ["trim", "lowercase", "email"]},
        {"from": "properties.phone", "to": "phone", "transforms": [{"phone_e164": {"country": "US"}}]},
        {"from": ["properties.first", "properties.last"], "to": "name", "transforms": ["trim", "title", "concatenate"]},
        {"from": "tags[*]", "to": "tags", "transforms": ["uppercase"]},
        {"expression": "record.properties.first | length", "to": "letters"},
        {"value": "crm", "to": "source"},
        {"from": "city", "to": "address.city"},
        {"from": "country", "to": "address.country", "default": "US"},
    )
    record = {
        "id": 7,
        "properties": {"email": " Ada@Example.com ", "phone": "(415) 555-2671", "first": " ada", "last": "LOVELACE "},
        "tags": ["a", None],
        "city": "London",
    }
    assert contacts.apply(record) == (
        {
            "crm_id": 7,
            "email": "ada@example.com",
            "phone": "+14155552671",
            "name": "Ada Lovelace",
            "tags": ["A", None],
            "letters": 4,
            "source": "crm",
            "address": {"city": "London", "country": "US"},
        },
        [],
    )
    assert contacts.label == "contacts@1"
    assert contacts.source_paths == {
        *(
            "id",
            "properties.email",
            "properties.phone",
            "properties.first",
            "properties.last",
            "tags[*]",
            "city",
            "country",
        ),
    }


@pytest.mark.parametrize("record", [{}, {"a": None}, {"a": {}}, {"a": {"b": None}}])
def test_what_is_missing_is_null(record: dict[str, Any]) -> None:
    assert one({"from": "a.b"}, record) is None


@pytest.mark.parametrize("value", [0, False, "x", [], {}, 0.0])
def test_falsy_values_are_values(value: Any) -> None:
    assert one({"from": "a", "required": True, "default": "d"}, {"a": value}) == value


@pytest.mark.parametrize("value", [None, "", "  "])
def test_the_default_stands_in_after_the_transforms(value: Any) -> None:
    assert one({"from": "a", "transforms": ["trim", "lowercase"], "default": "NONE"}, {"a": value}) == "NONE"


def test_the_transform_default_is_transformed_on() -> None:
    assert one({"from": "a", "transforms": [{"default": {"value": "us"}}, "uppercase"]}, {}) == "US"


@pytest.mark.parametrize("value", [None, "", " "])
def test_empty_text_for_null(value: Any) -> None:
    assert one({"from": "a", "transforms": ["trim"], "empty_for_null": True}, {"a": value}) == ""
    assert one({"from": "a", "transforms": ["trim"]}, {"a": value}) is None


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({}, "The record has no field `a.b`, and `out` is required."),
        ({"a": {"b": None}}, "`a.b` has no value, and `out` is required."),
        ({"a": {"b": " "}}, "`a.b` has no value, and `out` is required."),
    ],
)
def test_a_required_field_without_a_value(record: dict[str, Any], message: str) -> None:
    found = error({"from": "a.b", "transforms": ["trim"], "required": True}, record)
    assert (found.code, found.message, found.source_path) == ("REQUIRED_FIELD_MISSING", message, "a.b")


def test_a_required_field_with_a_default_never_fails() -> None:
    assert one({"from": "a", "required": True, "default": 0}, {}) == 0


def test_an_error_names_value_field_path_and_transform() -> None:
    found = error({"from": "p.score", "transforms": ["trim", "number"]}, {"p": {"score": " n/a "}})
    assert found == RecordError(
        code="INVALID_FORMAT",
        message="The value is not a number.",
        field="out",
        source_path="p.score",
        transform="number",
        value="n/a",
    )


def test_an_expression_that_fails_is_an_error() -> None:
    found = error({"expression": "record.a + 1"}, {"a": "x"})
    assert (found.code, found.transform, found.source_path) == ("TRANSFORM_FAILED", "expression", "a")
    assert "cannot be used with text and a number" in found.message


@pytest.mark.parametrize(("path", "record"), [("a.b", {"a": "n/a"}), ("a[*].b", {"a": [{}, "x"]}), ("a[0]", {"a": {}})])
def test_another_shape_than_the_path_is_not_taken_for_absence(path: str, record: dict[str, Any]) -> None:
    found = error({"from": path}, record)
    assert found.code == "INVALID_FORMAT"
    assert found.message.startswith("Expected another shape: `a")
    assert one({"from": path, "skip_invalid": True}, record) is None


def test_a_nested_object_where_a_scalar_was_names_its_kind() -> None:
    found = error({"from": "a", "transforms": ["lowercase"]}, {"a": {"b": 1}})
    assert found.message == "The value is an object; text is needed."
    assert found.value == "{'b': 1}"


def test_all_errors_of_a_record_are_collected() -> None:
    contacts = mapping(
        {"from": "id", "to": "id", "required": True},
        {"from": "email", "to": "email", "transforms": ["email"]},
        {"from": "score", "to": "score", "transforms": ["number"]},
    )
    _, errors = contacts.apply({"email": "x", "score": "y"})
    assert [(found.field, found.code) for found in errors] == [
        ("id", "REQUIRED_FIELD_MISSING"),
        ("email", "INVALID_EMAIL"),
        ("score", "INVALID_FORMAT"),
    ]


def test_skip_invalid_leaves_the_value_out_and_the_neighbours_alone() -> None:
    contacts = mapping(
        {"from": "phone", "to": "phone", "transforms": [{"phone_e164": {"country": "US"}}], "skip_invalid": True},
        {"from": "phone", "to": "text", "transforms": ["number"], "skip_invalid": True, "empty_for_null": True},
        {"from": "phone", "to": "other", "transforms": ["number"], "skip_invalid": True, "default": "none"},
        {"from": "name", "to": "name"},
    )
    assert contacts.apply({"phone": "call me", "name": "Ada"}) == (
        {"phone": None, "text": "", "other": "none", "name": "Ada"},
        [],
    )


def test_a_required_field_that_is_invalid_says_why() -> None:
    found = error({"from": "a", "transforms": ["email"], "required": True, "skip_invalid": True}, {"a": "x"})
    assert found.code == "INVALID_EMAIL"


def test_transforms_apply_to_each_item_until_they_are_joined() -> None:
    rule = {"from": "tags[*]", "transforms": ["trim", {"concatenate": {"separator": "|"}}, "uppercase"]}
    assert one(rule, {"tags": [" a", None, "b "]}) == "A|B"
    assert one(rule, {"tags": []}) is None
    assert one(rule, {}) is None


def test_a_default_stands_in_for_each_empty_item() -> None:
    assert one(
        {"from": "tags[*]", "transforms": [{"default": {"value": "?"}}, "uppercase"]}, {"tags": ["a", None]}
    ) == ["A", "?"]
    assert one({"from": "tags[*]", "transforms": [{"default": {"value": "none"}}, "uppercase"]}, {}) == "NONE"


def test_the_item_at_fault_is_shown() -> None:
    found = error({"from": "tags[*]", "transforms": ["number"]}, {"tags": ["1", "x", "2"]})
    assert found.value == "x"


def test_several_paths_and_lists_are_joined() -> None:
    rule = {"from": ["name", "tags[*]", "nope"], "transforms": [{"concatenate": {"separator": " "}}]}
    assert one(rule, {"name": "Ada", "tags": ["x", "y"]}) == "Ada x y"
    assert error({**rule, "required": True}, {}).message == (
        "The record has no field `name` and `tags[*]` and `nope`, and `out` is required."
    )


def test_the_same_transform_may_be_used_twice() -> None:
    rule = {"from": "a", "transforms": ["trim", {"replace": {"find": "-", "with": " "}}, "trim"]}
    assert one(rule, {"a": " -x- "}) == "x"


def test_lists_can_be_written_by_position() -> None:
    clients = mapping(
        {"from": "email", "to": "emails[0].address"},
        {"value": True, "to": "emails[0].primary"},
        {"from": "other", "to": "emails[1].address"},
    )
    assert clients.apply({"email": "a", "other": "b"})[0] == {
        "emails": [{"address": "a", "primary": True}, {"address": "b"}]
    }


def test_only_some_targets() -> None:
    contacts = mapping(
        {"from": "id", "to": "key", "required": True}, {"from": "a.b", "to": "x.y", "transforms": ["number"]}
    )
    keys = contacts.only(("key",))
    assert keys.apply({"id": 1, "a": {"b": "broken"}}) == ({"key": 1}, [])
    assert (keys.label, keys.targets, keys.source_paths) == ("contacts@1", ("key",), {"id"})
    assert contacts.only({"x.y"}).apply({"a": {"b": "2"}}) == ({"x": {"y": 2}}, [])
    with pytest.raises(ValueError, match="does not write id"):
        contacts.only(["id"])
    assert contacts.only(["x"]).targets == contacts.only(["x.y"]).targets == ("x.y",)
    assert contacts.only(["key.id"]).targets == ("key",)


def test_the_record_is_not_changed() -> None:
    record = {"a": {"b": [1, {"c": " x "}]}, "t": ["b", "a"]}
    before = copy.deepcopy(record)
    everything = mapping(
        {"from": "a.b[1].c", "to": "o.c", "transforms": ["trim"]},
        {"from": "t[*]", "to": "o.t", "transforms": ["uppercase"]},
        {"expression": "record.t | sort | list", "to": "sorted"},
        {"from": "a", "to": "a"},
    )
    everything.apply(record)
    assert record == before


def test_a_record_that_cannot_be_read_costs_only_itself() -> None:
    endless: list[Any] = []
    endless.append(endless)
    contacts = mapping(
        {"from": "a", "to": "a", "transforms": ["number"]},
        {"expression": "record.a | tojson", "to": "b"},
        {"from": "a", "to": "c", "transforms": ["trim", "title", "email"]},
    )
    for value in (endless, 10**5000, -(10**5000), "\ud800", b"\xff", float("nan"), object()):
        _, errors = contacts.apply({"a": value})
        assert errors
        assert all("does not know" not in found.message for found in errors)


def test_threads_share_a_mapping() -> None:
    contacts = mapping(
        {"from": "n", "to": "n", "transforms": ["number"]}, {"expression": "record.n ~ '!'", "to": "shout"}
    )
    wrong: list[Any] = []

    def work(start: int) -> None:
        for number in range(start, start + 500):
            values, errors = contacts.apply({"n": str(number)})
            if errors or values != {"n": number, "shout": f"{number}!"}:
                wrong.append((values, errors))

    threads = [threading.Thread(target=work, args=(start,)) for start in range(0, 4_000, 1_000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_nothing_of_airflow_is_needed() -> None:
    code = (
        "import sys, airflow_provider_flux.mapping.engine; print('airflow' in sys.modules, 'sqlalchemy' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False False"
