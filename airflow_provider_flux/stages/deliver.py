"""Sends one batch to the destination and brings back one verdict per record. Runs in the write stage's threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from airflow_provider_flux.connectors.contract import Destination, Verdict, WriteItem, Written
from airflow_provider_flux.errors import BatchRejected, FluxError, OutcomeUnknown, RecordError
from airflow_provider_flux.stages.fail_fast import Stops, never

Verdicts = list[Verdict | None]
"""One per record, in order; None for a record that was not sent, because one before it ended the run."""


def deliver(destination: Destination, items: Sequence[WriteItem], stops: Stops = never) -> Verdicts:
    """Write a batch; a batch that is refused as a whole is halved until the records at fault stand alone.

    :param stops: nothing is sent after a record that failed with such a code
    :raises OutcomeUnknown: it may be stored, and the destination can take it twice or can be asked
    :raises FluxError: nothing of it is stored, or the destination can take it twice
    """
    if not items:
        return []
    if destination.one_by_one and stops is not never and len(items) > 1:
        return _in_parts(destination, [[item] for item in items], stops)
    try:
        verdicts: Verdicts = [*destination.write(items)]
    except BatchRejected as rejected:
        if len(items) == 1:
            return [rejected.error]
        middle = len(items) // 2
        return _in_parts(destination, [items[:middle], items[middle:]], stops)
    except OutcomeUnknown as unknown:
        if destination.idempotent or destination.can_find:
            raise
        return [in_doubt(unknown)] * len(items)
    if len(verdicts) != len(items):
        raise FluxError("UNREADABLE_ANSWER", f"{len(items)} records were sent and {len(verdicts)} verdicts came back")
    return verdicts


def find_or_deliver(
    destination: Destination,
    items: Sequence[WriteItem],
    stops: Stops = never,
    findable: Callable[[WriteItem], bool] = lambda item: True,
) -> Verdicts:
    """Write what an interrupted attempt did not get into the destination, and find the rest there.

    :param findable: whether a look-up can tell of a record; of one without its keys nobody knows whether it arrived
    :raises OutcomeUnknown: the destination could not be asked, or as `deliver`: the batch is in doubt still
    :raises FluxError: nothing of it is stored
    """
    try:
        keys = destination.find(items)
    except FluxError as error:
        raise OutcomeUnknown(
            error.code,
            f"whether an interrupted write arrived is still not known: {error.message}",
            next_step=error.next_step,
            answer=error.answer,
            retry_after=error.retry_after,
        ) from None
    found = [_found(item, key, findable(item)) for item, key in zip(items, keys, strict=True)]
    missing = [item for item, written in zip(items, found, strict=True) if written is None]
    sent = iter(_rest(destination, missing, found, stops))
    return [written or next(sent) for written in found]


def ended(verdicts: Verdicts, stops: Stops) -> bool:
    """Whether a verdict ends the run."""
    return any(verdict is None or (isinstance(verdict, RecordError) and stops(verdict.code)) for verdict in verdicts)


def _in_parts(destination: Destination, parts: Sequence[Sequence[WriteItem]], stops: Stops) -> Verdicts:
    """Write a batch part by part, from left to right, as far as it may go."""
    verdicts: Verdicts = []
    for part in parts:
        if ended(verdicts, stops):
            verdicts += [None] * len(part)
        else:
            verdicts += _rest(destination, part, verdicts, stops)
    return verdicts


def _rest(
    destination: Destination, items: Sequence[WriteItem], before: Sequence[Verdict | None], stops: Stops
) -> Verdicts:
    """Write the rest of a batch of which a part has its verdicts.

    Once a part is stored in a destination that would double it, the batch must not be sent again: records that could
    not be sent then fail one by one, to be replayed.
    """
    try:
        return deliver(destination, items, stops)
    except OutcomeUnknown:
        raise
    except FluxError as error:
        if destination.idempotent or not any(isinstance(verdict, Written) for verdict in before):
            raise
        return [RecordError(error.code, f"not sent: {error.message}", answer=error.answer)] * len(items)


def _found(item: WriteItem, key: str | None, findable: bool) -> Verdict | None:
    """The verdict on a record of an interrupted write; None where it is to be sent."""
    if item.deleted:
        return None  # one that is there was not deleted, and deleting twice does no harm
    if key is not None:
        return Written(key)
    if findable:
        return None
    return RecordError("OUTCOME_UNKNOWN", "it was sent by an attempt that died, and holds no key to find it by")


def in_doubt(unknown: FluxError) -> RecordError:
    """The error of a record of which nobody knows whether it was stored."""
    return RecordError("OUTCOME_UNKNOWN", unknown.message, answer=unknown.answer)
