"""Columns of JSON and of arrays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from airflow_provider_flux.connectors.sql.kinds.base import Kind, Refused, Wire, is_clean, refused, written_out

_BROKEN = "the text holds a NUL character or half of a surrogate pair"


class Json(Kind):
    """Anything that JSON can hold."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def fits(self, types: set[type], values: Sequence[Any]) -> bool:
        return False

    def one(self, value: Any) -> Any:
        text = _json(value)
        if "\\u0000" in text or not is_clean(text):
            raise Refused("INVALID_ENCODING", _BROKEN)
        return value if self._wire == "native" else text


class Array(Kind):
    """A list, for an array column of PostgreSQL."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def fits(self, types: set[type], values: Sequence[Any]) -> bool:
        return False

    def one(self, value: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            raise refused("a list", value)
        text = _array(value)
        if not is_clean(text):
            raise Refused("INVALID_ENCODING", _BROKEN)
        return list(value) if self._wire == "native" else text


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        raise Refused("INVALID_ENCODING", "the value holds NaN, an infinite number, or too many levels") from None
    except TypeError:
        raise refused("JSON", value) from None


def _array(values: Sequence[Any]) -> str:
    """The array literal of PostgreSQL, https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO"""
    parts = []
    for value in values:
        if value is None:
            parts.append("NULL")
        elif isinstance(value, (list, tuple)):
            parts.append(_array(value))
        else:
            text = _json(value) if isinstance(value, dict) else written_out(value)
            parts.append('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')
    return "{" + ",".join(parts) + "}"
