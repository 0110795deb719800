"""Paths into answers and request bodies: `paging.next.after`, `data[0].id`, `data[-1].id`, `links["next.page"]`.

A step is a name, or a list position that counts from 0, or from the end with a minus.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from typing import Any, Final

MISSING: Final[Any] = object()
"""What `get` returns for a path that is not there; `None` is a value."""

_STEP = re.compile(
    r"""\.?(?P<name>[^.\[\]"']+)|\[(?P<index>-?\d{1,6})\]|\[(?P<quote>["'])(?P<quoted>.+?)(?P=quote)\]"""
)


def check_path(path: str) -> str:
    """:raises ValueError: when the text is not a path"""
    steps(path)
    return path


def get(value: Any, path: str) -> Any:
    """What stands at a path, or MISSING.

    A name with dots in it (`@odata.nextLink`) is found too, where it stands at the top.
    """
    if isinstance(value, dict) and path in value:
        return value[path]
    for step in steps(path):
        value = _step_into(value, step)
        if value is MISSING:
            break
    return value


def place(body: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at a path of a request body, making the objects and lists on the way.

    :raises ValueError: when something else stands in the way
    """
    way = steps(path)
    here: Any = body
    for step, following in pairwise(way):
        found = _step_into(here, step)
        if found is MISSING:
            found = [] if isinstance(following, int) else {}
            _put(here, step, found, path)
        here = found
    _put(here, way[-1], value, path)


def reached(value: Any, path: str) -> tuple[str, Any]:
    """How far a path leads: its longest part that exists, and what stands there. For messages."""
    found = ""
    for step in steps(path):
        below = _step_into(value, step)
        if below is MISSING:
            break
        value = below
        found += f"[{step}]" if isinstance(step, int) else f".{step}" if found else step
    return found, value


@cache
def steps(path: str) -> tuple[str | int, ...]:
    """The names and positions that a path consists of.

    :raises ValueError: when the text is not a path
    """
    found: list[str | int] = []
    position = 0
    while match := _STEP.match(path, position):
        if position == 0 and match[0].startswith("."):
            break
        found.append(int(match["index"]) if match["index"] else match["quoted"] or match["name"])
        position = match.end()
        if path[position : position + 1] not in ("", ".", "["):
            break
    if not found or position != len(path):
        raise ValueError(f"{path!r} is not a path; write names joined by dots, and [n] for the n-th of a list from 0")
    return tuple(found)


def _step_into(value: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return value.get(step, MISSING) if isinstance(value, dict) else MISSING
    if isinstance(value, list) and -len(value) <= step < len(value):
        return value[step]
    return MISSING


def _put(container: Any, step: str | int, value: Any, path: str) -> None:
    if isinstance(step, int) and isinstance(container, list) and step == len(container):
        container.append(None)  # the place is made here and filled below
    fits = isinstance(step, str) if isinstance(container, dict) else _step_into(container, step) is not MISSING
    if not fits:
        raise ValueError(f"{path!r} does not fit into the body: {step!r} cannot stand in a {type(container).__name__}")
    container[step] = value
