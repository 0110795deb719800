"""Finds the records at fault in a statement that the database refused, so that each costs only itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from airflow_provider_flux.connectors.sql.fault import Fault
from airflow_provider_flux.connectors.sql.plan import Step


class StatementRefused(Exception):
    """A statement was refused because of one of its records. Nothing of the statement was stored."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def isolate(step: Step, positions: Sequence[int], attempt: Callable[[Sequence[int]], None]) -> dict[int, Fault]:
    """Bring all these rows of a step through but those at fault; the fault of each of those, by position.

    Where the database names the row, the others are tried first and that one alone after them: one more statement for
    each bad row. Where it does not, the rows are halved. Either way at most 2n statements for n rows.

    :param attempt: sends the rows at some positions, all or none
    """
    faults: dict[int, Fault] = {}
    waiting = [list(positions)] if positions else []
    while waiting:
        part = waiting.pop()
        try:
            attempt(part)
        except StatementRefused as refused:
            if len(part) == 1:
                faults[part[0]] = refused.fault
                continue
            suspects = _suspects(step, part, refused.fault)
            if suspects:
                waiting += [[position] for position in reversed(suspects)]
                others = [position for position in part if position not in suspects]
            else:
                waiting.append(part[len(part) // 2 :])
                others = part[: len(part) // 2]
            if others:
                waiting.append(others)
    return faults


def _suspects(step: Step, part: Sequence[int], fault: Fault) -> list[int]:
    """Positions of the rows that the database's answer points to."""
    if fault.line is not None and 1 <= fault.line <= len(part):
        return [part[fault.line - 1]]
    if fault.column not in step.columns or fault.value is None:
        return []
    place = step.columns.index(fault.column)
    named = [position for position in part if str(step.rows[position][place]) == fault.value]
    if fault.code == "DUPLICATE_RECORD" and len(named) > 1:
        # The first of several equal ones may be the good one.
        return named[1:]
    return named
