"""Sends one batch to the destination and brings back one verdict per record. Runs in the write stage's threads."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_flux.connectors.contract import Destination, Verdict, WriteItem, Written
from airflow_provider_flux.errors import BatchRejected, FluxError, OutcomeUnknown, RecordError


def deliver(destination: Destination, items: Sequence[WriteItem]) -> list[Verdict]:
    """Write a batch; a batch that is refused as a whole is halved until the records at fault stand alone.

    :raises FluxError: nothing is known to be stored and a later try may do better, or no try can
    """
    if not items:
        return []
    try:
        verdicts = destination.write(items)
    except BatchRejected as rejected:
        if len(items) == 1:
            return [rejected.error]
        middle = len(items) // 2
        return deliver(destination, items[:middle]) + deliver(destination, items[middle:])
    except OutcomeUnknown as unknown:
        if destination.idempotent or destination.can_find:
            raise
        return [in_doubt(unknown)] * len(items)
    if len(verdicts) != len(items):
        raise FluxError("UNREADABLE_ANSWER", f"{len(items)} records were sent and {len(verdicts)} verdicts came back")
    return verdicts


def find_or_deliver(destination: Destination, items: Sequence[WriteItem]) -> list[Verdict]:
    """Write what an interrupted attempt did not get into the destination, and find the rest there."""
    found = destination.find(items)
    missing = [item for item, key in zip(items, found, strict=True) if key is None]
    sent = iter(deliver(destination, missing))
    return [Written(key) if key is not None else next(sent) for key in found]


def in_doubt(unknown: FluxError) -> RecordError:
    """The error of a record of which nobody knows whether it was stored."""
    return RecordError("OUTCOME_UNKNOWN", unknown.message, answer=unknown.answer)
