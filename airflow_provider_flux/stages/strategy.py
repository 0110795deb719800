"""What becomes of a record that failed, as the flow's strategy for its error says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import msgspec

from airflow_provider_flux.errors import CATALOGUE, Disposition, RecordError, Stage
from airflow_provider_flux.flow.models import ErrorPolicy, FlowFile
from airflow_provider_flux.stages.records import ReadRecord
from airflow_provider_flux.store.rows import NewError


@dataclass(frozen=True)
class Decision:
    """The fate of a failed record.

    :param bucket: failed or held
    :param state: open (a person mends it), retrying (tried again by itself) or held (a person decides)
    :param due_in: retrying: how long until the next try
    """

    bucket: str
    state: str
    due_in: timedelta | None = None


_OPEN = Decision("failed", "open")
_HELD = Decision("held", "held")


def decide(policy: ErrorPolicy, code: str, rung: int) -> Decision:
    """The fate of a record that failed with an error code.

    :param rung: automatic retries of the record so far
    """
    disposition = CATALOGUE[code].disposition
    strategy = policy.strategy_for(code)
    if disposition is Disposition.HOLD or strategy == "review":
        return _HELD
    if strategy == "retry" and disposition is Disposition.RETRY:
        wait = policy.retry.wait(rung)
        if wait is not None:
            return Decision("failed", "retrying", wait)
    return _OPEN


def failed_record(
    flow: FlowFile,
    ordinal: int,
    record: ReadRecord,
    error: RecordError,
    stage: str,
    *,
    sent: str | None = None,
    tried: bool = True,
) -> tuple[str, NewError]:
    """The bucket and the error row of a record that failed.

    :param stage: the stage at fault; what could not be written is the destination's trouble, the rest the source's
    :param sent: the mapped record (JSON)
    :param tried: False for a retry that was called off: it counts for nothing, and waits as long as the last time
    """
    rung = record.rung if tried else max(0, record.rung - 1)
    decision = decide(flow.errors, error.code, rung)
    system = flow.destination if stage == Stage.WRITE else flow.source
    return decision.bucket, NewError(
        ordinal,
        record.key,
        record.version,
        error,
        payload=msgspec.json.encode(record.data).decode(),
        sent=sent,
        state=decision.state,
        stage=str(stage),
        connector=system.connector,
        connection=system.connection,
        replaces=record.error_id,
        rung=rung,
        due_in=decision.due_in,
    )
