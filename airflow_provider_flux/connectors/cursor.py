"""Cursor and version values in one canonical text form, which sorts as the values do.

Sources write the same instant in many ways (`2026-01-01T00:00:00Z`, `...+00:00`, epoch milliseconds). Links, cursors
and windows compare these texts in SQL and in Python, so every value is brought into one form first.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

_WIDTH = 24
_OFFSET = 10**_WIDTH


def canonical(value: Any, kind: str) -> str | None:
    """The sortable text of a cursor value; None for an absent one (null or empty text).

    :param kind: `timestamp`, `integer` or `text`
    :raises ValueError: when the value is not of that kind
    """
    if value is None or value == "":
        return None
    if kind == "timestamp":
        try:
            return _utc_text(value) or timestamp_text(_timestamp(value))
        except OverflowError:
            raise ValueError(f"{value!r} is outside the years 1 to 9999 in UTC") from None
    if kind == "integer":
        return _integer_text(value)
    return value if isinstance(value, str) else str(value)


# What most APIs send: an instant in UTC with seconds, milliseconds or microseconds.
_UTC = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{3}(?:\d{3})?))?Z", re.ASCII)


def _utc_text(value: Any) -> str | None:
    """The canonical text of such an instant, by cutting alone; None for any other value.

    Every record of every run passes here: this takes a third of the time of making a datetime and formatting it.
    """
    match = _UTC.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        datetime.fromisoformat(match[1])
    except ValueError:
        return None
    return f"{match[1]}.{match[2] or '':0<6}Z"


def timestamp_text(moment: datetime) -> str:
    """An instant as `2026-01-01T00:00:00.000000Z`; a naive one counts as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="microseconds") + "Z"


def native(text: str, kind: str) -> datetime | int | str:
    """The value behind a canonical text, for connectors to format as their system wants it."""
    if kind == "timestamp":
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    if kind == "integer":
        return int(text[1:]) if text[0] == "1" else int(text[1:]) - _OFFSET
    return text


def minus(text: str, kind: str, span: timedelta) -> str:
    """The cursor moved back by a lookback (timestamps only; others come back unchanged)."""
    if kind != "timestamp" or not span:
        return text
    moment = native(text, kind)
    assert isinstance(moment, datetime)
    try:
        return timestamp_text(moment - span)
    except OverflowError:
        return text


def _timestamp(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the caller gives it its zone
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is not a timestamp")
    if isinstance(value, (int, float, Decimal)):
        return _from_epoch(float(value) if isinstance(value, Decimal) else value)
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            if value.lstrip("-").isdigit():
                return _from_epoch(int(value))
            raise ValueError(f"{value!r} is not an ISO 8601 timestamp") from None
    raise ValueError(f"{value!r} is not a timestamp")


def _from_epoch(value: float) -> datetime:
    # Seconds up to the year 5138; anything larger is milliseconds, as most SaaS APIs send.
    try:
        seconds = value if abs(value) < 10**11 else value / 1000
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        raise ValueError(f"{value!r} is not a timestamp") from None


def _integer_text(value: Any) -> str:
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        value = int(value)  # databases count in exact numbers
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError(f"{value!r} is not an integer")
    number = int(value)
    if abs(number) >= _OFFSET:
        raise ValueError(f"{value!r} is too large for a cursor")
    # '1' before non-negative numbers and '0' before the others' complement keeps the order of the numbers.
    return f"1{number:0{_WIDTH}d}" if number >= 0 else f"0{number + _OFFSET:0{_WIDTH}d}"
