"""The window of a run as conditions of SQL.

The read stage filters every record once more by its canonical cursor, so a condition may let too much through, but
never too little. Which conditions are right depends on what stands in the cursor column; one row is looked up for that:

* timestamps are compared as they are; without a zone they count as UTC.
* numbers are seconds or milliseconds since 1970, as `connectors.cursor` reads them.
* text holds ISO 8601 in many forms (`2026-01-01 10:00:00`, `2026-01-01T10:00:00.5Z`, `...+02:00`) whose order as text
  is not their order in time, but nearly all begin with the day. So the days of the window and one around it are read,
  and every text that does not begin with a day. SQLite has no type for timestamps: there a column may hold texts and
  numbers side by side, and both are asked for. No index serves this, so such a table is scanned once by each run.
* anything else is not compared here, and the table is read whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from airflow_provider_flux.connectors.contract import Window
from airflow_provider_flux.connectors.cursor import native

_DAY = timedelta(days=1)
_MILLISECONDS_FROM = 10**11
"""Numbers from here on count milliseconds (`connectors.cursor`)."""


def bound(value: Any) -> Any:
    """A parameter whose type the database works out from what it is compared with.

    SQLAlchemy would cast it to the type of the Python value, and no enum or UUID equals a VARCHAR.
    """
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            # A text that is not valid UTF-8, from SQLite: its bytes go back as they came.
            return sa.cast(bound(value.encode("utf-8", "surrogateescape")), sa.Text)
    return sa.bindparam(None, value, type_=sa.types.NullType(), unique=True)


@dataclass(frozen=True)
class Selection:
    """Which rows to read.

    :param condition: None for all
    :param in_order: whether the condition is a plain range of the column, which an index on it serves best in its order
    """

    condition: Any | None = None
    in_order: bool = False


def within(column: Any, window: Window, kind: str, sample: Any, dialect: str) -> Selection:
    """The rows of the window, by the kind of the cursor and one value of its column."""
    start = None if window.start is None else native(window.start, kind)
    end = None if window.end is None else native(window.end, kind)
    if kind == "timestamp":
        assert start is None or isinstance(start, datetime)
        assert end is None or isinstance(end, datetime)
        return _timestamps(column, start, end, sample, dialect)
    if kind == "integer" and isinstance(sample, (int, Decimal)):
        return Selection(_range(column, start, end), in_order=True)
    if kind == "text" and isinstance(sample, str) and dialect in _BY_CODE_POINT:
        # Canonical texts are compared by code point, whatever the language of the database.
        return Selection(_range(column.collate(_BY_CODE_POINT[dialect]), start, end))
    return Selection()


_BY_CODE_POINT = {"postgresql": "C", "sqlite": "BINARY"}


def _timestamps(column: Any, start: datetime | None, end: datetime | None, sample: Any, dialect: str) -> Selection:
    if isinstance(sample, datetime):
        if sample.tzinfo is None:
            start, end = _naive(start), _naive(end)
        return Selection(_range(column, start, end), in_order=True)
    if isinstance(sample, date):
        return Selection(_range(column, start and start.date(), end and _day_of(end, _DAY)), in_order=True)
    if dialect == "sqlite":
        numbers = sa.func.typeof(column).in_(["integer", "real"])
        texts = sa.func.typeof(column) == "text"
        return Selection(
            sa.or_(
                sa.and_(numbers, sa.or_(*_epochs(column, start, end))),
                sa.and_(texts, sa.or_(*_days(column, start, end))),
            )
        )
    if isinstance(sample, str):
        return Selection(sa.or_(*_days(column, start, end)))
    if isinstance(sample, (int, float, Decimal)):
        return Selection(sa.or_(*_epochs(column, start, end)))
    return Selection()


def _days(column: Any, start: datetime | None, end: datetime | None) -> list[Any]:
    first = None if start is None else _day_of(start, -_DAY)
    last = None if end is None else _day_of(end, 2 * _DAY)
    days = _range(column, first and first.isoformat(), last and last.isoformat())
    # Compact dates, weeks and epochs written as text sort elsewhere; the read stage judges them.
    return [days, column.not_like("____-__-__%")]


def _epochs(column: Any, start: datetime | None, end: datetime | None) -> list[Any]:
    first = None if start is None else start.timestamp()
    last = None if end is None else end.timestamp()
    seconds = _range(column, first and math.floor(first), last and math.ceil(last))
    milliseconds = _range(column, first and math.floor(first * 1000), last and math.ceil(last * 1000))
    small = sa.and_(column > bound(-_MILLISECONDS_FROM), column < bound(_MILLISECONDS_FROM))
    return [sa.and_(seconds, small), sa.and_(milliseconds, sa.not_(small))]


def _range(column: Any, start: Any, end: Any) -> Any:
    parts = []
    if start is not None:
        parts.append(column >= bound(start))
    if end is not None:
        parts.append(column < bound(end))
    return sa.and_(sa.true(), *parts)


def _naive(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


def _day_of(moment: datetime, shift: timedelta) -> date | None:
    """The day so far from a moment; None beyond the calendar."""
    try:
        return (moment + shift).date()
    except OverflowError:
        return None
