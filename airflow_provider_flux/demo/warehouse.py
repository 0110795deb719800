"""The demo's destination: a SQLite database with a strict `contacts` table."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

LONGEST_COMPANY = 60

_CONTACTS = f"""
CREATE TABLE contacts (
    crm_id     TEXT NOT NULL PRIMARY KEY,
    email      TEXT NOT NULL UNIQUE,
    phone      TEXT,
    first_name TEXT,
    last_name  TEXT,
    full_name  TEXT,
    company    VARCHAR({LONGEST_COMPANY}) CONSTRAINT company_length CHECK (length(company) <= {LONGEST_COMPANY}),
    stage      TEXT NOT NULL,
    score      REAL,
    updated_at TEXT NOT NULL
)
"""  # SQLite itself ignores the length of a VARCHAR, hence the CHECK.


def create(path: Path) -> None:
    """Make the database with its empty table, in place of any older one."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(_CONTACTS)


def count(path: Path) -> int:
    """The number of contacts, counted by the database itself."""
    with closing(sqlite3.connect(path)) as database:
        (number,) = database.execute("SELECT count(*) FROM contacts").fetchone()
    return int(number)
