from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from airflow_provider_flux.mapping.engine import MappingProblems
from airflow_provider_flux.mapping.spec import MappingFile
from tests.unit.mapping.building import mapping

EXAMPLE = Path(__file__).parents[3] / "include" / "mappings" / "contacts" / "v1.yaml"


def problems(*rules: dict[str, Any]) -> list[tuple[tuple[Any, ...], str]]:
    with pytest.raises(MappingProblems) as caught:
        mapping(*rules)
    return [tuple(problem) for problem in caught.value.problems]


def shape_errors(document: Any) -> list[tuple[tuple[Any, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        MappingFile.model_validate(document)
    return [(error["loc"], error["msg"].removeprefix("Value error, ")) for error in caught.value.errors()]


def test_the_example_is_valid_and_its_schema_says_so() -> None:
    document = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    schema = MappingFile.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(json.dumps(document)), schema)
    assert mapping(*document["rules"]).targets[:2] == ("crm_id", "email")


@pytest.mark.parametrize(
    ("transform", "place", "says"),
    [
        ("trm", (), "there is no transform 'trm'; did you mean trim?"),
        ("zzz", (), "there is no transform 'zzz'; there are trim, lowercase"),
        (5, (), "write one transform per entry"),
        (["trim"], (), "write one transform per entry"),
        ({"trim": {}, "email": {}}, (), "write one transform per entry"),
        ("truncate", ("truncate", "length"), "Field required"),
        ({"truncate": {"length": 0}}, ("truncate", "length"), "greater than or equal to 1"),
        ({"truncate": {"lenght": 3, "length": 4}}, ("truncate", "lenght"), "not permitted"),
        ({"trim": {"side": "left"}}, ("trim", "side"), "not permitted"),
        ({"replace": {"with": "x"}}, ("replace",), "write either `find` or `pattern`"),
        ({"replace": {"find": "a", "pattern": "a"}}, ("replace",), "write either `find` or `pattern`"),
        ({"replace": {"pattern": "(a"}}, ("replace",), "is not a regular expression: missing )"),
        ({"replace": {"pattern": "(a)", "with": r"\2"}}, ("replace",), "invalid group reference"),
        ({"replace": {"pattern": "a*"}}, ("replace",), "matches empty text"),
        ({"phone_e164": {"country": "us"}}, ("phone_e164", "country"), "did you mean US?"),
        ({"phone_e164": {"country": "UK"}}, ("phone_e164", "country"), "did you mean GB?"),
        ({"date_iso": {"timezone": "Mars/Base"}}, ("date_iso", "timezone"), "is not a time zone"),
        ({"date_iso": {"timezone": "Europe"}}, ("date_iso", "timezone"), "is not a time zone"),
        ({"date_iso": {"formats": ["%Q"]}}, ("date_iso", "formats", 0), "is not a date format"),
        ({"date_iso": {"formats": ["yyyy"]}}, ("date_iso", "formats", 0), "holds no field of a date"),
        ({"date_iso": {"epoch": "us"}}, ("date_iso", "epoch"), "'auto', 's' or 'ms'"),
        ({"number": {"decimal": ",", "thousands": ","}}, ("number",), "cannot both be ','"),
        ({"boolean": {"true_values": ["No"]}}, ("boolean",), "'no' cannot mean both"),
        ({"value_map": {"map": {}}}, ("value_map", "map"), "at least 1 item"),
        ({"value_map": {"map": {1: "a", "1": "b"}}}, ("value_map",), "the keys 1 and '1' mean the same"),
        ({"value_map": {"map": {"a": []}}}, ("value_map", "map", "a"), "a list cannot stand here"),
        ({"split_name": {"part": "middle"}}, ("split_name", "part"), "'first' or 'last'"),
        ({"default": {}}, ("default", "value"), "Field required"),
        ({"default": {"value": {"a": 1}}}, ("default", "value"), "an object cannot stand here"),
        ({"default": {"value": float("nan")}}, ("default", "value"), "nan is not a number"),
    ],
)
def test_a_wrong_transform_is_one_error_at_its_place(transform: Any, place: tuple[Any, ...], says: str) -> None:
    errors = shape_errors({"rules": [{"from": "a", "to": "b", "transforms": ["trim", transform]}]})
    assert len(errors) == 1
    location, message = errors[0]
    assert location == ("rules", 0, "transforms", 1, *place)
    assert says in message


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"to": "b"}, "exactly one of `from`, `expression` and `value`"),
        ({"from": "a", "value": None, "to": "b"}, "exactly one of `from`, `expression` and `value`"),
        ({"from": "a"}, "Field required"),
        ({"from": "", "to": "b"}, "at least 1 character"),
        ({"from": "a", "to": "b", "requierd": True}, "not permitted"),
        ({"from": "a", "to": "b", "required": "perhaps"}, "valid boolean"),
    ],
)
def test_a_wrong_rule_is_an_error(rule: dict[str, Any], says: str) -> None:
    errors = shape_errors({"rules": [rule]})
    assert len(errors) == 1
    assert says in errors[0][1]


def test_a_mapping_needs_rules_and_nothing_else() -> None:
    assert shape_errors({"rules": []}) == [(("rules",), "a mapping needs at least one rule")]
    assert shape_errors({"rules": [{"from": "a", "to": "b"}], "rule": []})[0][0] == ("rule",)


def test_a_transform_without_arguments_may_be_written_in_three_ways() -> None:
    for entry in ("trim", {"trim": {}}, {"trim": None}):
        assert mapping({"from": "a", "to": "b", "transforms": [entry]}).apply({"a": " x "}) == ({"b": "x"}, [])


def test_all_problems_of_a_file_come_at_once_with_their_places() -> None:
    found = problems(
        {"from": "a..b", "to": "x"},
        {"expression": "1 +", "to": "y[*]"},
        {"from": ["a", "b"], "to": "z"},
        {"value": "many", "to": "n", "transforms": ["number"]},
        {"from": "a", "to": "z"},
    )
    assert [place for place, _ in found] == [
        ("rules", 0, "from"),
        ("rules", 1, "expression"),
        ("rules", 1, "to"),
        ("rules", 2, "from"),
        ("rules", 3, "value"),
        ("rules", 4, "to"),
    ]
    messages = [message for _, message in found]
    assert "a name is missing after a dot" in messages[0]
    assert "unexpected 'end of the expression'" in messages[1]
    assert "several paths need `concatenate`" in messages[3]
    assert "can never be written: The value is not a number." in messages[4]
    assert messages[5] == "`z` is already written by rule 3"


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ("a", "a", "`a` is already written by rule 1"),
        ("a", '["a"]', '`["a"]` is already written by rule 1'),
        ("a", "a.b", "`a.b` lies inside `a` (rule 1), which is written as a whole"),
        ("a.b", "a", "`a` would overwrite `a.b` (rule 1)"),
        ("a.b.c", "a.b", "`a.b` would overwrite `a.b.c` (rule 1)"),
        ("a.b", "a[0]", "`a[0]` and `a.b` (rule 1) need the same value to be an object and a list"),
        ("a[0]", "a[2]", "`a[2]` leaves a gap: position [1] of the list is not written"),
    ],
)
def test_targets_that_do_not_fit_together_are_refused(first: str, second: str, says: str) -> None:
    assert problems({"from": "x", "to": first}, {"from": "y", "to": second}) == [(("rules", 1, "to"), says)]


def test_thousands_of_rules_are_checked_in_linear_time() -> None:
    rules = [{"from": "a", "to": f"list[{number}].x"} for number in range(5_000)]
    assert len(mapping(*rules).targets) == 5_000
