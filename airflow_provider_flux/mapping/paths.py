"""Paths into records: `id`, `properties.email`, `addresses[0].city`, `tags[*]`, `properties["first.name"]`.

A step is a name, a list position (`[0]`, counting from 0) or `[*]` for every item of a list. A name that itself
holds a dot or a bracket is written in quotes and brackets.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from itertools import pairwise
from typing import Any, Final

from airflow_provider_flux.mapping.kinds import kind


class _Missing(Enum):
    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = _Missing.MISSING
"""What a getter gives when the record has no such field. A field that is null gives None."""


class _Each(Enum):
    EACH = "*"


EACH: Final = _Each.EACH
"""The step `[*]`."""

Step = str | int | _Each
Getter = Callable[[Any], Any]

_STEP = re.compile(
    r"""(?P<dot>\.)?(?P<name>[^.\[\]"']+)
      | \[(?P<index>\d{1,6})\]
      | (?P<each>\[\*\])
      | \[(?P<quote>["'])(?P<quoted>.+?)(?P=quote)\]""",
    re.VERBOSE | re.DOTALL,
)


def parse_path(path: str) -> tuple[Step, ...]:
    """The steps of a path.

    :raises ValueError: when it is not a path; the message says why
    """
    steps: list[Step] = []
    position = 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            raise ValueError(f"{path!r} is not a path: {_complaint(path, position)}")
        # Names are divided by dots: the first one has none, every later one has one.
        if match["name"] is not None and (match["dot"] is None) != (position == 0):
            raise ValueError(f"{path!r} is not a path: write a dot between names, and none at the start")
        steps.append(_step(match))
        position = match.end()
    if not steps:
        raise ValueError("a path cannot be empty")
    return tuple(steps)


def _step(match: re.Match[str]) -> Step:
    if match["index"] is not None:
        return int(match["index"])
    if match["each"] is not None:
        return EACH
    return match["name"] if match["name"] is not None else match["quoted"]


def _complaint(path: str, position: int) -> str:
    rest = path[position:]
    if rest.startswith("["):
        return f"{rest!r} should be a list position as [0], [*] for every item, or a quoted name as [\"a.b\"]"
    if rest.startswith("."):
        return "a name is missing after a dot"
    return f"{rest[0]!r} is not allowed in a name; quote the whole name as [\"...\"]"


def getter(path: str) -> Getter:
    """A function that reads `path` from a record: the value, or MISSING when the record has no such field.

    With `[*]` it gives a list with one entry per item, None where an item has no such field.

    :raises ValueError: when `path` is not a path
    """
    return steps_getter(parse_path(path))


def steps_getter(steps: tuple[Step, ...]) -> Getter:
    """As `getter`, for steps that are parsed already."""
    if EACH in steps:
        at = steps.index(EACH)
        return _each_getter(steps[:at], steps[at + 1 :])
    if all(isinstance(step, str) for step in steps):
        if len(steps) == 1:
            return _name_getter(steps[0])
        if len(steps) == 2:
            return _two_names_getter(steps[0], steps[1])
    return _general_getter(steps)


def _name_getter(name: Step) -> Getter:
    def get(record: Any) -> Any:
        try:
            return record.get(name, MISSING)
        except AttributeError:  # not an object: asking first would cost as much as the look-up
            return MISSING

    return get


def _two_names_getter(outer: Step, inner: Step) -> Getter:
    nothing: dict[Any, Any] = {}

    def get(record: Any) -> Any:
        try:
            return record.get(outer, nothing).get(inner, MISSING)
        except AttributeError:
            return MISSING

    return get


def _general_getter(steps: tuple[Step, ...]) -> Getter:
    def get(record: Any) -> Any:
        value = record
        for step in steps:
            if isinstance(value, dict) and isinstance(step, str):
                value = value.get(step, MISSING)
            elif isinstance(value, list) and isinstance(step, int):
                value = value[step] if step < len(value) else MISSING
            else:
                return MISSING
        return value

    return get


def _each_getter(before: tuple[Step, ...], after: tuple[Step, ...]) -> Getter:
    get_list = _general_getter(before)
    get_item = steps_getter(after) if after else None
    # In `orders[*].lines[*].sku` the inner list is laid flat: an order without lines adds nothing.
    flatten = EACH in after

    def get(record: Any) -> Any:
        items = get_list(record)
        if not isinstance(items, list):
            return MISSING
        if get_item is None:
            return list(items)
        values: list[Any] = []
        for item in items:
            value = get_item(item)
            if not flatten:
                values.append(None if value is MISSING else value)
            elif value is not MISSING:
                values.extend(value)
        return values

    return get


def why_missing(steps: tuple[Step, ...], value: Any, written: str = "") -> str | None:
    """Why a path gives nothing: words for a record of another shape, None when it just has no such field.

    A null, a missing name and a list that is too short are plain absence. Text where an object was expected is not:
    taking it for absence would quietly empty the field in the destination.

    :param value: the record, or the part of it that stands at `written`
    """
    for number, step in enumerate(steps):
        if value is None or value is MISSING:
            return None
        wanted, needed = (dict, "an object") if isinstance(step, str) else (list, "a list")
        if not isinstance(value, wanted):
            where = f"`{written}`" if written else "the record"
            return f"{where} is {kind(value)}, where the path needs {needed}"
        if step is EACH:
            problems = (
                why_missing(steps[number + 1 :], item, f"{written}[{index}]") for index, item in enumerate(value)
            )
            return next((problem for problem in problems if problem is not None), None)
        value = _general_getter((step,))(value)
        written = join_step(written, step)
    return None


def join_step(path: str, step: Step) -> str:
    """The path with one more step."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    if step is EACH:
        return f"{path}[*]"
    if re.search(r"[.\[\]\"']", step):
        quote = "'" if '"' in step else '"'
        return f"{path}[{quote}{step}{quote}]"
    return f"{path}.{step}" if path else step


def parse_target(path: str) -> tuple[str | int, ...]:
    """The steps of a path that is written to: it begins with a name and has no `[*]`.

    :raises ValueError: when it is not such a path
    """
    steps: list[str | int] = []
    for step in parse_path(path):
        if step is EACH:
            raise ValueError(f"{path!r} cannot be written: [*] stands for many items; write a position, as [0]")
        steps.append(step)
    if isinstance(steps[0], int):
        raise ValueError(f"{path!r} cannot be written: a target begins with the name of a field")
    return tuple(steps)


def set_path(target: dict[str, Any], path: str, value: Any) -> None:
    """Write `value` at `path`, making the objects and lists on the way.

    :raises ValueError: when `path` is not a target path, or leads through a value that is not an object or list
    """
    set_steps(target, parse_target(path), value)


def set_steps(target: dict[str, Any], steps: tuple[str | int, ...], value: Any) -> None:
    """As `set_path`, for steps that are parsed already."""
    container: Any = target
    for step, following in pairwise(steps):
        inside = _at(container, step)
        if inside is None:
            inside = [] if isinstance(following, int) else {}
            _put(container, step, inside)
        container = inside
    _put(container, steps[-1], value)


def _at(container: Any, step: str | int) -> Any:
    if isinstance(step, str) and isinstance(container, dict):
        return container.get(step)
    if isinstance(step, int) and isinstance(container, list):
        return container[step] if step < len(container) else None
    raise ValueError(f"{step!r} cannot be written inside {kind(container)}")


def _put(container: Any, step: str | int, value: Any) -> None:
    if isinstance(step, str) and isinstance(container, dict):
        container[step] = value
        return
    if isinstance(step, int) and isinstance(container, list):
        container.extend([None] * (step + 1 - len(container)))
        container[step] = value
        return
    raise ValueError(f"{step!r} cannot be written inside {kind(container)}")
