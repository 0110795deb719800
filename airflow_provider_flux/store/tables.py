"""The tables of Flux's own store.

SQLAlchemy Core on the subset that 1.4 (Airflow 2.11) and 2.1 (Airflow 3.3) share. Instants are stored as text in UTC
(`2026-01-01T00:00:00.000000Z`), which sorts and reads the same on SQLite and PostgreSQL. A change here needs a
migration.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from airflow_provider_flux.store.text import LONGEST_KEY

metadata = MetaData()

# SQLite makes only an INTEGER primary key count up by itself. Numbers that people see (of runs and errors) are never
# given twice, even when their row is gone: sqlite_autoincrement.
_Id = BigInteger().with_variant(Integer, "sqlite")
_Instant = String(27)
# Compared with `<` in SQL and in Python: both by code point, whatever the locale of the database.
_Sorted = Text().with_variant(Text(collation="C"), "postgresql")
# A source key as `store.text.stored_key` makes it.
_Key = String(LONGEST_KEY).with_variant(String(LONGEST_KEY, collation="C"), "postgresql")


def _run() -> Column:  # type: ignore[type-arg]
    return Column("run", _Id, ForeignKey("flux_runs.id", ondelete="CASCADE"), nullable=False)


runs = Table(
    "flux_runs",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("flow", String(250), nullable=False),
    Column("run_id", String(250), nullable=False),
    Column("trigger", String(20), nullable=False),  # scheduled, manual, backfill, replay, retry, cli
    Column("replay_of", String(250)),  # run_id of the run whose failed records this one replays
    Column("state", String(20), nullable=False),  # running, succeeded, partial, failed, canceled
    Column("mapping", String(250), nullable=False),
    Column("mapping_version", Integer),  # resolved by the first transform of an epoch, kept by its retries
    Column("mapping_epoch", Integer),
    Column("window_fixed", Integer, nullable=False),  # 1 once the first read attempt has chosen the window
    Column("window_start", Text),
    Column("window_end", Text),
    Column("cursor_before", Text),
    Column("cursor_after", Text),
    Column("read", BigInteger),  # the buckets, written by settle
    Column("written", BigInteger),
    Column("skipped", BigInteger),
    Column("deduplicated", BigInteger),
    Column("failed", BigInteger),
    Column("held", BigInteger),
    Column("unsent", BigInteger),
    Column("error_stage", String(20)),  # the trace: one stage, what happened, what to do next
    Column("error_code", String(50)),
    Column("error_message", Text),
    Column("error_next_step", Text),
    Column("error_answer", Text),
    Column("started_at", _Instant, nullable=False),
    Column("ended_at", _Instant),
    Column("replay_what", Text),  # replay and retry: which records, in words
    Column("replay_payload", String(10)),  # stored or source: what was sent again
    Column("requested_by", String(250)),  # who asked for a replay
    Column("repeated", BigInteger),  # of skipped: an earlier run delivered it, or failed with it, as it is
    UniqueConstraint("flow", "run_id", name="flux_runs_run_id"),
    Index("flux_runs_started", "started_at"),
    # Holds only what is under way, or what housekeeping has to close.
    Index(
        "flux_runs_running",
        "flow",
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
    sqlite_autoincrement=True,
)

stages = Table(
    "flux_stages",
    metadata,
    Column("id", _Id, primary_key=True),
    _run(),
    Column("stage", String(20), nullable=False),  # read, transform, write
    Column("epoch", Integer, nullable=False),
    Column("input_epoch", Integer),  # epoch of the stage before whose files this one consumed
    Column("state", String(20), nullable=False),  # running, sealed, failed
    Column("records", BigInteger, nullable=False),  # lines staged by read and transform; records handled by write
    Column("batches", Integer, nullable=False),
    Column("sha256", String(64)),  # of the sealed manifest
    Column("cursor_max", Text),  # read: greatest cursor value seen inside the window
    Column("attempts", Integer, nullable=False),
    Column("error_code", String(50)),
    Column("error_message", Text),
    Column("error_next_step", Text),
    Column("error_answer", Text),
    Column("started_at", _Instant, nullable=False),
    Column("ended_at", _Instant),
    UniqueConstraint("run", "stage", "epoch", name="flux_stages_stage"),
)

# One row per write batch: recorded `sent` before its first byte, `acked` in one transaction with its outcomes.
batches = Table(
    "flux_batches",
    metadata,
    Column("run", _Id, ForeignKey("flux_runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("batch", Integer, primary_key=True, autoincrement=False),
    Column("sha256", String(64), nullable=False),
    Column("mapping_version", Integer),
    Column("state", String(10), nullable=False),  # sent, acked, stopped (fail_fast: a part of it is unsent)
    Column("sent_at", _Instant, nullable=False),
    Column("acked_at", _Instant),
    # Holds only what is under way or in doubt, so that finding it costs the same however many runs there were.
    Index("flux_batches_sent", "run", sqlite_where=text("state = 'sent'"), postgresql_where=text("state = 'sent'")),
    sqlite_with_rowid=False,
)

# The fate of every record, as ranges of ordinals: a record is (run, its place in the order of reading). A batch of 500
# good records is one row; the sum over `last - first + 1` counts records; an overlap is a fault that settle reports.
outcomes = Table(
    "flux_outcomes",
    metadata,
    Column("id", _Id, primary_key=True),
    _run(),
    Column("stage", String(20), nullable=False),  # transform, write
    Column("epoch", Integer, nullable=False),
    Column("batch", Integer, nullable=False),
    Column("bucket", String(20), nullable=False),  # written, skipped, deduplicated, failed, held
    Column("reason", String(50), nullable=False),  # filtered, newer delivered, ...; failed and held: the code
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Index("flux_outcomes_batch", "run", "stage", "epoch", "batch"),
)

errors = Table(
    "flux_errors",
    metadata,
    Column("id", _Id, primary_key=True),
    _run(),
    Column("flow", String(250), nullable=False),
    Column("stage", String(20), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("batch", Integer, nullable=False),
    Column("ordinal", BigInteger, nullable=False),
    Column("source_key", _Key),
    Column("source_version", _Sorted),
    Column("mapping_version", Integer),
    Column("state", String(20), nullable=False),  # see store.error_rows
    Column("code", String(50), nullable=False),
    Column("category", String(20), nullable=False),
    Column("field", Text),
    Column("source_path", Text),
    Column("transform", Text),
    Column("value", Text),
    Column("message", Text, nullable=False),
    Column("fingerprint", String(40), nullable=False),  # of its cause in flux_causes
    Column("payload", Text, nullable=False),  # the source record, as read (JSON)
    Column("sent", Text),  # the mapped record, as sent (JSON)
    Column("answer", Text),  # the destination's raw answer
    Column("occurred_at", _Instant, nullable=False),
    Column("resolved_at", _Instant),
    Column("resolved_by", String(250)),  # run_id of the run that delivered it
    Column("connector", String(100)),  # of the system at fault, or that the record came from
    Column("connection", String(250)),
    Column("mapping", String(100)),  # its name; `mapping_version` beside it
    Column("source_hash", String(40)),  # of the payload: tells whether a record without a version was mended
    Column("origin", _Id),  # the first error of this record's attempts; null in the first itself
    Column("attempt", Integer, nullable=False, server_default="1"),  # how often it was tried, this time included
    Column("rung", Integer, nullable=False, server_default="0"),  # automatic retries made before it
    Column("due_at", _Instant),  # retrying: when it is tried again
    Column("replay", String(250)),  # run_id of the replay that took this error last
    Column("replay_active", Integer, nullable=False, server_default="0"),  # 1 while that replay has it
    Column("corrected", Text),  # the payload as a person corrected it (JSON)
    Column("purged_at", _Instant),  # when its customer data was removed (housekeeping)
    Index("flux_errors_batch", "run", "epoch", "batch"),
    Index("flux_errors_key", "flow", "state", "source_key"),
    # Everything that counts, groups and pages errors by their causes: it reads nothing but this index.
    Index("flux_errors_found", "state", "fingerprint", "occurred_at", "id"),
    # Holds only second and later attempts: most errors have one.
    Index(
        "flux_errors_origin",
        "origin",
        sqlite_where=text("origin IS NOT NULL"),
        postgresql_where=text("origin IS NOT NULL"),
    ),
    # Holds only what a replay has or had.
    Index(
        "flux_errors_replay",
        "flow",
        "replay",
        "id",
        sqlite_where=text("replay IS NOT NULL"),
        postgresql_where=text("replay IS NOT NULL"),
    ),
    # Holds only records without a key, which are told apart by their content.
    Index(
        "flux_errors_content",
        "flow",
        "source_hash",
        sqlite_where=text("source_key IS NULL"),
        postgresql_where=text("source_key IS NULL"),
    ),
    # Holds only what waits for its next try.
    Index(
        "flux_errors_due",
        "flow",
        "due_at",
        sqlite_where=text("state = 'retrying'"),
        postgresql_where=text("state = 'retrying'"),
    ),
    # The first failure of every record, and every resolution: what metrics count, without touching the rows.
    Index(
        "flux_errors_opened",
        "occurred_at",
        "flow",
        "category",
        "state",
        "origin",  # SQLite asks for it although it is always null here
        sqlite_where=text("origin IS NULL"),
        postgresql_where=text("origin IS NULL"),
    ),
    Index(
        "flux_errors_resolved",
        "state",
        "resolved_at",
        "flow",
        "occurred_at",
        "origin",
        sqlite_where=text("state = 'resolved'"),
        postgresql_where=text("state = 'resolved'"),
    ),
    # Holds only what housekeeping has still to purge.
    Index(
        "flux_errors_kept",
        "occurred_at",
        sqlite_where=text("purged_at IS NULL"),
        postgresql_where=text("purged_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)

# What errors have in common, once: all that they are filtered and grouped by (see store.causes).
causes = Table(
    "flux_causes",
    metadata,
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

# What was delivered last for every source key: nothing older overwrites it, and it answers "where is my record".
links = Table(
    "flux_links",
    metadata,
    Column("flow", String(250), primary_key=True),
    Column("source_key", _Key, primary_key=True),
    Column("destination_key", Text),
    Column("version", _Sorted),  # canonical, see connectors.cursor; null where the source has none
    Column("hash", String(40), nullable=False),  # of the mapped record
    Column("deleted", Integer, nullable=False),
    Column("run_id", String(250), nullable=False),
    Column("delivered_at", _Instant, nullable=False),
    sqlite_with_rowid=False,
)

cursors = Table(
    "flux_cursors",
    metadata,
    Column("flow", String(250), primary_key=True),
    Column("value", _Sorted, nullable=False),
    Column("run_id", String(250), nullable=False),
    Column("moved_at", _Instant, nullable=False),
)

# What people decided about an error: corrected, approved, discarded, retried.
decisions = Table(
    "flux_decisions",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("error", _Id, ForeignKey("flux_errors.id", ondelete="CASCADE"), nullable=False),
    Column("action", String(20), nullable=False),  # edit, approve, discard, retry
    Column("decided_by", String(250), nullable=False),
    Column("decided_at", _Instant, nullable=False),
    Column("reason", Text),
    Column("before", Text),  # edit: the payload that was replaced (JSON)
    Index("flux_decisions_error", "error"),
)

# The health of every connection that a run has used.
connections = Table(
    "flux_connections",
    metadata,
    Column("connection", String(250), primary_key=True),
    Column("connector", String(100), nullable=False),
    Column("good_at", _Instant),  # the last good call
    Column("bad_at", _Instant),  # the last call that the system or the network refused
    Column("bad_kind", String(20)),  # auth, rate limit, outage, connection
    Column("bad_code", String(50)),
    Column("bad_message", Text),
    Column("disabled_at", _Instant),
    Column("disabled_by", String(250)),
    Column("disabled_reason", Text),
    sqlite_with_rowid=False,
)

# Versions of mappings that somebody promoted or retired; a version without a row is a draft. At most one of a name is
# active: what runs is its text as it was promoted, whatever becomes of the file.
mappings = Table(
    "flux_mappings",
    metadata,
    Column("name", String(250), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("state", String(10), nullable=False),  # draft (again), active, retired
    Column("digest", String(64)),
    Column("text", Text),
    Column("changed_at", _Instant, nullable=False),
    Index(
        "flux_mappings_active",
        "name",
        unique=True,
        sqlite_where=text("state = 'active'"),
        postgresql_where=text("state = 'active'"),
    ),
    sqlite_with_rowid=False,
)

mapping_changes = Table(
    "flux_mapping_changes",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", String(250), nullable=False),
    Column("version", Integer, nullable=False),
    Column("action", String(10), nullable=False),  # promote, retire
    Column("replaced", Integer),  # promote: the version that was active before
    Column("decided_by", String(250), nullable=False),
    Column("decided_at", _Instant, nullable=False),
    Column("reason", Text),
    Index("flux_mapping_changes_name", "name"),
)

# Shapes of the records that flows read: the one that the mapping was promoted on, and those of the last runs.
shapes = Table(
    "flux_shapes",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("flow", String(250), nullable=False),
    Column("source", String(64), nullable=False),  # digest of connection and object: flows that share it drift together
    Column("run_id", String(250), nullable=False),
    Column("baseline", Integer, nullable=False),  # 1: what later runs are compared with
    Column("records", Integer, nullable=False),  # looked at
    Column("shape", Text, nullable=False),
    Column("drift", Text),  # what the run saw changed: a JSON list of sentences
    Column("observed_at", _Instant, nullable=False),
    Column("purged_at", _Instant),  # the examples in it are gone
    Index("flux_shapes_flow", "flow", "source"),
    Index("flux_shapes_source", "source", "observed_at"),
)

# Tokens that were fetched or renewed; `token` is encrypted. One task at a time holds the lease to renew one.
tokens = Table(
    "flux_tokens",
    metadata,
    Column("connection", String(250), primary_key=True),
    Column("token", Text),
    Column("kept_at", _Instant),
    Column("lease_by", String(250)),
    Column("lease_until", _Instant),
    sqlite_with_rowid=False,
)

# Calls that tasks reserved of a connection's limits, as long as they count (see transport.ledger): one row per block of
# calls and limit. The instants are seconds since 1970 by the clock of the database.
pace = Table(
    "flux_pace",
    metadata,
    Column("connection", String(250), primary_key=True),
    Column("block", String(100), primary_key=True),
    Column("name", String(250), primary_key=True),  # of the limit
    Column("calls", Integer, nullable=False),
    Column("seconds", Float, nullable=False),  # the span of the limit
    Column("open", Integer, nullable=False),  # 1 while calls may be on their way
    Column("until", Float, nullable=False),  # when it stops to count; of an open one: had its process died
    sqlite_with_rowid=False,
)

# Calls per connection and hour, by how they ended.
calls = Table(
    "flux_calls",
    metadata,
    Column("connection", String(250), primary_key=True),
    Column("hour", String(13), primary_key=True),  # 2026-01-01T00
    Column("kind", String(20), primary_key=True),  # ok, auth, rate limit, outage, connection, refused
    Column("count", BigInteger, nullable=False),
    Column("last_at", _Instant, nullable=False),
    Column("last_message", Text),
    sqlite_with_rowid=False,
)
