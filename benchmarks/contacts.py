"""The records of the benchmark: 12 fields, 3 % bad, the same for everyone."""

from __future__ import annotations

from typing import Any

import msgspec

PAGE = 500
BAD_EVERY = 100
"""Of every 100 records one has a phone with letters, one no e-mail, and one an e-mail that is none."""

AREAS = (201, 202, 212, 213, 305, 312, 404, 415, 503, 617, 702, 713, 718, 818, 917)
"""Area codes of the United States."""


def contact(number: int) -> dict[str, Any]:
    """Contact `number`, always the same."""
    record = {
        "id": number,
        "email": f"  User.{number}@example{number % 97}.com ",
        "phone": _phone(number),
        "firstname": f"  ada{number % 1000} ",
        "lastname": "LOVELACE",
        "company": f"Company {number % 5000}",
        "lifecycle": ("lead", "customer", "other")[number % 3],
        "score": str(number % 1000),
        "address": {
            "street": f"{number % 300} Main Street",
            "city": "Springfield",
            "zip": f"{number % 100000:05d}",
            "country": "US",
        },
        "owner": f"owner-{number % 40}",
        "created_at": f"2025-{1 + number % 12:02d}-{1 + number % 28:02d}T08:{number % 60:02d}:00Z",
        "updated_at": f"2026-01-{1 + number % 28:02d}T{number % 24:02d}:{number % 60:02d}:{number // 60 % 60:02d}.000Z",
    }
    kind = number % BAD_EVERY
    if kind == 1:
        record["phone"] = "(415) CALL-NOW"
    elif kind == 2:
        record["email"] = None
    elif kind == 3:
        record["email"] = "not an address"
    return record


def _phone(number: int) -> str:
    """A number that exists, of the United States or of London."""
    if number % 3 == 0:
        return f"+44 20 7{number % 1000:03d} {number % 10_000:04d}"
    return f"({AREAS[number % len(AREAS)]}) {220 + number % 79}-{number % 10_000:04d}"


def page(start: int, total: int) -> bytes:
    """One page of the API as JSON."""
    end = min(start + PAGE, total)
    return msgspec.json.encode(
        {"data": [contact(number) for number in range(start, end)], "next": str(end) if end < total else None}
    )
