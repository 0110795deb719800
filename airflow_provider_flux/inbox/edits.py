"""Changes one value of a record in place."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from airflow_provider_flux.mapping.paths import parse_path


def put(record: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at a path (`properties.email`, `lines[0].qty`), making objects on the way where there are none.

    :raises ValueError: when it is not the path of one value, or something else stands in the way
    """
    steps = parse_path(path)
    here: Any = record
    for step, following in pairwise(steps):
        below = _below(here, step, path)
        if below is None:
            if not isinstance(following, str):
                raise ValueError(f"'{path}' needs a list that the record does not have")
            below = {}
            here[step] = below
        here = below
    _below(here, steps[-1], path)
    here[steps[-1]] = value


def _below(container: Any, step: Any, path: str) -> Any:
    """What stands at a step, None for a name that is not there yet."""
    if isinstance(step, str) and isinstance(container, dict):
        return container.get(step)
    if isinstance(step, int) and isinstance(container, list):
        if step < len(container):
            return container[step]
        raise ValueError(f"'{path}' names item {step} of a list that has {len(container)}")
    if not isinstance(step, (str, int)):
        raise ValueError(f"'{path}' names every item of a list; name one, for example [0]")
    raise ValueError(f"'{path}' does not fit the record: {step!r} is asked of {type(container).__name__}")
