"""SQL for tests that look into a database beside Flux."""

from __future__ import annotations

from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool


def execute(url: str, statement: str) -> Any:
    """Run one statement and commit; the first value of its first row, where it has rows."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        return result.scalar() if result.returns_rows else None
