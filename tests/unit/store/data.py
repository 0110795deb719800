"""Records for the tests of the store."""

from __future__ import annotations

from typing import Any

from airflow_provider_flux.errors import RecordError
from airflow_provider_flux.store.rows import Link, NewError, Outcome

SHA = "a" * 64
OTHER_SHA = "b" * 64
MONDAY = "2026-01-05T00:00:00.000000Z"
TUESDAY = "2026-01-06T00:00:00.000000Z"
WEDNESDAY = "2026-01-07T00:00:00.000000Z"

NASTY = "n\x00ul, lone \udc80 surrogate, \U0001f600, '\"\\u0000"
"""Text that PostgreSQL refuses as it is."""


def written(first: int, last: int) -> Outcome:
    return Outcome("written", "created", first, last)


def failed(ordinal: int, code: str = "INVALID_EMAIL") -> Outcome:
    return Outcome("failed", code, ordinal, ordinal)


def link(key: str, version: str | None = MONDAY, **values: Any) -> Link:
    return Link(key, values.pop("destination_key", f"dest-{key}"), version, values.pop("hash", "0" * 32), **values)


def error(ordinal: int, key: str | None = "k", version: str | None = MONDAY, **values: Any) -> NewError:
    code, field = values.pop("code", "INVALID_EMAIL"), values.pop("field", "email")
    record_error = RecordError(code, values.pop("message", "not an e-mail address"), field)
    return NewError(ordinal, key, version, record_error, values.pop("payload", '{"id": 1}'), **values)
