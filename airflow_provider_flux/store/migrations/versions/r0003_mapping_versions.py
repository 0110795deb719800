"""Versions of mappings, and what sources look like."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, String, Text, text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = BigInteger().with_variant(Integer(), "sqlite")
_INSTANT = String(27)


def upgrade() -> None:
    """Make the tables."""
    active = text("state = 'active'")
    op.create_table(
        "flux_mappings",
        Column("name", String(100), primary_key=True),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("state", String(10), nullable=False),
        Column("digest", String(64)),
        Column("text", Text),
        Column("changed_at", _INSTANT, nullable=False),
        Index("flux_mappings_active", "name", unique=True, sqlite_where=active, postgresql_where=active),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "flux_mapping_changes",
        Column("id", _ID, primary_key=True),
        Column("name", String(100), nullable=False),
        Column("version", Integer, nullable=False),
        Column("action", String(10), nullable=False),
        Column("changed_by", String(250), nullable=False),
        Column("changed_at", _INSTANT, nullable=False),
        Column("reason", Text),
        Index("flux_mapping_changes_name", "name"),
    )
    op.create_table(
        "flux_shapes",
        Column("id", _ID, primary_key=True),
        Column("flow", String(250), nullable=False),
        Column("run_id", String(250), nullable=False),
        Column("source", String(500), nullable=False),
        Column("mapping", String(100), nullable=False),
        Column("mapping_version", Integer),
        Column("records", BigInteger, nullable=False),
        Column("shape", Text, nullable=False),
        Column("observed_at", _INSTANT, nullable=False),
        Column("promoted", Integer, nullable=False),
        Index("flux_shapes_flow", "flow", "observed_at"),
        Index("flux_shapes_source", "source"),
    )
