"""What tasks on one connection share: its tokens and its pace."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Float, Index, Integer, String, Text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = BigInteger().with_variant(Integer(), "sqlite")
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
        Column("id", _ID, primary_key=True),
        Column("connection", String(250), nullable=False),
        Column("name", String(100), nullable=False),
        Column("holder", String(250), nullable=False),
        Column("calls", Integer, nullable=False),
        Column("taken_at", Float, nullable=False),
        Column("ended_at", Float),
        Index("flux_pace_connection", "connection", "name"),
    )
