"""From error to fix: attempts, claims and causes of errors, decisions of people, health of connections."""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Text, text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = BigInteger().with_variant(Integer(), "sqlite")
_INSTANT = String(27)


def upgrade() -> None:
    """Add columns to runs and errors, and make the new tables."""
    for column in (
        Column("replay_what", Text),
        Column("replay_payload", String(10)),
        Column("requested_by", String(250)),
        Column("repeated", BigInteger),
    ):
        op.add_column("flux_runs", column)
    added: tuple[Column[Any], ...] = (
        Column("connector", String(100)),
        Column("connection", String(250)),
        Column("mapping", String(100)),
        Column("source_hash", String(40)),
        Column("origin", _ID),
        Column("attempt", Integer, nullable=False, server_default="1"),
        Column("rung", Integer, nullable=False, server_default="0"),
        Column("due_at", _INSTANT),
        Column("replay", String(250)),
        Column("replay_active", Integer, nullable=False, server_default="0"),
        Column("corrected", Text),
        Column("purged_at", _INSTANT),
    )
    for of_errors in added:
        op.add_column("flux_errors", of_errors)
    retrying = text("state = 'retrying'")
    op.create_index(
        "flux_errors_due", "flux_errors", ["flow", "due_at"], sqlite_where=retrying, postgresql_where=retrying
    )
    running = text("state = 'running'")
    op.create_index("flux_runs_running", "flux_runs", ["flow"], sqlite_where=running, postgresql_where=running)
    for name, columns, condition in (
        ("flux_errors_origin", ["origin"], "origin IS NOT NULL"),
        ("flux_errors_replay", ["flow", "replay", "id"], "replay IS NOT NULL"),
        ("flux_errors_content", ["flow", "source_hash"], "source_key IS NULL"),
        ("flux_errors_opened", ["occurred_at", "flow", "category", "state", "origin"], "origin IS NULL"),
        ("flux_errors_resolved", ["state", "resolved_at", "flow", "occurred_at", "origin"], "state = 'resolved'"),
        ("flux_errors_kept", ["occurred_at"], "purged_at IS NULL"),
    ):
        op.create_index(name, "flux_errors", columns, sqlite_where=text(condition), postgresql_where=text(condition))
    op.drop_index("flux_errors_fingerprint", "flux_errors")
    op.create_index("flux_errors_found", "flux_errors", ["state", "fingerprint", "occurred_at", "id"])
    _causes()
    _decisions()
    _connections()
    _calls()


def _causes() -> None:
    op.create_table(
        "flux_causes",
        Column("fingerprint", String(40), primary_key=True),
        Column("flow", String(250), nullable=False),
        Column("stage", String(20), nullable=False),
        Column("code", String(50), nullable=False),
        Column("category", String(20), nullable=False),
        Column("field", Text),
        Column("source_path", Text),
        Column("transform", Text),
        Column("connector", String(100)),
        Column("mapping", String(100)),
        sqlite_with_rowid=False,
    )
    # Errors from before have the fingerprint of fewer columns, and keep it.
    op.execute(
        """
        INSERT INTO flux_causes (fingerprint, flow, stage, code, category, field, source_path, transform)
        SELECT fingerprint, min(flow), min(stage), min(code), min(category), min(field), min(source_path),
            min(transform)
        FROM flux_errors GROUP BY fingerprint
        """
    )


def _decisions() -> None:
    op.create_table(
        "flux_decisions",
        Column("id", _ID, primary_key=True),
        Column("error", _ID, ForeignKey("flux_errors.id", ondelete="CASCADE"), nullable=False),
        Column("action", String(20), nullable=False),
        Column("decided_by", String(250), nullable=False),
        Column("decided_at", _INSTANT, nullable=False),
        Column("reason", Text),
        Column("before", Text),
        Index("flux_decisions_error", "error"),
    )


def _connections() -> None:
    op.create_table(
        "flux_connections",
        Column("connection", String(250), primary_key=True),
        Column("connector", String(100), nullable=False),
        Column("good_at", _INSTANT),
        Column("bad_at", _INSTANT),
        Column("bad_kind", String(20)),
        Column("bad_code", String(50)),
        Column("bad_message", Text),
        Column("disabled_at", _INSTANT),
        Column("disabled_by", String(250)),
        Column("disabled_reason", Text),
        sqlite_with_rowid=False,
    )


def _calls() -> None:
    op.create_table(
        "flux_calls",
        Column("connection", String(250), primary_key=True),
        Column("hour", String(13), primary_key=True),
        Column("kind", String(20), primary_key=True),
        Column("count", BigInteger, nullable=False),
        Column("last_at", _INSTANT, nullable=False),
        Column("last_message", Text),
        sqlite_with_rowid=False,
    )
