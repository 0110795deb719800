"""What a column takes: the base of all kinds, and what they share."""

from __future__ import annotations

import math
import uuid
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from airflow_provider_flux.errors import preview

Wire = Literal["copy", "sqlite", "native"]
"""How values travel: text of a COPY, values of the sqlite3 module, or Python values for another driver."""


class Refused(Exception):
    """A value that the column does not take.

    :param code: a code of the catalogue
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Kind(ABC):
    """The values that a column takes."""

    @abstractmethod
    def fits(self, types: set[type], values: Sequence[Any]) -> bool:
        """Whether all these values can be sent as they are. None is not among them."""

    @abstractmethod
    def one(self, value: Any) -> Any:
        """The value in the form in which it is sent.

        :raises Refused: when the column does not take it
        """


def refused(what: str, value: Any, code: str = "INVALID_FORMAT") -> Refused:
    """The value is not `what`."""
    return Refused(code, f"{shown(value)} is not {what}")


def shown(value: Any) -> str:
    """The value for a sentence, short."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, (list, tuple)):
        return "a list"
    return repr(preview(value, 60)) if isinstance(value, str) else preview(value, 60)


def is_clean(text: str) -> bool:
    """Whether a database can store the text: no NUL, no half of a surrogate pair."""
    if "\x00" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def written_out(value: Any) -> str:
    """A single value as text.

    :raises Refused: for a list, an object, NaN
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        raise refused("a number", value, "INVALID_ENCODING")
    if isinstance(value, int) and value.bit_length() > 10_000:
        raise Refused("VALUE_OUT_OF_RANGE", f"{shown(value)} is no number to write out")
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, (Decimal, uuid.UUID)):
        return str(value)
    raise refused("a single value", value)
