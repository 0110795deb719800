"""Columns of dates and timestamps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from airflow_provider_flux.connectors.sql.kinds.base import Kind, Refused, Wire, refused

_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Timestamp(Kind):
    """ISO 8601 text or datetimes; without a zone they count as UTC.

    In SQLite they are stored as `2026-01-01 00:00:00.000000` in UTC, the form that SQLAlchemy reads as a DATETIME.
    """

    def __init__(self, wire: Wire, *, zone: bool) -> None:
        self._wire = wire
        self._zone = zone

    def fits(self, types: set[type], values: Sequence[Any]) -> bool:
        if self._wire != "copy" or types != {str} or not all(map(_TIMESTAMP.fullmatch, values)):
            return False
        try:
            for value in values:
                datetime.fromisoformat(value)
        except ValueError:
            return False
        return True

    def one(self, value: Any) -> Any:
        moment = _utc(_moment(value))
        if self._wire == "sqlite":
            return f"{moment.replace(tzinfo=None).isoformat(' ', 'microseconds')}"
        if not self._zone:
            moment = moment.replace(tzinfo=None)
        return moment if self._wire == "native" else moment.isoformat()


class Day(Kind):
    """A date; of a timestamp the day in UTC."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def fits(self, types: set[type], values: Sequence[Any]) -> bool:
        if self._wire == "native" or types != {str} or not all(map(_DATE.fullmatch, values)):
            return False
        try:
            for value in values:
                date.fromisoformat(value)
        except ValueError:
            return False
        return True

    def one(self, value: Any) -> Any:
        if isinstance(value, str) and _DATE.fullmatch(value):
            try:
                day = date.fromisoformat(value)
            except ValueError:
                raise refused("a date", value) from None
        elif isinstance(value, date) and not isinstance(value, datetime):
            day = value
        else:
            day = _utc(_moment(value)).date()
        return day if self._wire == "native" else day.isoformat()


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            raise refused("an ISO 8601 date or timestamp", value) from None
    raise refused("an ISO 8601 date or timestamp", value)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Refused("VALUE_OUT_OF_RANGE", f"{moment.isoformat()} is outside the years 1 to 9999") from None
