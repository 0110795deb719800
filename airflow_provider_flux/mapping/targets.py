"""Whether the target fields of a mapping fit into one record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from airflow_provider_flux.mapping.paths import parse_target

_Steps = tuple[str | int, ...]


class _Written(NamedTuple):
    number: int
    target: str
    step: str | int = ""

    def __str__(self) -> str:
        return f"`{self.target}` (rule {self.number + 1})"


def target_conflicts(targets: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Targets that are written twice, lie inside each other, or need a value to be an object and a list.

    :param targets: number of the rule, counted from 0, and its target; targets that are not paths are passed over
    :return: number of the rule and what is wrong with its target
    """
    whole: dict[_Steps, _Written] = {}
    inside: dict[_Steps, list[_Written]] = {}
    for number, target in targets:
        try:
            steps = parse_target(target)
        except ValueError:
            continue
        conflict = _conflict(steps, target, whole, inside)
        if conflict is not None:
            yield number, conflict
            continue
        whole[steps] = _Written(number, target)
        for length in range(1, len(steps)):
            inside.setdefault(steps[:length], []).append(_Written(number, target, steps[length]))
    yield from _gaps(inside)


def _conflict(
    steps: _Steps, target: str, whole: dict[_Steps, _Written], inside: dict[_Steps, list[_Written]]
) -> str | None:
    if steps in whole:
        return f"`{target}` is already written by rule {whole[steps].number + 1}"
    if steps in inside:
        return f"`{target}` would overwrite {inside[steps][0]}"
    for length in range(1, len(steps)):
        if steps[:length] in whole:
            return f"`{target}` lies inside {whole[steps[:length]]}, which is written as a whole"
        beside = inside.get(steps[:length])
        if beside and type(beside[0].step) is not type(steps[length]):
            return f"`{target}` and {beside[0]} need the same value to be an object and a list"
    return None


def _gaps(inside: dict[_Steps, list[_Written]]) -> Iterator[tuple[int, str]]:
    for entries in inside.values():
        positions = {entry.step for entry in entries if isinstance(entry.step, int)}
        for entry in entries:
            if isinstance(entry.step, int) and entry.step > 0 and entry.step - 1 not in positions:
                message = f"`{entry.target}` leaves a gap: position [{entry.step - 1}] of the list is not written"
                yield entry.number, message
