"""Batches of a system that takes one record in one call: what happens to the rest when one of them fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from airflow_provider_flux.connectors.contract import Verdict, WriteItem, Written
from airflow_provider_flux.errors import FluxError, OutcomeUnknown, RecordError

# Codes that, when every record of a batch has the same one, are not about the records.
_ABOUT_THE_SYSTEM = frozenset(
    {
        "AUTHENTICATION_FAILED", "PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED", "DESTINATION_OUTAGE", "CONNECTION_TIMEOUT",
        "PAYLOAD_MISMATCH",
    }
)  # fmt: skip

# Records of a batch in a row whose answer was lost: then the rest is not sent, and waits until the system is well.
_MOST_IN_DOUBT = 2


def write_each(
    items: Sequence[WriteItem], write: Callable[[WriteItem], Verdict], *, idempotent: bool, can_find: bool
) -> list[Verdict]:
    """One verdict per item, in order, each written by a call of its own.

    :param write: writes one record; raises FluxError for what keeps every record from being stored
    :param idempotent: whether the whole batch may be sent again
    :param can_find: whether the destination can tell afterwards what is there
    :raises OutcomeUnknown: a part may be stored, and `find` can tell which
    :raises FluxError: nothing was stored, or the batch may be sent again
    """
    verdicts: list[Verdict] = []
    in_doubt = 0  # in a row
    for item in items:
        try:
            verdicts.append(write(item))
            in_doubt = 0
        except FluxError as error:
            if idempotent or len(items) == 1 or (not verdicts and not isinstance(error, OutcomeUnknown)):
                raise
            if can_find:
                # A part of the batch may be stored: the next attempt asks which.
                raise OutcomeUnknown(error.code, error.message, answer=error.answer) from None
            # What was stored before this record must not be sent again, so the error stays with the rest.
            verdicts.append(RecordError(error.code, error.message, answer=error.answer))
            in_doubt += 1
            if isinstance(error, OutcomeUnknown) and in_doubt < _MOST_IN_DOUBT:
                continue  # one answer that was lost says nothing about the next
            unsent = RecordError(
                "DESTINATION_OUTAGE", f"not sent, because the record before it failed: {error.message}"
            )
            return verdicts + [unsent] * (len(items) - len(verdicts))
    return verdicts


def raise_if_all_alike(verdicts: Sequence[Verdict]) -> None:
    """A batch whose records all failed for a reason that is not theirs has failed as a whole.

    :raises FluxError: with that reason
    """
    first = verdicts[0] if verdicts else Written()
    if not isinstance(first, RecordError) or first.code not in _ABOUT_THE_SYSTEM:
        return
    if all(isinstance(verdict, RecordError) and verdict.code == first.code for verdict in verdicts):
        raise FluxError(first.code, first.message, answer=first.answer, status=first.status)
