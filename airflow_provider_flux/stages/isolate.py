"""Finds the records that a destination answers with a fault of its own, so that they cost nobody else anything.

Many systems say HTTP 500 to a value that they did not expect: a permanent error that looks like an outage. A batch is
looked at again when the destination takes others: what gets through in smaller parts is delivered, and a record that
alone still gets the same answer is at fault.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from airflow_provider_flux.connectors.contract import Destination, Verdict, WriteItem, Written
from airflow_provider_flux.errors import FluxError, OutcomeUnknown, RecordError
from airflow_provider_flux.stages.deliver import Verdicts, deliver
from airflow_provider_flux.stages.fail_fast import Stops

log = logging.getLogger(__name__)

_MOST_CALLS = 200
"""For one batch: enough for twenty bad records among five hundred."""

_UNAVAILABLE = frozenset({502, 503, 504})
"""Server errors that are about the server, whatever was sent."""


def is_fault(error: FluxError) -> bool:
    """Whether what the destination answered to a batch may be about a record of it: a server error, or the unknown."""
    if error.code == "UNKNOWN":
        return True
    return error.code == "DESTINATION_OUTAGE" and (error.status or 0) >= 500 and error.status not in _UNAVAILABLE


def isolate(destination: Destination, items: Sequence[WriteItem], stops: Stops, *, works: bool) -> Verdicts:
    """Write what can be written of a batch that was answered with a fault, of which therefore nothing was stored.

    :param stops: nothing is sent after a record that failed with such a code
    :param works: whether the destination is known to take other records; if not, a few records alone must show it
    :raises OutcomeUnknown: as `deliver`
    :raises FluxError: the destination takes nothing, or has another trouble by now; nothing is stored, or it may be
        sent again
    """
    isolation = _Isolation(destination, items, stops)
    try:
        if not works:
            isolation.probe()
        isolation.halve()
    except OutcomeUnknown:
        raise
    except FluxError as error:
        if destination.idempotent or not any(isinstance(verdict, Written) for verdict in isolation.verdicts):
            raise
        isolation.break_off(error)
    log.info("looked for the records at fault among %d in %d calls", len(items), isolation.calls)
    return isolation.verdicts


class _Isolation:
    """The verdicts so far, and the calls that they took."""

    def __init__(self, destination: Destination, items: Sequence[WriteItem], stops: Stops) -> None:
        self._destination = destination
        self._items = items
        self._stops = stops
        self._ended = False
        self.verdicts: Verdicts = [None] * len(items)
        self.calls = 0

    def probe(self) -> None:
        """Send up to three records alone, until one of them brings a verdict.

        :raises FluxError: none did: the destination is down, and its records need not be looked at one by one
        """
        last = len(self._items) - 1
        fault: FluxError | None = None
        for place in sorted({0, last // 2, last}):
            fault = self._send([place])
            if fault is None:
                return
        assert fault is not None
        raise fault

    def halve(self) -> None:
        """Send the rest, from left to right, in halves of whatever is answered with a fault."""
        waiting = [[place for place, verdict in enumerate(self.verdicts) if verdict is None]]
        while waiting and not self._ended:
            part = waiting.pop()
            fault = self._send(part) if part else None
            if fault is None:
                continue
            if len(part) == 1:
                self._suspect(part[0])
            elif self.calls >= _MOST_CALLS:
                self._give_up([place for left in [part, *waiting] for place in left], fault)
                return
            else:
                waiting += [part[len(part) // 2 :], part[: len(part) // 2]]

    def break_off(self, error: FluxError) -> None:
        """Judge what has no verdict yet: what is stored must not be sent again, so the batch cannot be."""
        for place, verdict in enumerate(self.verdicts):
            if verdict is None:
                self._settle(place, RecordError(error.code, f"not sent: {error.message}", answer=error.answer))

    def _send(self, part: list[int]) -> FluxError | None:
        """The fault that was the answer, None when verdicts came.

        :raises FluxError: anything else
        """
        self.calls += 1
        try:
            verdicts = deliver(self._destination, [self._items[place] for place in part], self._stops)
        except FluxError as error:
            if not is_fault(error):
                raise
            return error
        for place, verdict in zip(part, verdicts, strict=True):
            self._settle(place, verdict)
        return None

    def _suspect(self, place: int) -> None:
        """Once more, alone: a fault may have been a passing one."""
        fault = self._send([place])
        if fault is not None:
            message = f"the destination takes other records, and answers this one with a fault: {fault.message}"
            self._settle(place, RecordError("UNKNOWN", message, answer=fault.answer, status=fault.status))

    def _settle(self, place: int, verdict: Verdict | None) -> None:
        self.verdicts[place] = verdict
        self._ended = self._ended or (isinstance(verdict, RecordError) and self._stops(verdict.code))

    def _give_up(self, places: list[int], fault: FluxError) -> None:
        message = f"one of {len(places)} records that were not looked at one by one, for too many are at fault: "
        for place in places:
            self._settle(place, RecordError(fault.code, message + fault.message, answer=fault.answer))
