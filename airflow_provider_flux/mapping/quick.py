"""The common rule in a third of the time: a value at a short path that every transform accepts.

Nearly all rules of nearly all records are like this, and a mapping's cost is mostly that of the calls in between. The
functions here do a rule's work where it is plain; as soon as anything is not (no value, a refused value, another
shape) they begin anew with the careful function, which decides. So there is one place that knows what a rule means;
a property test compares both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_flux.mapping.paths import Step
from airflow_provider_flux.mapping.transforms.base import Apply, Failure

Run = Callable[[Any], Any]

_NOTHING: dict[Any, Any] = {}


def quick_rule(path: tuple[Step, ...], transforms: tuple[Apply, ...], careful: Run) -> Run:
    """A function that gives what `careful` gives.

    :param path: the rule's path; only one or two names are quick
    :param careful: the rule as a function of a record
    """
    if not 1 <= len(path) <= 2 or not all(isinstance(step, str) for step in path):
        return careful
    shape = _one_name if len(path) == 1 else _two_names
    return shape(path, transforms, careful)


def _one_name(path: tuple[Step, ...], transforms: tuple[Apply, ...], careful: Run) -> Run:
    (name,) = path

    def copy(record: Any) -> Any:
        return record.get(name) or careful(record)

    def run(record: Any) -> Any:
        value = record.get(name)
        try:
            for transform in transforms:
                if not value:
                    return careful(record)
                value = transform(value)
        except Failure:
            return careful(record)
        return value or careful(record)

    return run if transforms else copy


def _two_names(path: tuple[Step, ...], transforms: tuple[Apply, ...], careful: Run) -> Run:
    outer, inner = path

    def copy(record: Any) -> Any:
        try:
            return record.get(outer, _NOTHING).get(inner) or careful(record)
        except AttributeError:  # text or null where an object was expected
            return careful(record)

    def run(record: Any) -> Any:
        try:
            value = record.get(outer, _NOTHING).get(inner)
        except AttributeError:
            return careful(record)
        try:
            for transform in transforms:
                if not value:
                    return careful(record)
                value = transform(value)
        except Failure:
            return careful(record)
        return value or careful(record)

    return run if transforms else copy
