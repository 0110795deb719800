"""What a rule of a mapping can write, as far as its file and the field that it reads tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from airflow_provider_flux.connectors.declare import FieldInfo
from airflow_provider_flux.mapping.spec import Rule

_LONGEST: Mapping[str, int] = {
    "phone_e164": 16,  # a plus and 15 digits (ITU-T E.164)
    "timezone": 35,
    "date_iso": 32,
    "hash": 128,
    "address_parse_country": 2,
    "boolean": 5,
}
"""Most characters of what a transform makes, whatever it is given."""

_KEEP = frozenset({"trim", "title", "email"})
"""Transforms that make nothing longer."""

_CASES: Mapping[str, Callable[[str], str]] = {"lowercase": str.lower, "uppercase": str.upper}


@dataclass(frozen=True)
class Outputs:
    """What a rule can write.

    :param values: every text that it may write; None where they are not known
    :param longest: most characters; None where that is not known
    :param chosen: the values stand in the mapping file, not in the source
    """

    values: frozenset[str] | None = None
    longest: int | None = None
    chosen: bool = False


def outputs(rule: Rule, source: FieldInfo | None) -> Outputs:
    """What the rule can write beside null.

    :param source: the field that it reads, where it reads just one and that one is known
    """
    found = _origin(rule, source)
    for use in rule.transforms:
        found = _after(found, use.name, use.arguments)
    return found if rule.default is None else _or(found, rule.default)


def _origin(rule: Rule, source: FieldInfo | None) -> Outputs:
    if rule.source is None and rule.expression is None:
        return _listed([rule.value])
    if source is None:
        return Outputs()
    if source.enum:
        return replace(_listed(source.enum), chosen=False)
    return Outputs(longest=source.max_length)


def _after(before: Outputs, name: str, arguments: Any) -> Outputs:
    """What comes out of a transform."""
    if name == "value_map":
        values = [*arguments.map.values()]
        if "default" in arguments.model_fields_set:
            values.append(arguments.default)
        return _listed(values)
    if name == "default":
        return _or(before, arguments.value)
    if name == "truncate":
        longest = arguments.length if before.longest is None else min(before.longest, arguments.length)
        return Outputs(longest=longest)
    if name in _CASES and before.values is not None:
        return replace(before, values=frozenset(map(_CASES[name], before.values)))
    if name in _KEEP or name in _CASES:
        return replace(before, values=before.values if name == "trim" else None)
    return Outputs(longest=_LONGEST.get(name))


def _or(before: Outputs, value: Any) -> Outputs:
    """That, or a constant."""
    more = _listed([value])
    values = None if before.values is None or more.values is None else before.values | more.values
    longest = None if before.longest is None or more.longest is None else max(before.longest, more.longest)
    return Outputs(values, longest, before.chosen)


def _listed(values: Any) -> Outputs:
    """Constants; numbers and booleans are not compared with texts."""
    constants = [value for value in values if value is not None]
    if not all(isinstance(value, str) for value in constants):
        return Outputs()
    return Outputs(frozenset(constants), max(map(len, constants), default=0), chosen=True)
