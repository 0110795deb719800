"""Salesforce's query language: only names that are checked and values that are quoted ever get into a query.

Source: SOQL and SOSL Reference, "Quoted String Escape Sequences" and "Date Formats and Date Literals in WHERE".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any
from urllib.parse import quote
from uuid import UUID

from airflow_provider_flux.connectors.contract import Window
from airflow_provider_flux.connectors.cursor import native

NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*(?:__(?:[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*__)?[a-z]{1,4})?")
"""The API name of an object or a field: `Account`, `Region__c`, `acme__Region__c`, `Owner__r`."""

ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
"""Salesforce's own key of a record."""

_MOST_VALUES = 100
_LONGEST_LIST = 12_000
"""Of the values of a query, percent-encoded; it travels in a URL, which may have 16,384 bytes."""
_MILLISECOND = timedelta(milliseconds=1)

_ESCAPES = {"\\": r"\\", "'": r"\'", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\b": r"\b", "\f": r"\f"}


def check_name(text: str) -> str:
    """:raises ValueError: when it is not the API name of an object or of a field"""
    if len(text) > 100 or NAME.fullmatch(text) is None:
        raise ValueError(f"`{text}` is no API name; write it as Salesforce's Object Manager does: Name, Region__c")
    return text


def check_path(text: str) -> str:
    """A field, or one of a related record: `Account.Name`, up to five steps away.

    :raises ValueError: when it is neither
    """
    steps = text.split(".")
    if len(steps) > 6:
        raise ValueError(f"`{text}` is more than five relationships away")
    return ".".join(map(check_name, steps))


def quoted(value: Any) -> str:
    """A value as a literal. Text is escaped, so that none of it can end the literal.

    :raises ValueError: for what no field of Salesforce can hold
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal)) and isfinite(value):
        return format(Decimal(str(value)), "f")
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (str, UUID)):
        value = str(value)
        return "'" + "".join(_ESCAPES.get(char, char) for char in value) + "'"
    raise ValueError(f"a {type(value).__name__} cannot be compared in SOQL")


def askable(fields: Sequence[str], values: Sequence[Any]) -> bool:
    """Whether these values can stand in a query for these fields; no record of Salesforce holds any other.

    Asked for an Id that is none, Salesforce refuses the whole query.
    """
    try:
        return all(
            quoted(value) and (field != "Id" or ID.fullmatch(str(value)) is not None)
            for field, value in zip(fields, values, strict=True)
        )
    except ValueError:
        return False


def moment(value: datetime) -> str:
    """An instant as SOQL writes it, in UTC with milliseconds."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.").rjust(20, "0") + f"{value.microsecond // 1000:03d}Z"


def select(fields: Iterable[str], name: str, conditions: Sequence[str] = (), order: Sequence[str] = ()) -> str:
    """`SELECT ... FROM ...`; names are checked here, conditions come from `within`, `one_of` and `equal`."""
    names = ", ".join(dict.fromkeys(map(check_path, fields)))
    text = f"SELECT {names} FROM {check_name(name)}"  # noqa: S608 - of checked names
    if conditions:
        text += f" WHERE {' AND '.join(conditions)}"
    return f"{text} ORDER BY {', '.join(map(check_path, order))}" if order else text


def within(window: Window, field: str, kind: str) -> list[str]:
    """The window of the cursor as conditions; of its end nothing is lost, the read stage cuts it exactly.

    :param kind: type of the cursor
    """
    name = check_path(field)
    conditions = []
    if window.start is not None:
        conditions.append(f"{name} >= {_literal(native(window.start, kind))}")
    if window.end is not None:
        end = native(window.end, kind)
        if isinstance(end, datetime) and end.microsecond % 1000:
            end += _MILLISECOND
        conditions.append(f"{name} < {_literal(end)}")
    return conditions


def one_of(field: str, values: Sequence[Any]) -> str:
    """`Field IN (...)`."""
    return f"{check_path(field)} IN ({', '.join(map(quoted, values))})"


def any_of(fields: Sequence[str], wanted: Sequence[Sequence[Any]]) -> str:
    """Records of which all these fields hold the values of one of the tuples."""
    if len(fields) == 1:
        return one_of(fields[0], [values[0] for values in wanted])
    rows = [
        " AND ".join(f"{check_path(field)} = {quoted(value)}" for field, value in zip(fields, values, strict=True))
        for values in wanted
    ]
    return "(" + " OR ".join(f"({row})" for row in rows) + ")"


def portions(wanted: Sequence[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    """The tuples in lists that fit into a query."""
    portion: list[tuple[Any, ...]] = []
    length = 0
    for values in wanted:
        size = sum(len(quote(quoted(value))) + 40 for value in values)
        if portion and (len(portion) == _MOST_VALUES or length + size > _LONGEST_LIST):
            yield portion
            portion, length = [], 0
        portion.append(values)
        length += size
    if portion:
        yield portion


def same(field: str, value: Any) -> str:
    """A value as Salesforce compares it: text whatever its case, numbers whatever their form, Ids by 15 characters."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float, Decimal)):
        return str(Decimal(str(value)).normalize())
    # The last three of 18 characters only say which of the others are capitals.
    return str(value)[:15] if field == "Id" else str(value).lower()


def _literal(value: datetime | int | str) -> str:
    return moment(value) if isinstance(value, datetime) else quoted(value)
