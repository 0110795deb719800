"""Finds the records at fault in a statement that the database refused, so that each costs only itself."""

from __future__ import annotations

from collections.abc import Callable

from airflow_provider_flux.connectors.sql.fault import Fault
from airflow_provider_flux.connectors.sql.plan import Step


class StatementRefused(Exception):
    """A statement was refused because of one of its records. Nothing of the statement was stored."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def isolate(step: Step, attempt: Callable[[Step], None]) -> dict[int, Fault]:
    """Write all rows of a step but those at fault; the fault of each of those, by item of the batch.

    Where the database names the row, the others are written first and that one alone after them: one more statement
    for each bad row. Where it does not, the rows are halved. Either way at most 2n statements for n rows.

    :param attempt: writes a step under a savepoint
    """
    faults: dict[int, Fault] = {}
    waiting = [step]
    while waiting:
        part = waiting.pop()
        try:
            attempt(part)
        except StatementRefused as refused:
            if len(part.rows) == 1:
                faults[part.indices[0]] = refused.fault
                continue
            suspects = _suspects(part, refused.fault)
            if suspects:
                waiting += [part.part([position]) for position in reversed(suspects)]
                others = [position for position in range(len(part.rows)) if position not in suspects]
            else:
                waiting.append(part.part(range(len(part.rows) // 2, len(part.rows))))
                others = list(range(len(part.rows) // 2))
            if others:
                waiting.append(part.part(others))
    return faults


def _suspects(step: Step, fault: Fault) -> list[int]:
    """Positions of the rows that the database's answer points to."""
    if fault.line is not None and 1 <= fault.line <= len(step.rows):
        return [fault.line - 1]
    if fault.column not in step.columns or fault.value is None:
        return []
    place = step.columns.index(fault.column)
    named = [position for position, row in enumerate(step.rows) if str(row[place]) == fault.value]
    if fault.code == "DUPLICATE_RECORD" and len(named) > 1:
        # The first of several equal ones may be the good one.
        return named[1:]
    return named
