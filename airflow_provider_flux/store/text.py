"""Text as both databases can hold it.

PostgreSQL refuses NUL and lone surrogates in text, and a key that does not fit a page of an index. Records hold all of
these, and an error row about such a record must never fail for them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b

LONGEST_KEY = 500
"""Characters of a stored key. Four bytes each and the flow beside them fit PostgreSQL's limit of 2,704 bytes."""

_READABLE = 460
_DIGEST_MARK = "~"
_DIGEST_LENGTH = 32


def now_text() -> str:
    """This instant in UTC with microseconds, as the store keeps instants; 27 characters that sort."""
    return instant_text(datetime.now(UTC))


def instant_text(moment: datetime) -> str:
    """An aware instant as the store keeps it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def payload_hash(payload: str) -> str:
    """What tells two payloads (JSON as `stages` encodes it) apart."""
    return blake2b(payload.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def clean(text: str) -> str:
    """The text with NUL and lone surrogates as JSON escapes, which inside a JSON payload mean the same as before."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-8", "backslashreplace").decode()
    return text.replace("\x00", "\\u0000")


def clean_or_none(text: str | None) -> str | None:
    """`clean`, for columns that may be empty."""
    return None if text is None else clean(text)


def stored_key(key: str) -> str:
    """A source key as the store keeps it: itself, or its readable part and a digest where it cannot be kept as it is.

    Two keys never share a stored form: a key that looks like a digested one is digested too.
    """
    if key.isascii() and "\x00" not in key and len(key) <= _DIGEST_LENGTH:
        return key
    plain = clean(key)
    looks_digested = plain[-_DIGEST_LENGTH - 1 : -_DIGEST_LENGTH] == _DIGEST_MARK
    if plain == key and len(key) <= LONGEST_KEY and not looks_digested:
        return key
    digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_LENGTH // 2).hexdigest()
    return f"{plain[:_READABLE]}{_DIGEST_MARK}{digest}"
