"""The first tables: runs, stages, batches, outcomes, errors, links, cursors."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# A migration is frozen: it repeats what the tables were, and imports nothing that a later version may change.
_ID = BigInteger().with_variant(Integer(), "sqlite")
_INSTANT = String(27)
_SORTED = Text().with_variant(Text(collation="C"), "postgresql")
_KEY = String(500).with_variant(String(500, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    _runs()
    _stages()
    _batches()
    _outcomes()
    _errors()
    _links()
    _cursors()


def _runs() -> None:
    op.create_table(
        "flux_runs",
        Column("id", _ID, primary_key=True),
        Column("flow", String(250), nullable=False),
        Column("run_id", String(250), nullable=False),
        Column("trigger", String(20), nullable=False),
        Column("replay_of", String(250)),
        Column("state", String(20), nullable=False),
        Column("mapping", String(250), nullable=False),
        Column("mapping_version", Integer),
        Column("mapping_epoch", Integer),
        Column("window_fixed", Integer, nullable=False),
        Column("window_start", Text),
        Column("window_end", Text),
        Column("cursor_before", Text),
        Column("cursor_after", Text),
        Column("read", BigInteger),
        Column("written", BigInteger),
        Column("skipped", BigInteger),
        Column("deduplicated", BigInteger),
        Column("failed", BigInteger),
        Column("held", BigInteger),
        Column("unsent", BigInteger),
        Column("error_stage", String(20)),
        Column("error_code", String(50)),
        Column("error_message", Text),
        Column("error_next_step", Text),
        Column("error_answer", Text),
        Column("started_at", _INSTANT, nullable=False),
        Column("ended_at", _INSTANT),
        UniqueConstraint("flow", "run_id", name="flux_runs_run_id"),
        Index("flux_runs_started", "started_at"),
        sqlite_autoincrement=True,
    )


def _stages() -> None:
    op.create_table(
        "flux_stages",
        Column("id", _ID, primary_key=True),
        Column("run", _ID, ForeignKey("flux_runs.id", ondelete="CASCADE"), nullable=False),
        Column("stage", String(20), nullable=False),
        Column("epoch", Integer, nullable=False),
        Column("input_epoch", Integer),
        Column("state", String(20), nullable=False),
        Column("records", BigInteger, nullable=False),
        Column("batches", Integer, nullable=False),
        Column("sha256", String(64)),
        Column("cursor_max", Text),
        Column("attempts", Integer, nullable=False),
        Column("error_code", String(50)),
        Column("error_message", Text),
        Column("error_next_step", Text),
        Column("error_answer", Text),
        Column("started_at", _INSTANT, nullable=False),
        Column("ended_at", _INSTANT),
        UniqueConstraint("run", "stage", "epoch", name="flux_stages_stage"),
    )


def _batches() -> None:
    op.create_table(
        "flux_batches",
        Column("run", _ID, ForeignKey("flux_runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
        Column("epoch", Integer, primary_key=True, autoincrement=False),
        Column("batch", Integer, primary_key=True, autoincrement=False),
        Column("sha256", String(64), nullable=False),
        Column("mapping_version", Integer),
        Column("state", String(10), nullable=False),
        Column("sent_at", _INSTANT, nullable=False),
        Column("acked_at", _INSTANT),
        Index("flux_batches_sent", "run", sqlite_where=text("state = 'sent'"), postgresql_where=text("state = 'sent'")),
        sqlite_with_rowid=False,
    )


def _outcomes() -> None:
    op.create_table(
        "flux_outcomes",
        Column("id", _ID, primary_key=True),
        Column("run", _ID, ForeignKey("flux_runs.id", ondelete="CASCADE"), nullable=False),
        Column("stage", String(20), nullable=False),
        Column("epoch", Integer, nullable=False),
        Column("batch", Integer, nullable=False),
        Column("bucket", String(20), nullable=False),
        Column("reason", String(50), nullable=False),
        Column("first", BigInteger, nullable=False),
        Column("last", BigInteger, nullable=False),
        Index("flux_outcomes_batch", "run", "stage", "epoch", "batch"),
    )


def _errors() -> None:
    op.create_table(
        "flux_errors",
        Column("id", _ID, primary_key=True),
        Column("run", _ID, ForeignKey("flux_runs.id", ondelete="CASCADE"), nullable=False),
        Column("flow", String(250), nullable=False),
        Column("stage", String(20), nullable=False),
        Column("epoch", Integer, nullable=False),
        Column("batch", Integer, nullable=False),
        Column("ordinal", BigInteger, nullable=False),
        Column("source_key", _KEY),
        Column("source_version", _SORTED),
        Column("mapping_version", Integer),
        Column("state", String(20), nullable=False),
        Column("code", String(50), nullable=False),
        Column("category", String(20), nullable=False),
        Column("field", Text),
        Column("source_path", Text),
        Column("transform", Text),
        Column("value", Text),
        Column("message", Text, nullable=False),
        Column("fingerprint", String(40), nullable=False),
        Column("payload", Text, nullable=False),
        Column("sent", Text),
        Column("answer", Text),
        Column("occurred_at", _INSTANT, nullable=False),
        Column("resolved_at", _INSTANT),
        Column("resolved_by", String(250)),
        Index("flux_errors_batch", "run", "epoch", "batch"),
        Index("flux_errors_key", "flow", "state", "source_key"),
        Index("flux_errors_fingerprint", "fingerprint"),
        sqlite_autoincrement=True,
    )


def _links() -> None:
    op.create_table(
        "flux_links",
        Column("flow", String(250), primary_key=True),
        Column("source_key", _KEY, primary_key=True),
        Column("destination_key", Text),
        Column("version", _SORTED),
        Column("hash", String(40), nullable=False),
        Column("deleted", Integer, nullable=False),
        Column("run_id", String(250), nullable=False),
        Column("delivered_at", _INSTANT, nullable=False),
        sqlite_with_rowid=False,
    )


def _cursors() -> None:
    op.create_table(
        "flux_cursors",
        Column("flow", String(250), primary_key=True),
        Column("value", _SORTED, nullable=False),
        Column("run_id", String(250), nullable=False),
        Column("moved_at", _INSTANT, nullable=False),
    )
