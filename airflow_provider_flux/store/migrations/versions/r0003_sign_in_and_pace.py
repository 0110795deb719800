"""What tasks on one connection share: its tokens and its pace."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Float, Integer, String, Text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_INSTANT = String(27)


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "flux_tokens",
        Column("connection", String(250), primary_key=True),
        Column("token", Text),
        Column("kept_at", _INSTANT),
        Column("lease_by", String(250)),
        Column("lease_until", _INSTANT),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "flux_pace",
        Column("connection", String(250), primary_key=True),
        Column("block", String(100), primary_key=True),
        Column("name", String(250), primary_key=True),
        Column("calls", Integer, nullable=False),
        Column("seconds", Float, nullable=False),
        Column("open", Integer, nullable=False),
        Column("until", Float, nullable=False),
        sqlite_with_rowid=False,
    )
