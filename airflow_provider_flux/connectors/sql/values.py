"""From the rows of a driver to the records of a page: plain values, and what is wrong with the others.

Timestamps without a zone count as UTC. Exact numbers stay exact (`Decimal`; an `int` where the column has no digits
behind the point). NaN, infinite numbers and text that is not valid UTF-8 are defects of their record alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from airflow_provider_flux.connectors.contract import Page
from airflow_provider_flux.errors import RecordError, preview

_PLAIN = frozenset({type(None), bool, int, str, bytes, UUID})
_MOMENTS = frozenset({type(None), datetime})


class _Defect(Exception):
    """A value that no record may carry."""

    def __init__(self, message: str, value: Any) -> None:
        super().__init__(message)
        self.message = message
        self.value = value


class Reader:
    """Turns rows into pages.

    :param names: of the columns
    :param declared: types of columns that the driver hands over in another form (SQLite has no timestamps, for one)
    """

    def __init__(self, names: Sequence[str], declared: dict[str, Any]) -> None:
        self._names = tuple(names)
        self._declared = [_stored_form(declared.get(name)) for name in names]
        self.suspicious = False
        """Whether texts may hold what is not valid UTF-8, and must be looked at."""

    def page(self, rows: Sequence[Sequence[Any]], scales: Sequence[int | None]) -> Page:
        """The rows as records.

        :param scales: digits behind the point of each column, where the driver knows
        """
        page = Page([])
        columns = list(zip(*rows, strict=True))
        changed = False
        for place, values in enumerate(columns):
            types = set(map(type, values))
            form = self._declared[place]
            if form is None and _is_plain(types, values) and not (self.suspicious and str in types):
                continue
            columns[place] = self._column(place, values, scales[place] == 0, page)
            changed = True
        names = self._names
        page.records = [dict(zip(names, row)) for row in (zip(*columns, strict=True) if changed else rows)]  # noqa: B905
        return page

    def _column(self, place: int, values: Sequence[Any], whole: bool, page: Page) -> tuple[Any, ...]:
        form = self._declared[place]
        plain: list[Any] = []
        for index, value in enumerate(values):
            try:
                plain.append(_plain(value if form is None else form(value), whole))
            except _Defect as defect:
                plain.append(_readable(defect.value))
                name = self._names[place]
                error = RecordError(
                    "INVALID_ENCODING",
                    f"column '{name}' {defect.message}",
                    source_path=name,
                    value=preview(_readable(defect.value)),
                )
                page.defects.setdefault(index, error)
        return tuple(plain)


def _is_plain(types: set[type], values: Sequence[Any]) -> bool:
    """Whether a whole column can stay as it is; most can."""
    if types <= _PLAIN:
        return True
    return types <= _MOMENTS and all(value is None or value.tzinfo is not None for value in values)


def _plain(value: Any, whole: bool = False) -> Any:
    kind = type(value)
    if kind is str:
        if not value.isascii():
            _check_text(value)
        return value
    if kind in _PLAIN:
        return value
    if kind is datetime:
        return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    if kind is float:
        if not math.isfinite(value):
            raise _Defect("is not a number", value)
        return value
    if kind is Decimal:
        if not value.is_finite():
            raise _Defect("is not a number", value)
        return int(value) if whole else value
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(part) for part in value]
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value)


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _Defect("holds characters that are not valid UTF-8", text) from None


def _readable(value: Any) -> str:
    """A broken value as text that can be stored: bytes that are not UTF-8 as `\\xff`."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return str(value)


def _stored_form(declared: Any) -> Callable[[Any], Any] | None:
    """How SQLite's stored form of a declared type is read; a value of another form stays as it is."""
    if isinstance(declared, sa.DateTime):
        return _datetime
    if isinstance(declared, sa.Boolean):
        return lambda value: bool(value) if value in (0, 1) and isinstance(value, int) else value
    if isinstance(declared, sa.JSON):
        return _json
    return None


def _datetime(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return value


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
