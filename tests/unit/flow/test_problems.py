"""What people read when pydantic refuses a file."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import Discriminator, Field, Strict, Tag, ValidationError, model_validator

from airflow_provider_flux.connectors.options import Duration, Fields, Model
from airflow_provider_flux.flow.problems import explain
from airflow_provider_flux.flow.yaml_file import dotted


class Page(Model):
    type: Literal["page"]
    size: Annotated[int, Strict()] = 10
    page: dict[str, Any] = Field(default_factory=dict)


class Cursor(Model):
    type: Literal["cursor", "token"]
    path: str


class Named(Model):
    name: str
    length: int | None = None


class Options(Model):
    field: str = "x"
    from_: str | None = Field(default=None, alias="from")
    count: int = Field(default=1, ge=1, le=5)
    ratio: float = 0.5
    on: bool = True
    day: date | None = None
    every: Duration | None = None
    keys: Fields | None = None
    names: tuple[str, ...] = ()
    table: dict[str, int] = Field(default_factory=dict)
    color: Literal["red", "green", "blue"] = "red"
    paging: Annotated[Page | Cursor, Field(discriminator="type")] | None = None
    pagings: tuple[Annotated[Page | Cursor, Field(discriminator="type")], ...] = ()
    entries: tuple[str | Named, ...] = ()
    equals: bool | int | str = True
    tagged: Annotated[
        Annotated[Named, Tag("long")] | Annotated[str, Tag("short")],
        Discriminator(lambda value: "short" if isinstance(value, str) else "long"),
    ] = "a"

    @model_validator(mode="after")
    def _fits(self) -> Options:
        if self.field == "forbidden":
            raise ValueError("`field` must not be forbidden")
        return self


def said(data: dict[str, Any]) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Options.model_validate(data)
    found = explain(caught.value, Options, data)
    return [f"{'key ' if finding.on_key else ''}{dotted(finding.path)}: {finding.message}" for finding in found]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"field": 5}, ["field: write text, not the number 5"]),
        ({"field": None}, ["field: write text, not nothing"]),
        ({"field": ["a"]}, ["field: write text, not a list"]),
        ({"count": "many"}, ["count: write a whole number, not 'many'"]),
        ({"count": 1.5}, ["count: write a whole number, not the number 1.5"]),
        ({"count": 0}, ["count: must be 1 or more, not the number 0"]),
        ({"count": 6}, ["count: must be 5 or less, not the number 6"]),
        ({"ratio": "half"}, ["ratio: write a number, not 'half'"]),
        ({"on": "perhaps"}, ["on: write true or false, not 'perhaps'"]),
        ({"day": "yesterday"}, ["day: write a date such as 2026-01-31, not 'yesterday'"]),
        ({"day": "2026-02-30"}, ["day: write a date such as 2026-01-31, not '2026-02-30'"]),
        ({"keys": []}, ["keys: must not be empty"]),
        ({"keys": ["a", ""]}, ["keys[1]: must not be empty"]),
        ({"names": "a"}, ["names: write a list, not text"]),
        ({"names": ["a", {"b": 1}]}, ["names[1]: write text, not keys with values"]),
        ({"table": {"a": "x"}}, ["table.a: write a whole number, not 'x'"]),
        ({"color": "gren"}, ["color: 'gren' is not allowed. Did you mean `green`? Allowed: red, green, blue."]),
        ({"color": True}, ["color: true is not allowed. Allowed: red, green, blue."]),
        ({"field": "forbidden"}, [": `field` must not be forbidden"]),
        ({"form": "x", "from": 1}, ["from: write text, not the number 1", FORM := "key form: unknown key."]),
        ({"paging": "page"}, ["paging: write keys with values, not text"]),
        ({"paging": {}}, ["key paging.type: is required. Allowed: page, cursor, token."]),
        (
            {"paging": {"type": "pages"}},
            ["paging.type: 'pages' is not allowed. Did you mean `page`? Allowed: page, cursor, token."],
        ),
        ({"paging": {"type": "cursor"}}, ["key paging.path: is required"]),
        ({"paging": {"type": "page", "size": "5"}}, ["paging.size: write a whole number, not '5'"]),
        (
            {"paging": {"type": "page", "page": {"size": 1}, "siz": 1}},
            ["key paging.siz: unknown key. Did you mean `size`? Allowed: type, size, page."],
        ),
        ({"paging": {"type": "page", "page": "x"}}, ["paging.page: write keys with values, not text"]),
        ({"pagings": [{"type": "page"}, {"type": "token"}]}, ["key pagings[1].path: is required"]),
        ({"entries": ["a", 5]}, ["entries[1]: write text or keys with values, not the number 5"]),
        ({"entries": [{"nam": "x"}]}, [NAM := "key entries[0].nam: unknown key. Did you mean `name`?"]),
        ({"entries": [{"x": "x"}]}, ["key entries[0].name: is required", X := "key entries[0].x: unknown key."]),
        ({"entries": [{"name": "x", "length": "y"}]}, ["entries[0].length: write a whole number, not 'y'"]),
        ({"equals": ["x"]}, ["equals: write true or false, a whole number or text, not a list"]),
        ({"tagged": {"length": 1}}, ["key tagged.name: is required"]),
        ({"every": "soon"}, ["every: 'soon' is not a duration; write a number with s, m, h or d, for example 30s"]),
    ],
)
def test_each_kind_of_fault_is_one_sentence_at_its_path(data: dict[str, Any], expected: list[str]) -> None:
    found = said(data)
    assert len(found) == len(expected), found
    for sentence, beginning in zip(found, expected, strict=True):
        assert (
            sentence.startswith(beginning)
            if beginning in (FORM, NAM, X) or "30s" in beginning
            else sentence == beginning
        )


def test_an_unknown_key_names_the_nearest_and_all_that_are_allowed() -> None:
    (found,) = said({"form": "x"})
    assert found == f"key form: unknown key. Did you mean `from`? Allowed: {', '.join(ALL_KEYS)}."


ALL_KEYS = (
    *("field", "from", "count", "ratio", "on", "day", "every", "keys", "names", "table", "color", "paging", "pagings"),
    *("entries", "equals", "tagged"),
)


def test_all_faults_come_at_once() -> None:
    found = said({"field": 1, "count": 9, "color": "pink", "colour": "red", "paging": {"type": "cursor"}})
    assert [sentence.partition(":")[0] for sentence in found] == [
        "field",
        "count",
        "color",
        "key paging.path",
        "key colour",
    ]


def test_text_where_a_block_was_expected_is_not_repeated_because_it_may_be_a_password() -> None:
    assert "hunter2" not in str(said({"paging": "hunter2", "names": "hunter2"}))
