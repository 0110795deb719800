"""Which version of a mapping runs, who decided it, and the shapes of what flows read."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, String, Text, text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = BigInteger().with_variant(Integer(), "sqlite")
_INSTANT = String(27)


def upgrade() -> None:
    """Make the three tables."""
    op.create_table(
        "flux_mappings",
        Column("name", String(250), primary_key=True),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("state", String(10), nullable=False),
        Column("digest", String(64)),
        Column("text", Text),
        Column("changed_at", _INSTANT, nullable=False),
        Index(
            "flux_mappings_active",
            "name",
            unique=True,
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "flux_mapping_changes",
        Column("id", _ID, primary_key=True),
        Column("name", String(250), nullable=False),
        Column("version", Integer, nullable=False),
        Column("action", String(10), nullable=False),
        Column("replaced", Integer),
        Column("decided_by", String(250), nullable=False),
        Column("decided_at", _INSTANT, nullable=False),
        Column("reason", Text),
        Index("flux_mapping_changes_name", "name"),
    )
    op.create_table(
        "flux_shapes",
        Column("id", _ID, primary_key=True),
        Column("flow", String(250), nullable=False),
        Column("source", String(64), nullable=False),
        Column("run_id", String(250), nullable=False),
        Column("baseline", Integer, nullable=False),
        Column("records", Integer, nullable=False),
        Column("shape", Text, nullable=False),
        Column("drift", Text),
        Column("observed_at", _INSTANT, nullable=False),
        Column("purged_at", _INSTANT),
        Index("flux_shapes_flow", "flow", "source"),
        Index("flux_shapes_source", "source", "observed_at"),
    )
