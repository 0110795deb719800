"""Numbers and booleans."""

from __future__ import annotations

import re
from decimal import Decimal
from math import isfinite
from typing import Any, Literal

from pydantic import model_validator

from airflow_provider_flux.connectors.options import Model
from airflow_provider_flux.mapping.transforms.base import Apply, Example, Failure, Transform, finite, whole

_LONGEST = 1000
_MOST_EXPONENT = 400

_TRUE = frozenset({"true", "yes", "y", "t", "on", "1"})
_FALSE = frozenset({"false", "no", "n", "f", "off", "0"})


class Number(Model):
    """Arguments of `number`."""

    decimal: Literal[".", ","] = "."
    thousands: Literal[",", ".", " ", "'", "_"] | None = None

    @model_validator(mode="after")
    def _differ(self) -> Number:
        if self.decimal == self.thousands:
            raise ValueError(f"`decimal` and `thousands` cannot both be {self.decimal!r}")
        return self


def number(arguments: Number) -> Apply:
    written = _written(arguments)
    group = arguments.thousands or ""
    spaces = group == " "

    def apply(value: Any) -> int | float | Decimal | None:
        if not isinstance(value, str):
            return finite(value)
        text = value.strip()
        if text.isdigit() and text.isascii() and len(text) <= _LONGEST:
            return int(text)
        if not text:
            return None
        if spaces:
            text = text.replace("\u00a0", " ").replace("\u202f", " ")
        match = written.fullmatch(text) if len(text) <= _LONGEST else None
        if match is None:
            raise Failure("The value is not a number.")
        digits = match[1].replace(group, "") if group else match[1]
        if match[2] is None and match[3] is None:
            return int(digits)
        return _exact(f"{digits}.{match[2] or 0}{match[3] or ''}")

    return apply


def _written(arguments: Number) -> re.Pattern[str]:
    whole = "[0-9]+"
    if arguments.thousands:
        whole = rf"[0-9]{{1,3}}(?:{re.escape(arguments.thousands)}[0-9]{{3}})+|[0-9]+"
    return re.compile(rf"([+-]?(?:{whole}))(?:{re.escape(arguments.decimal)}([0-9]+))?([eE][+-]?[0-9]{{1,4}})?")


def _exact(text: str) -> float | Decimal:
    """A float where it says exactly what the text says, else a Decimal: no digit is lost."""
    exact = Decimal(text)
    if exact and abs(exact.adjusted()) > _MOST_EXPONENT:
        raise Failure("The number is out of range.")
    near = float(exact)
    return near if isfinite(near) and Decimal(repr(near)) == exact else exact


class Boolean(Model):
    """Arguments of `boolean`. What is given is added to the words that are known anyway."""

    true_values: tuple[str, ...] = ()
    false_values: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _differ(self) -> Boolean:
        both = _words(_TRUE, self.true_values) & _words(_FALSE, self.false_values)
        if both:
            raise ValueError(f"{sorted(both)[0]!r} cannot mean both true and false")
        return self


def boolean(arguments: Boolean) -> Apply:
    verdicts = dict.fromkeys(_words(_TRUE, arguments.true_values), True)
    verdicts.update(dict.fromkeys(_words(_FALSE, arguments.false_values), False))

    def apply(value: Any) -> bool | None:
        if isinstance(value, bool):
            return value
        if not isinstance(value, str):
            value = str(whole(finite(value, "true or false")))
        text = value.strip().lower()
        if not text:
            return None
        try:
            return verdicts[text]
        except KeyError:
            raise Failure("The value is neither true nor false.") from None

    return apply


def _words(known: frozenset[str], added: tuple[str, ...]) -> frozenset[str]:
    return known | {word.strip().lower() for word in added}


TRANSFORMS = (
    Transform(
        "number", "Reads a number; whole ones stay whole and no digit is lost; empty text becomes null.", number,
        arguments=Number,
        examples=(
            Example("42", 42), Example(" -1.50 ", -1.5), Example("1.234,5", 1234.5, {"decimal": ",", "thousands": "."}),
            Example("12345678901234567.89", Decimal("12345678901234567.89")), Example(7, 7), Example("", None),
            Example("n/a", fails="is not a number"), Example("1,234", fails="is not a number"),
            Example("NaN", fails="is not a number"), Example(float("inf"), fails="not a finite number"),
            Example(True, fails="is a boolean; a number is needed"),
        ),
    ),
    Transform(
        "boolean", "Reads true or false from words as yes/no, on/off, 1/0; empty text becomes null.", boolean,
        arguments=Boolean,
        examples=(
            Example("Yes", True), Example("0", False), Example(1, True), Example("ja", True, {"true_values": ["ja"]}),
            Example("", None), Example("maybe", fails="neither true nor false"),
            Example(2, fails="neither true nor false"),
            Example([], fails="is a list; true or false is needed"),
        ),
    ),
)
