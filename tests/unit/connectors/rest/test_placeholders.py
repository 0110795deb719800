"""Paths and bodies made from records."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_flux.connectors.contract import WriteItem
from airflow_provider_flux.connectors.rest.placeholders import Unfit, compile_template, has_placeholder
from airflow_provider_flux.transport.paths import MISSING

ITEM = WriteItem(
    {"id": 7, "name": "Ann Lee", "tags": ["a"], "on": True, "sub": {"x": 1.5}, "none": None}, destination_key="d/9"
)


@pytest.mark.parametrize(
    ("template", "made"),
    [
        ("{record}", ITEM.data),
        ("{key}", 7),
        ("{record.sub.x}", 1.5),
        ("{record.none}", None),
        ("{destination_key}", "d/9"),
        ("{record.nope}", MISSING),
        ("no. {key} of {record.name}", "no. 7 of Ann Lee"),
        ("{record.name|url}", "Ann%20Lee"),
        ("x{record.on}", "xtrue"),
        ("{{key}}", "{key}"),
        ("plain", "plain"),
        (5, 5),
        ({"a": "{key}", "b": "{record.nope}", "c": {"d": "{record.nope}"}}, {"a": 7, "c": {}}),
        (["{key}", "{record.nope}", "x"], [7, "x"]),
    ],
)
def test_templates(template: Any, made: Any) -> None:
    assert compile_template(template, "id")(ITEM) == made


def test_in_a_url_everything_is_encoded() -> None:
    assert compile_template("/x/{destination_key}/{record.name}", "id", url=True)(ITEM) == "/x/d%2F9/Ann%20Lee"


@pytest.mark.parametrize(
    ("template", "code", "field"),
    [
        ("/x/{record.none}", "REQUIRED_FIELD_MISSING", "none"),
        ("/x/{record.nope}", "REQUIRED_FIELD_MISSING", "nope"),
        ("/x/{record.tags}", "INVALID_FORMAT", "tags"),
    ],
)
def test_a_value_that_a_text_needs_must_be_there(template: str, code: str, field: str) -> None:
    with pytest.raises(Unfit) as caught:
        compile_template(template, "id")(ITEM)
    assert (caught.value.error.code, caught.value.error.field) == (code, field)


@pytest.mark.parametrize("value", ["\ud800", "..", "."])
def test_a_value_that_a_url_cannot_hold(value: str) -> None:
    with pytest.raises(Unfit):
        compile_template("/x/{key}", "id", url=True)(WriteItem({"id": value}))


@pytest.mark.parametrize("template", ["{}", "{recrd}", "{record.}", "{key|x}y", "a{b", "a}b", "{record.a..b}"])
def test_what_is_no_placeholder_is_refused(template: str) -> None:
    with pytest.raises(ValueError):
        compile_template(template, "id")


def test_whether_a_text_differs_from_record_to_record() -> None:
    assert has_placeholder("/x/{key}")
    assert not has_placeholder("/x/{{key}}")
