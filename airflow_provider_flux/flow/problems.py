"""Pydantic's verdict on the content of a file, as findings for those who wrote the file.

Pydantic answers with its own jargon and with locations that contain the names of union members. Here each error becomes
one sentence with the path that stands in the file; of the members of a union only the one that was meant speaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from airflow_provider_flux.errors import preview
from airflow_provider_flux.flow.model_path import Located, key_names, locate
from airflow_provider_flux.flow.suggest import allowed, nearest
from airflow_provider_flux.flow.yaml_file import Where


@dataclass(frozen=True)
class Finding:
    """Something wrong at a path of a file.

    :param on_key: the key is at fault, not its value
    :param incomplete: more keys could mend it: a required one is missing, or a block of keys as a whole is not right
    """

    path: Where
    message: str
    on_key: bool = False
    incomplete: bool = False


# What a value should have been, by the type of pydantic's error.
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "keys with values",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
    "date_type": "a date such as 2026-01-31",
    "date_parsing": "a date such as 2026-01-31",
    "date_from_datetime_parsing": "a date such as 2026-01-31",
    "date_from_datetime_inexact": "a date such as 2026-01-31",
    "datetime_type": "a time such as 2026-01-31T12:00:00Z",
    "datetime_parsing": "a time such as 2026-01-31T12:00:00Z",
    "datetime_from_date_parsing": "a time such as 2026-01-31T12:00:00Z",
    "none_required": "nothing",
    "bytes_type": "text",
    "url_type": "an address such as https://example.com",
    "url_parsing": "an address such as https://example.com",
}

# Sentences with pydantic's own context, by the type of its error.
_LIMITS = {
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be {le} or less",
    "multiple_of": "must be a multiple of {multiple_of}",
    "finite_number": "must be a finite number",
    "string_too_long": "must have {max_length} characters or fewer",
    "string_pattern_mismatch": "must have the form {pattern}",
    "too_long": "must have {max_length} entries or fewer, has {actual_length}",
}


def explain(error: ValidationError, model: type[BaseModel], data: Any) -> list[Finding]:
    """One finding per fault, in the order of the file's model.

    :param error: what `model.model_validate(data)` raised
    """
    errors = [
        _Fault(locate(model, entry["loc"], data, missing=entry["type"] == "missing"), entry)
        for entry in error.errors(include_url=False)
    ]
    misspelt = {meant for fault in errors if (meant := _meant_key(fault)) is not None}
    groups = [group for group in _meant(errors) if not (group[0].missing and group[0].at.path in misspelt)]
    return list(dict.fromkeys(_finding(group) for group in groups))


@dataclass(frozen=True)
class _Fault:
    at: Located
    entry: Any

    @property
    def expected(self) -> str | None:
        return _EXPECTED.get(self.entry["type"])

    @property
    def missing(self) -> bool:
        return bool(self.entry["type"] == "missing")

    @property
    def hides(self) -> bool:
        """Whether the value stays out of the sentence: text where keys were expected may be a password."""
        return self.expected in ("keys with values", "a list")


def _meant_key(fault: _Fault) -> Where | None:
    """The path that an unknown key was probably meant to have: nobody needs to hear that it is missing, too."""
    if fault.entry["type"] != "extra_forbidden" or fault.at.owner is None:
        return None
    near = nearest(fault.at.path[-1], key_names(fault.at.owner))
    return None if near is None else (*fault.at.path[:-1], near)


def _meant(faults: Sequence[_Fault]) -> list[list[_Fault]]:
    """The faults, each alone, except that those of the members of one union are judged together.

    A value that fits no member by its kind is one group: "write text or a list". Otherwise the member with the right
    kind of value, and among those the one with the fewest faults, is what the writer meant; the others are silent.
    """
    groups: list[list[_Fault]] = []
    unions: dict[Where, dict[str, list[_Fault]]] = {}
    for fault in faults:
        if fault.at.union is None:
            groups.append([fault])
            continue
        if fault.at.union not in unions:
            groups.append([])  # keeps the place in the order; filled below
            unions[fault.at.union] = {}
        unions[fault.at.union].setdefault(fault.at.member, []).append(fault)
    chosen = iter([_choose(path, members) for path, members in unions.items()])
    flat: list[list[_Fault]] = []
    for group in groups:
        flat.extend([group] if group else next(chosen))
    return flat


def _choose(union: Where, members: dict[str, list[_Fault]]) -> list[list[_Fault]]:
    of_right_kind = [
        found for found in members.values() if not any(f.expected is not None and f.at.path == union for f in found)
    ]
    if not of_right_kind:
        return [[fault for found in members.values() for fault in found if fault.at.path == union]]
    return [[fault] for fault in min(of_right_kind, key=len)]


def _finding(group: Sequence[_Fault]) -> Finding:
    fault = group[0]
    path, entry = fault.at.path, fault.entry
    if fault.expected is not None:
        *first, last = dict.fromkeys(f.expected for f in group if f.expected)
        expected = f"{', '.join(first)} or {last}" if first else last
        if fault.at.key_of_table:
            return Finding(path, f"the key must be {expected}", on_key=True)
        return Finding(path, f"write {expected}, not {_kind(entry['input'], hide=fault.hides)}")
    if fault.missing:
        return Finding(path, "is required", on_key=True, incomplete=True)
    if entry["type"] == "extra_forbidden":
        options = () if fault.at.owner is None else key_names(fault.at.owner)
        return Finding(path, f"unknown key.{allowed(path[-1], options)}", on_key=True)
    if entry["type"] == "union_tag_not_found":
        message = f"is required.{allowed('', fault.at.tags)}"
        return Finding((*path, _tag_name(entry)), message, on_key=True, incomplete=True)
    if entry["type"] == "union_tag_invalid":
        return Finding(
            (*path, _tag_name(entry)), _not_allowed(entry["ctx"]["tag"], _words(entry["ctx"]["expected_tags"]))
        )
    return Finding(path, _sentence(entry), incomplete=isinstance(entry["input"], dict))


def _sentence(entry: Any) -> str:
    kind, context, value = entry["type"], entry.get("ctx", {}), entry["input"]
    if kind == "value_error":
        return str(context["error"])
    if kind in ("literal_error", "enum"):
        return _not_allowed(value, _words(context["expected"]))
    if kind in _LIMITS:
        return _LIMITS[kind].format(**context) + ("" if kind == "too_long" else f", not {_kind(value)}")
    if kind in ("string_too_short", "too_short"):
        least = context["min_length"]
        unit = "characters" if kind == "string_too_short" else "entries"
        return "must not be empty" if least == 1 else f"must have {least} {unit} or more"
    message = str(entry["msg"])
    return message[:1].lower() + message[1:]


def _not_allowed(value: Any, options: Sequence[str]) -> str:
    return f"{_kind(value)} is not allowed.{allowed(value, options)}"


def _kind(value: Any, *, hide: bool = False) -> str:
    """The value in a sentence: shown where it is plain, else named by its kind."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "keys with values"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, (int, float)):
        return f"the number {preview(value, 40)}"
    return "text" if hide else f"'{preview(value, 60)}'"


def _words(expected: str) -> list[str]:
    """`"'a', 'b' or 'c'"` of pydantic as a list."""
    return [word.strip().strip("'\"") for word in expected.replace(" or ", ", ").split(",")]


def _tag_name(entry: Any) -> str:
    return str(entry["ctx"]["discriminator"]).strip("'")


def key_findings(names: Iterable[str], known: Iterable[str], *, ignore: Iterable[str] = ()) -> list[Finding]:
    """A finding for each of `names` that is neither in `known` nor in `ignore`."""
    options, silent = list(known), set(ignore)
    return [
        Finding((name,), f"unknown key.{allowed(name, options)}", on_key=True)
        for name in names
        if name not in options and name not in silent
    ]
