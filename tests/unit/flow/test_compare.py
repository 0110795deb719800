"""A flow beside what its systems say of their fields."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_flux.connectors.declare import Description, FieldInfo
from airflow_provider_flux.connectors.options import DestinationOptions
from airflow_provider_flux.flow.compare import (
    Fields,
    MappingRules,
    never_written,
    reading_problems,
    writing_differences,
)
from airflow_provider_flux.flow.yaml_file import parse
from airflow_provider_flux.mapping.engine import compile_mapping
from airflow_provider_flux.mapping.spec import MappingFile


def rules(*lines: str) -> MappingRules:
    document = parse("\n".join(("rules:", *(f"  - {line}" for line in lines))).encode(), "v1.yaml")
    file = MappingFile.model_validate(document.data)
    return MappingRules(compile_mapping(file, "people", 1), document, file)


def fields(*known: FieldInfo, complete: bool = True) -> Fields:
    return Fields(Description("people", known, complete))


def destination(**more: Any) -> DestinationOptions:
    return DestinationOptions.model_validate({"connector": "x", "connection": "y", "key": "id", **more})


ID = FieldInfo("id", "string", read_only=True)


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("properties.email", True),
        ("properties", True),
        ("address.city", True),
        ("tags[*].name", True),
        ("tags[0]", True),
        ("properties.emial", False),
        ("emails", False),
        ('custom["a.b"]', True),
    ],
)
def test_a_field_is_found_by_its_path_by_a_part_and_by_what_holds_it(path: str, there: bool) -> None:
    known = ("properties.email", "address", "tags", 'custom["a.b"]')
    assert fields(*(FieldInfo(name) for name in known)).missing(path) is not there


def test_what_is_not_told_in_full_is_no_reason_for_a_problem() -> None:
    told = fields(FieldInfo("name"), complete=False)
    assert reading_problems(rules("{from: other, to: other}"), told) == []
    assert writing_differences(rules("{from: a, to: other}"), destination(), None, told).problems == []


def test_a_key_that_the_system_sets_may_stand_in_the_record() -> None:
    told = fields(ID, FieldInfo("email", "string", read_only=True))
    both = rules("{from: id, to: id}", "{from: email, to: email}")
    assert [one.path for one in writing_differences(both, destination(), None, told).problems] == ["rules[1].to"]
    both_keys = destination(key=["id", "email"])
    assert writing_differences(both, both_keys, None, told).problems == []


@pytest.mark.parametrize(("mode", "missing"), [("create", 1), ("upsert", 1), ("update", 0)])
def test_required_fields_are_for_modes_that_create(mode: str, missing: int) -> None:
    told = fields(ID, FieldInfo("name.last", required=True), FieldInfo("made", required=True, read_only=True))
    assert len(never_written(rules("{from: id, to: id}"), destination(mode=mode), told)) == missing
    assert never_written(rules("{from: name, to: name}"), destination(mode=mode), told) == []


@pytest.mark.parametrize(
    ("line", "source", "problem", "warning"),
    [
        ("{value: abcdef, to: code}", None, "the rule writes 6 characters, and `code` takes at most 5", None),
        ("{from: code, to: code}", FieldInfo("code", "string", max_length=5), None, None),
        ("{from: code, to: code}", FieldInfo("code", "string", max_length=9), None, "and the value may have 9"),
        ("{from: code, to: code}", None, None, "Add `truncate: {length: 5}`"),
        ("{from: code, to: state}", FieldInfo("code", "string", enum=("a", "b")), None, "the source may have `b`"),
        ("{value: b, to: state}", None, "the rule writes `b`, which `state` does not allow", None),
        ("{value: 1, to: state}", None, None, None),
    ],
)
def test_lengths_and_values(
    line: str, source: FieldInfo | None, problem: str | None, warning: str | None
) -> None:
    told = fields(FieldInfo("code", "string", max_length=5), FieldInfo("state", "string", enum=("a", "c")))
    known = None if source is None else fields(source)
    found = writing_differences(rules(line), destination(), known, told)
    for expected, said in ((problem, found.problems), (warning, found.warnings)):
        assert len(said) == (expected is not None)
        assert expected is None or expected in said[0].message
