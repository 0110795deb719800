"""The shape of records as they are observed: which fields there are, of which types, how often they are empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from airflow_provider_flux.errors import preview

MOST_FIELDS = 500
"""More paths than this are not kept: keys that are data (ids as names) would never end."""
_DEPTH = 6
_ITEMS = 3  # of a list are looked at
_EXAMPLE = 60
_TYPES: dict[type, str] = {
    bool: "boolean", int: "integer", float: "number", Decimal: "number", str: "string", dict: "object", list: "array",
    date: "date", datetime: "datetime", bytes: "bytes",
}  # fmt: skip


class FieldShape(msgspec.Struct):
    """One path.

    :param seen: records that have it
    :param empty: of these, with null or an empty text
    :param types: of the other values, how often each was seen
    :param example: one of these values as text, shortened
    """

    seen: int = 0
    empty: int = 0
    types: dict[str, int] = {}
    example: str | None = None

    @property
    def type(self) -> str | None:
        """The most frequent type; None where it was never filled."""
        return max(self.types, key=lambda name: self.types[name]) if self.types else None


class Shape(msgspec.Struct):
    """What was observed of a number of records.

    :param fields: by path, as mappings write it: `properties.email`, `lines[*].sku`
    """

    records: int = 0
    fields: dict[str, FieldShape] = {}

    def observe(self, record: Mapping[str, Any]) -> None:
        """Add one record."""
        self.records += 1
        met: dict[str, Any] = {}
        for path, value in _walk("", record, 0):
            # Of several items of a list the first one with a value stands for all.
            if path not in met or met[path] in (None, ""):
                met[path] = value
        for path, value in met.items():
            self._note(path, value)

    def _note(self, path: str, value: Any) -> None:
        field = self.fields.get(path)
        if field is None:
            if len(self.fields) >= MOST_FIELDS:
                return
            field = self.fields[path] = FieldShape()
        field.seen += 1
        if value is None or value == "":
            field.empty += 1
            return
        kind = _TYPES.get(type(value), "any")
        field.types[kind] = field.types.get(kind, 0) + 1
        if field.example is None and kind not in ("object", "array"):
            field.example = preview(value, _EXAMPLE)

    def add(self, other: Shape) -> None:
        """Add what was observed of other records."""
        self.records += other.records
        for path, field in other.fields.items():
            mine = self.fields.setdefault(path, FieldShape())
            mine.seen += field.seen
            mine.empty += field.empty
            for kind, number in field.types.items():
                mine.types[kind] = mine.types.get(kind, 0) + number
            mine.example = mine.example if mine.example is not None else field.example


def sampled(records: Sequence[Any], most: int) -> Sequence[Any]:
    """At most so many of the records, spread evenly."""
    return records[:: -(-len(records) // most)] if records else records


def encode(shape: Shape) -> str:
    """As it is stored."""
    return msgspec.json.encode(shape).decode()


def decode(text: str) -> Shape:
    """What `encode` made."""
    return msgspec.json.decode(text, type=Shape)


def _walk(prefix: str, record: Mapping[str, Any], depth: int) -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        path = _joined(prefix, str(name))
        yield path, value
        if depth < _DEPTH:
            yield from _below(path, value, depth + 1)


def _below(path: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from _walk(path, value, depth)
    elif isinstance(value, list):
        for item in value[:_ITEMS]:
            if isinstance(item, dict):
                yield from _walk(f"{path}[*]", item, depth)


def _joined(prefix: str, name: str) -> str:
    if not name or any(mark in name for mark in ".[]\"'"):
        quote = "'" if '"' in name else '"'
        return f"{prefix}[{quote}{name}{quote}]"
    return f"{prefix}.{name}" if prefix else name
