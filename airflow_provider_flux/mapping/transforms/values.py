"""Transforms that exchange one value for another."""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from airflow_provider_flux.connectors.options import Model
from airflow_provider_flux.mapping.kinds import kind
from airflow_provider_flux.mapping.transforms.base import Apply, Example, Failure, Transform, finite, text_of, whole


def _scalar(value: Any) -> Any:
    # Before the union, which would report one error per member.
    if value is not None and not isinstance(value, (str, bool, int, float)):
        raise ValueError(f"{kind(value)} cannot stand here; write text (dates in quotes), a number or a boolean")
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"{value} is not a number that a record can hold")
    return value


Scalar = Annotated[str | bool | int | float | None, BeforeValidator(_scalar)]
"""A constant in a mapping file."""

_SHOWN = 8


class ValueMap(Model):
    """Arguments of `value_map`."""

    map: dict[Annotated[str | bool | int | float, BeforeValidator(_scalar)], Scalar] = Field(
        min_length=1, description="Source value to target value."
    )
    default: Scalar = Field(
        default=None, description="For values that the map does not name; without it they are refused."
    )

    @model_validator(mode="after")
    def _differ(self) -> ValueMap:
        seen: dict[str, object] = {}
        for key in self.map:
            other = seen.setdefault(_key(key), key)
            if other is not key:
                raise ValueError(f"the keys {other!r} and {key!r} mean the same")
        return self


def value_map(arguments: ValueMap) -> Apply:
    table = {_key(key): target for key, target in arguments.map.items()}
    has_default, default = "default" in arguments.model_fields_set, arguments.default
    known = ", ".join(list(table)[:_SHOWN]) + (", ..." if len(table) > _SHOWN else "")

    def apply(value: Any) -> Any:
        key = value if type(value) is str else _key(value)
        if key in table:
            return table[key]
        if key == "":
            return None
        if has_default:
            return default
        raise Failure(f"The value is none of those that the map names: {known}.")

    return apply


def _key(value: Any) -> str:
    """The value as YAML writes it: the key 1 is the text 1 and JSON's 1, but not true."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    number = finite(value, "text, a number or a boolean")
    integer = whole(number)
    return text_of(number if integer is None else integer)


class Default(Model):
    """Arguments of `default`."""

    value: Scalar = Field(description="What stands in for a missing, null or empty value.")


def default(arguments: Default) -> Apply:
    replacement = arguments.value

    def apply(value: Any) -> Any:
        return replacement if value is None or value == "" else value

    return apply


TRANSFORMS = (
    Transform(
        "value_map", "Exchanges known values; a value that is not known is refused, or becomes `default`.", value_map,
        arguments=ValueMap,
        examples=(
            Example("lead", "prospect", {"map": {"lead": "prospect"}}),
            Example("other", "unknown", {"map": {"lead": "prospect"}, "default": "unknown"}),
            Example("1", "active", {"map": {1: "active"}}), Example(True, "active", {"map": {True: "active"}}),
            Example(True, arguments={"map": {1: "active"}}, fails="none of those that the map names: 1"),
            Example("", None, {"map": {"lead": "prospect"}}),
            Example("x", arguments={"map": {"a": 1, "b": 2}}, fails="none of those that the map names: a, b"),
            Example([], arguments={"map": {"a": 1}}, fails="is a list"),
        ),
    ),
    Transform(
        "default", "Puts a constant in place of null or empty text, for the transforms that follow.", default,
        arguments=Default, fills_null=True,
        examples=(
            Example(None, "US", {"value": "US"}), Example("", 0, {"value": 0}), Example(False, False, {"value": True}),
        ),
    ),
)
