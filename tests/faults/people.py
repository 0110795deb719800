"""The contacts of the source, and what must become of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]


@dataclass(frozen=True)
class People:
    """Contacts of the source, by what is right for them.

    :param rows: every row that the source lists; the last of a key is the newest
    :param good: what the destination must hold in the end, by key
    :param refused: keys whose name is too long for the destination
    :param bad: keys whose phone no mapping can read
    :param filtered: keys that the flow leaves out
    :param older: how many rows are older versions of a key that is listed again
    """

    rows: list[Record]
    good: dict[str, Record]
    refused: set[str]
    bad: set[str]
    filtered: set[str]
    older: int


def people(count: int) -> People:
    """So many contacts: one in a hundred refused, unreadable or filtered, and one in a hundred listed twice."""
    newest = [_contact(number) for number in range(count)]
    older = [
        {**row, "name": "Old", "updated_at": row["updated_at"].replace("2026-01-02", "2026-01-01")}
        for row in newest[50::100]
    ]
    refused, bad, filtered = newest[0::100], newest[1::100], newest[2::100]
    for row in refused:
        row["name"] = "x" * 41
    for row in bad:
        row["phone"] = "(415) CALL-NOW"
    for row in filtered:
        row["kind"] = "test"
    apart = [{row["id"] for row in rows} for rows in (refused, bad, filtered)]
    good = {row["id"]: _mapped(row) for row in newest if not any(row["id"] in keys for keys in apart)}
    return People([*older, *newest], good, *apart, older=len(older))


def _contact(number: int) -> Record:
    return {
        "id": f"c{number:05d}",
        "name": f" Contact {number} ",
        "phone": f"(415) 555-{number % 10000:04d}",
        "kind": "customer",
        "updated_at": f"2026-01-02T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}.{number:06d}Z",
    }


def _mapped(row: Record) -> Record:
    digits = "".join(character for character in row["phone"] if character.isdigit())
    return {"id": row["id"], "name": row["name"].strip(), "phone": f"+1{digits}"}
