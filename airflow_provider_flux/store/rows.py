"""What goes into the store and comes out of it, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from airflow_provider_flux.errors import FluxError, RecordError

BUCKETS = ("written", "skipped", "deduplicated", "failed", "held", "unsent")
"""Where a record can end; `read` is their sum."""


@dataclass(frozen=True)
class Run:
    """A row of `flux_runs`. Counts are None until settle has written them."""

    id: int
    flow: str
    run_id: str
    trigger: str
    replay_of: str | None
    state: str
    mapping: str
    mapping_version: int | None
    mapping_epoch: int | None
    window_fixed: bool
    window_start: str | None
    window_end: str | None
    cursor_before: str | None
    cursor_after: str | None
    read: int | None
    written: int | None
    skipped: int | None
    deduplicated: int | None
    failed: int | None
    held: int | None
    unsent: int | None
    error_stage: str | None
    error_code: str | None
    error_message: str | None
    error_next_step: str | None
    error_answer: str | None
    started_at: str
    ended_at: str | None
    replay_what: str | None
    replay_payload: str | None
    requested_by: str | None
    repeated: int | None = None


@dataclass(frozen=True)
class StageRow:
    """A row of `flux_stages`."""

    id: int
    run: int
    stage: str
    epoch: int
    input_epoch: int | None
    state: str
    records: int
    batches: int
    sha256: str | None
    cursor_max: str | None
    attempts: int
    error_code: str | None
    error_message: str | None
    error_next_step: str | None
    error_answer: str | None
    started_at: str
    ended_at: str | None


@dataclass(frozen=True)
class Outcome:
    """A bucket for the records `first`..`last` (ordinals, inclusive)."""

    bucket: str
    reason: str
    first: int
    last: int


class Link(NamedTuple):
    """What was delivered last for a source key.

    :param version: canonical text (see `connectors.cursor`), None where the source has none
    :param hash: of the mapped record
    """

    # Made for every record of every run: a tuple takes a quarter of the time of a frozen dataclass.

    source_key: str
    destination_key: str | None
    version: str | None
    hash: str
    deleted: bool = False


@dataclass(frozen=True)
class NewError:
    """A failed or held record on its way into the store.

    :param payload: the source record, as read (JSON)
    :param sent: the mapped record, as sent (JSON)
    :param state: open, retrying or held (see `store.error_rows`)
    :param stage: the stage at fault, where it is not the one that records it
    :param connector: of the system at fault, or that the record came from
    :param connection: its Airflow connection
    :param replaces: number of the error that a replay took the record from
    :param rung: automatic retries of this record so far
    :param due_in: retrying: how long until the next one
    """

    ordinal: int
    source_key: str | None
    source_version: str | None
    error: RecordError
    payload: str
    sent: str | None = None
    state: str = "open"
    stage: str | None = None
    connector: str | None = None
    connection: str | None = None
    replaces: int | None = None
    rung: int = 0
    due_in: timedelta | None = None


@dataclass(frozen=True)
class ErrorRow:
    """A row of `flux_errors`, with the run_id of its run."""

    id: int
    run: int
    run_id: str
    flow: str
    stage: str
    epoch: int
    batch: int
    ordinal: int
    source_key: str | None
    source_version: str | None
    mapping_version: int | None
    state: str
    code: str
    category: str
    field: str | None
    source_path: str | None
    transform: str | None
    value: str | None
    message: str
    fingerprint: str
    payload: str
    sent: str | None
    answer: str | None
    occurred_at: str
    resolved_at: str | None
    resolved_by: str | None
    connector: str | None
    connection: str | None
    mapping: str | None
    source_hash: str | None
    origin: int | None
    attempt: int
    rung: int
    due_at: str | None
    replay: str | None
    replay_active: int
    corrected: str | None
    purged_at: str | None = None


@dataclass(frozen=True)
class Decision:
    """What a person decided about an error.

    :param action: edit, approve, discard or retry
    :param before: edit: the payload that was replaced (JSON)
    """

    id: int
    error: int
    action: str
    decided_by: str
    decided_at: str
    reason: str | None
    before: str | None


@dataclass(frozen=True)
class Claim:
    """How many errors a replay has now."""

    flow: str
    run_id: str
    errors: int


@dataclass(frozen=True)
class Became:
    """How many errors of a run stand alike now.

    :param resolved_by: run_id of the run that delivered the records
    :param in_replay: a replay has them now
    :param due_at: when the first of them is tried again by itself
    """

    state: str
    resolved_by: str | None
    in_replay: bool
    count: int
    due_at: str | None


@dataclass(frozen=True)
class ErrorGroup:
    """Errors that share a code, a field and the like, counted."""

    count: int
    values: dict[str, Any]  # the grouped columns
    first_seen: str
    last_seen: str
    example: ErrorRow


@dataclass(frozen=True)
class Counts:
    """Outcomes counted from the store, apart from what read counted."""

    buckets: dict[str, int] = field(default_factory=dict)
    reasons: dict[tuple[str, str], int] = field(default_factory=dict)
    overlaps: tuple[tuple[int, int], ...] = ()  # ordinals that stand in more than one bucket


@dataclass(frozen=True)
class Trace:
    """Why a run failed: one stage, what happened, what to do next."""

    stage: str
    error: FluxError
