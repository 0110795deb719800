"""What an answer means: tables from HTTP status to the codes of the catalogue, and rows that know a vendor's bodies.

A connector or a flow adds rows, never branches.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_flux.transport.answers import NotJson, decode, excerpt, storable
from airflow_provider_flux.transport.paths import MISSING, get

SOURCE = "SOURCE_OUTAGE"
DESTINATION = "DESTINATION_OUTAGE"

REQUEST_CODES: Mapping[int, str] = {
    401: "AUTHENTICATION_FAILED",
    402: "PERMISSION_DENIED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "NOT_FOUND",
    407: "CONNECTION_INVALID",
    408: "CONNECTION_TIMEOUT",
    410: "NOT_FOUND",
    429: "RATE_LIMIT_EXCEEDED",
}
"""What a status says about a whole request; other 4xx are BAD_REQUEST, 5xx an outage of the side that answered."""

RECORD_CODES: Mapping[int, str] = {
    401: "AUTHENTICATION_FAILED",
    403: "PERMISSION_DENIED",
    404: "RECORD_NOT_FOUND",
    409: "DUPLICATE_RECORD",
    410: "RECORD_NOT_FOUND",
    412: "DUPLICATE_RECORD",
    413: "VALUE_TOO_LONG",
    429: "RATE_LIMIT_EXCEEDED",
}
"""What a status says about one record; other 4xx are RECORD_REJECTED, 5xx an outage of the destination."""

_MESSAGES = (
    "message", "error.message", "error_description", "error", "errors[0].message", "errors[0].detail", "errors[0]",
    "error_message", "detail", "[0].message", "title", "reason", "errors",
)  # fmt: skip
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Row:
    """Recognises one kind of answer.

    :param code: what it means
    :param status: HTTP statuses it may have; None for every status from 400 on
    :param path: where in the answer to look; None for its whole text
    :param pattern: what must be found there; a group named `field` gives the target field
    :param field: path in the answer that names the target field
    """

    code: str
    status: frozenset[int] | None = None
    path: str | None = None
    pattern: re.Pattern[str] | None = None
    field: str | None = None


@dataclass(frozen=True)
class Finding:
    """What a row recognised."""

    code: str
    field: str | None = None


def recognise(rows: Sequence[Row], status: int | None, value: Any, *, failed: bool) -> Finding | None:
    """The first row that knows this answer.

    :param status: None where the answer has none of its own, as an item of a batch
    :param failed: whether the answer is known to be an error; a row without statuses looks at no other
    """
    for row in rows:
        if not failed if row.status is None else status not in row.status:
            continue
        text = _searched(row, value)
        if text is None:
            continue
        match = row.pattern.search(text) if row.pattern else None
        if row.pattern is None or match is not None:
            return Finding(row.code, _field(row, match, value))
    return None


def request_code(status: int, outage: str) -> str:
    """The code of a whole request that failed.

    :param outage: SOURCE or DESTINATION, whichever answered
    """
    return REQUEST_CODES.get(status) or (outage if status >= 500 else "BAD_REQUEST")


def record_code(status: int | None) -> str:
    """The code of one record that was refused."""
    if status is None:
        return "RECORD_REJECTED"
    return RECORD_CODES.get(status) or (DESTINATION if status >= 500 else "RECORD_REJECTED")


def loosely(body: bytes, content_type: str) -> Any:
    """An error's body as a value if it is JSON, else as text. Never fails."""
    try:
        return decode(body, content_type).value
    except NotJson:
        return excerpt(body)


def vendor_message(value: Any) -> str:
    """The sentence in which the system says what is wrong, or an empty text."""
    if isinstance(value, str):
        title = _TITLE.search(value)
        return _one_line(title[1] if title else value)
    for path in _MESSAGES:
        found = get(value, path)
        if isinstance(found, str) and found.strip():
            return _one_line(found)
    return ""


def _one_line(text: str, limit: int = 300) -> str:
    line = " ".join(storable(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _searched(row: Row, value: Any) -> str | None:
    """The text that a row's pattern is searched in; None when its path is not there."""
    found = value if row.path is None else get(value, row.path)
    if found is MISSING:
        return None
    return found if isinstance(found, str) else as_text(found)


def _field(row: Row, match: re.Match[str] | None, value: Any) -> str | None:
    if match is not None and "field" in match.re.groupindex:
        return match["field"]
    found = get(value, row.field) if row.field else MISSING
    return None if found is MISSING or found is None else storable(str(found))


def as_text(value: Any) -> str:
    """A value of an answer as JSON text."""
    return storable(json.dumps(value, ensure_ascii=False, default=str))
