"""Columns of numbers, and of true and false."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from airflow_provider_flux.connectors.sql.kinds.base import Kind, Refused, Wire, refused, shown

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0"})
_LEAST, _GREATEST = -(2**63), 2**63 - 1


class Integer(Kind):
    """Whole numbers from `low` to `high`."""

    def __init__(self, low: int, high: int) -> None:
        self._low = low
        self._high = high

    def fits(self, types: set[type], values: Sequence[Any]) -> bool:
        return types == {int} and self._low <= min(values) and max(values) <= self._high

    def one(self, value: Any) -> int:
        number = _decimal(value, "an integer")
        if number.adjusted() < 40 and number != number.to_integral_value():
            raise refused("an integer", value)
        if number.adjusted() > 40 or not self._low <= number <= self._high:
            raise Refused("VALUE_OUT_OF_RANGE", f"{shown(value)} is not between {self._low} and {self._high}")
        return int(number)


class Number(Kind):
    """Exact numbers; `precision` digits of which `scale` are behind the point (rounding is the database's)."""

    def __init__(self, wire: Wire, precision: int | None, scale: int | None) -> None:
        self._wire = wire
        self._limit = 10 ** (precision - (scale or 0)) if precision is not None else None

    def fits(self, types: set[type], values: Sequence[Any]) -> bool:
        if not types <= {int, float}:
            return False
        if float in types and not all(math.isfinite(value) for value in values if type(value) is float):
            return False
        if self._wire == "sqlite" and not (min(values) >= _LEAST and max(values) <= _GREATEST):
            return False
        return self._limit is None or (-self._limit < min(values) and max(values) < self._limit)

    def one(self, value: Any) -> Any:
        number = _decimal(value, "a number")
        if self._limit is not None and number.copy_abs() >= self._limit:
            raise Refused("VALUE_OUT_OF_RANGE", f"{shown(value)} is not below {self._limit}")
        if self._wire == "sqlite" and not math.isfinite(float(number)):
            raise Refused("VALUE_OUT_OF_RANGE", f"{shown(value)} is larger than SQLite's numbers")
        # sqlite3 takes no Decimal; the affinity of the column makes a number of the text.
        return number if self._wire == "native" else str(number)


class Float(Kind):
    """Numbers of double precision."""

    def fits(self, types: set[type], values: Sequence[Any]) -> bool:
        return types == {float} and all(map(math.isfinite, values))

    def one(self, value: Any) -> float:
        number = float(_decimal(value, "a number"))
        if not math.isfinite(number):
            raise Refused("VALUE_OUT_OF_RANGE", f"{shown(value)} is too large for double precision")
        return number


class Boolean(Kind):
    """True and false, also as 1 and 0 or as words."""

    def fits(self, types: set[type], values: Sequence[Any]) -> bool:
        return types == {bool}

    def one(self, value: Any) -> bool:
        if isinstance(value, int) and value in (0, 1):
            return bool(value)
        text = value.strip().lower() if isinstance(value, str) else ""
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
        raise refused("true or false", value)


def _decimal(value: Any, what: str) -> Decimal:
    """The exact and finite number that a value is.

    :raises Refused: when it is none
    """
    if isinstance(value, (float, Decimal)):
        if not Decimal(value).is_finite():
            raise refused(what, value, "INVALID_ENCODING")
        return Decimal(repr(value)) if isinstance(value, float) else value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, str) and _NUMBER.fullmatch(text := value.strip()):
        try:
            return Decimal(text)
        except InvalidOperation:
            raise refused(what, value) from None
    raise refused(what, value)
