"""Two versions of a mapping on the same record."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_flux.errors import RecordError
from airflow_provider_flux.mapping.engine import Mapping


@dataclass(frozen=True)
class Difference:
    """A target field that the two versions write differently; null where a version does not write it."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Compared:
    """What the two versions make of a record.

    :param before: errors by the old version
    :param after: errors by the new one
    :param differences: in the mapped record, where both make one
    """

    before: tuple[RecordError, ...]
    after: tuple[RecordError, ...]
    differences: tuple[Difference, ...] = ()


def compare(old: Mapping, new: Mapping, record: AnyMapping[str, Any]) -> Compared:
    """Map a record by both versions. Never raises for any record."""
    mapped, before = old.apply(record)
    other, after = new.apply(record)
    if before or after:
        return Compared(tuple(before), tuple(after))
    return Compared((), (), tuple(_differences(mapped, other)))


def _differences(old: dict[str, Any], new: dict[str, Any]) -> list[Difference]:
    """The top-level fields that differ; a field that one version does not write counts as null there."""
    names = dict.fromkeys((*old, *new))
    return [
        Difference(name, old.get(name), new.get(name))
        for name in names
        if (name in old) != (name in new) or not _same(old.get(name), new.get(name))
    ]


def _same(one: Any, other: Any) -> bool:
    """Equal, and of one type: 1 is neither 1.0 nor true to a destination."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and bool(one == other)
