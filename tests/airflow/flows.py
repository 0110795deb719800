"""Small include folders for tests: contacts of one SQLite table into another."""

from __future__ import annotations

import sqlite3
from pathlib import Path

MAPPING = """\
rules:
  - {from: id, to: id, required: true}
  - {from: email, to: email, transforms: [trim, lowercase, email], required: true}
  - {from: updated_at, to: updated_at, transforms: [date_iso], required: true}
"""

FLOW = """\
description: |
  Contacts into the warehouse.
  Second line.
source:
  connector: sql
  connection: {source}
  table: contacts
  key: id
  cursor: {{field: updated_at}}
destination:
  connector: sql
  connection: {destination}
  table: contacts
  key: id
mapping: {mapping}
{more}"""


def flow_text(more: str = "", *, source: str = "src", destination: str = "dst", mapping: str = "contacts") -> str:
    """A flow file; `more` are further lines at its top level."""
    return FLOW.format(source=source, destination=destination, mapping=mapping, more=more)


def write_include(include: Path, flows: dict[str, str]) -> Path:
    """An include folder with the mapping `contacts` and these flows (id -> text)."""
    (include / "flows").mkdir(parents=True)
    (include / "mappings" / "contacts").mkdir(parents=True)
    (include / "mappings" / "contacts" / "v1.yaml").write_text(MAPPING)
    for flow_id, text in flows.items():
        (include / "flows" / f"{flow_id}.yaml").write_text(text)
    return include


def make_database(file: Path, rows: list[tuple[object, ...]]) -> Path:
    """A SQLite file with a table `contacts` (id, email, updated_at) that holds the rows."""
    database = sqlite3.connect(file)
    with database:
        database.execute("CREATE TABLE contacts (id INTEGER PRIMARY KEY, email TEXT, updated_at TEXT)")
        database.executemany("INSERT INTO contacts VALUES (?, ?, ?)", rows)
    database.close()
    return file


def contacts(count: int, bad: int = 0) -> list[tuple[object, ...]]:
    """Rows of which the first `bad` have an e-mail address that is none."""
    day = "2026-01-01T00:00:00Z"
    return [(n, "not an address" if n <= bad else f"User{n}@example.com", day) for n in range(1, count + 1)]


def read_contacts(file: Path) -> list[tuple[int, str]]:
    """What stands in the table, by id."""
    database = sqlite3.connect(file)
    rows = database.execute("SELECT id, email FROM contacts ORDER BY id").fetchall()
    database.close()
    return rows
