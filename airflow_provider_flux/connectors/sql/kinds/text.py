"""Columns of characters and bytes, and of types that Flux does not know."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Collection, Sequence
from typing import Any

from airflow_provider_flux.connectors.sql.kinds.base import Kind, Refused, Wire, is_clean, refused, written_out

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


class Text(Kind):
    """Characters, at most `length` of them; numbers and the like are written out."""

    def __init__(self, length: int | None = None) -> None:
        self._length = length

    def fits(self, types: set[type], values: Sequence[Any]) -> bool:
        if types != {str}:
            return False
        if self._length is not None and max(map(len, values)) > self._length:
            return False
        return is_clean("".join(values))

    def one(self, value: Any) -> str:
        text = written_out(value)
        if not is_clean(text):
            raise Refused("INVALID_ENCODING", "the text holds a NUL character or half of a surrogate pair")
        if self._length is not None and len(text) > self._length:
            raise Refused("VALUE_TOO_LONG", f"{len(text)} characters, the column takes {self._length}")
        return text


class Choice(Kind):
    """An enumeration of the database."""

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(allowed)

    def fits(self, types: set[type], values: Sequence[Any]) -> bool:
        return types == {str} and self._allowed.issuperset(values)

    def one(self, value: Any) -> str:
        text = written_out(value)
        if text not in self._allowed:
            raise refused(f"one of {', '.join(sorted(self._allowed))}", value)
        return text


class Uuid(Kind):
    """UUIDs in any of their spellings."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def fits(self, types: set[type], values: Sequence[Any]) -> bool:
        return self._wire != "native" and types == {str} and all(map(_UUID.fullmatch, values))

    def one(self, value: Any) -> Any:
        try:
            number = value if isinstance(value, uuid.UUID) else uuid.UUID(written_out(value))
        except ValueError:
            raise refused("a UUID", value) from None
        return number if self._wire == "native" else str(number)


class Binary(Kind):
    """Bytes; in text they are base64, as Flux carries them between its stages."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def fits(self, types: set[type], values: Sequence[Any]) -> bool:
        return False

    def one(self, value: Any) -> Any:
        if isinstance(value, str):
            try:
                value = base64.b64decode(value, validate=True)
            except (binascii.Error, ValueError):
                raise refused("base64", value) from None
        if not isinstance(value, (bytes, bytearray)):
            raise refused("base64", value)
        return "\\x" + value.hex() if self._wire == "copy" else bytes(value)


class Anything(Kind):
    """A type that Flux does not know: the database judges, but it is one value, not an object."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def fits(self, types: set[type], values: Sequence[Any]) -> bool:
        return types == {str} and is_clean("".join(values))

    def one(self, value: Any) -> Any:
        text = written_out(value)
        if not is_clean(text):
            raise Refused("INVALID_ENCODING", "the text holds a NUL character or half of a surrogate pair")
        if isinstance(value, int) and not -(2**63) <= value < 2**63 and self._wire == "sqlite":
            raise Refused("VALUE_OUT_OF_RANGE", f"{value} does not fit into 64 bits")
        kept = isinstance(value, (bool, int, float)) and self._wire != "copy"
        return value if kept else text
