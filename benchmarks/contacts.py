"""The records of the benchmark: 12 fields, 3 % bad, the same for everyone."""

from __future__ import annotations

from typing import Any

import msgspec

PAGE = 500
BAD_EVERY = 100
"""Of every 100 records one has a phone with letters, one no e-mail, and one an e-mail that is none."""


def contact(number: int) -> dict[str, Any]:
    """Contact `number`, always the same."""
    record = {
        "id": number,
        "email": f"  User.{number}@example{number % 97}.com ",
        "phone": f"({200 + number % 700}) {200 + number % 799:03d}-{number % 10000:04d}"
        if number % 3
        else f"+44 20 79{number % 100:02d} {number % 10000:04d}",
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


def page(start: int, total: int) -> bytes:
    """One page of the API as JSON."""
    end = min(start + PAGE, total)
    return msgspec.json.encode(
        {"data": [contact(number) for number in range(start, end)], "next": str(end) if end < total else None}
    )
