"""A record between the stages, as it stands in staged files."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from airflow_provider_flux.errors import RecordError
from airflow_provider_flux.mapping.paths import getter


class ReadRecord(msgspec.Struct, array_like=True):
    """A source record, judged but not yet mapped.

    :param key: the source key as text, None where the record has none
    :param version: canonical text that grows with every change of the record
    :param defect: why it could not be read cleanly
    :param error_id: the stored error that a replay takes it from
    :param rung: automatic retries of it so far, this one included
    """

    data: dict[str, Any]
    key: str | None
    version: str | None
    deleted: bool = False
    defect: RecordError | None = None
    error_id: int | None = None
    rung: int = 0


class MappedRecord(msgspec.Struct, array_like=True):
    """A record ready to be written.

    :param ordinal: its place in the order of reading; identifies the record within its run
    :param hash: of the mapped record
    """

    ordinal: int
    key: str
    version: str | None
    hash: str
    deleted: bool
    data: dict[str, Any]


class MappedLine(msgspec.Struct, array_like=True):
    """A `MappedRecord` on its way into a file: its data is JSON already, because the hash needed that."""

    ordinal: int
    key: str
    version: str | None
    hash: str
    deleted: bool
    data: msgspec.Raw


class Duplicate(msgspec.Struct, array_like=True):
    """A record of which a newer version was read in the same run."""

    ordinal: int


def key_values(paths: Sequence[str], record: dict[str, Any]) -> dict[str, Any]:
    """The values of a record's key fields, by path, as the record has them."""
    return {path: getter(path)(record) for path in paths}


def key_of(getters: Sequence[Callable[[Any], Any]], record: dict[str, Any]) -> str | None:
    """The key of a record as text: the value itself, or a JSON list of several; None where a part is missing.

    :raises ValueError: when a part is an object or a list
    """
    if len(getters) == 1:
        value = getters[0](record)
        if type(value) is str:  # nearly all keys of nearly all records are one of these two
            return value or None
        if type(value) is int:
            return str(value)
    parts: list[str] = []
    for get in getters:
        value = get(record)
        if isinstance(value, (dict, list)):
            raise ValueError(
                f"a key must be a text or a number, not {'an object' if isinstance(value, dict) else 'a list'}"
            )
        text = (
            value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode().strip('"')
        )
        if not text:
            return None
        parts.append(text)
    return parts[0] if len(parts) == 1 else json.dumps(parts, ensure_ascii=False)
