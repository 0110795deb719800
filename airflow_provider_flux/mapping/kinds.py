"""Values by the names that people use for them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

_KINDS: tuple[tuple[type, str], ...] = (
    # In this order: a boolean is an int too, and a datetime is a date too.
    (bool, "a boolean"),
    (str, "text"),
    (int, "a number"),
    (float, "a number"),
    (Decimal, "a number"),
    (dict, "an object"),
    (list, "a list"),
    (datetime, "a timestamp"),
    (date, "a date"),
    (bytes, "bytes"),
)


def kind(value: Any) -> str:
    """What a value is, for a sentence: `text`, `a number`, `an object`, `null`..."""
    if value is None:
        return "null"
    for python_type, name in _KINDS:
        if isinstance(value, python_type):
            return name
    return f"a value of type {type(value).__name__}"
