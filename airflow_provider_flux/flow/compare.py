"""Compares a valid flow with what the systems say of their fields. Nothing here makes a call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_flux.connectors.declare import Description, FieldInfo
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.errors import Problem
from airflow_provider_flux.flow.outputs import Outputs, outputs
from airflow_provider_flux.flow.problems import Finding
from airflow_provider_flux.flow.suggest import did_you_mean, listing
from airflow_provider_flux.flow.yaml_file import Document, Where
from airflow_provider_flux.mapping.engine import Mapping
from airflow_provider_flux.mapping.expression import Expression, compile_expression
from airflow_provider_flux.mapping.paths import parse_path
from airflow_provider_flux.mapping.spec import MappingFile, Rule

_CREATES = ("create", "upsert", "create_if_missing")


@dataclass(frozen=True)
class MappingRules:
    """A version of a mapping as its file has it, to point at its rules."""

    mapping: Mapping
    document: Document
    file: MappingFile


@dataclass
class Differences:
    """:param problems: what will fail every record, or records of a kind
    :param warnings: what may fail some
    """

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


class Fields:
    """The fields of an object, found by the paths that flows and mappings write."""

    def __init__(self, description: Description) -> None:
        self.description = description
        self._by_steps = {_names(one.name): one for one in description.fields}

    def get(self, path: str) -> FieldInfo | None:
        """The field of exactly that path."""
        return self._by_steps.get(_names(path))

    def has(self, path: str) -> bool:
        """Whether there is such a field, a part of one, or what holds one. A part of a field is not looked into."""
        steps = _names(path)
        return any(steps[: len(known)] == known or known[: len(steps)] == steps for known in self._by_steps)

    def unknown(self, path: str) -> str:
        """The sentence for a path that is no field."""
        names = [one.name for one in self.description.fields]
        return f"{self.description.object} has no field `{path}`.{did_you_mean(path, names)} It has: {listing(names)}."

    def missing(self, path: str) -> bool:
        """Whether it is certain that there is no such field."""
        return self.description.complete and not self.has(path)


def source_findings(options: SourceOptions, fields: Fields) -> list[Finding]:
    """Fields that the flow's source names and the system does not have."""
    return [Finding(where, fields.unknown(name)) for where, name in _named_by(options) if fields.missing(name)]


def filter_findings(condition: Expression, fields: Fields) -> list[str]:
    """A sentence for each field of the flow's filter that the system does not have."""
    return [fields.unknown(path) for path in sorted(condition.paths) if fields.missing(path)]


def reading_problems(rules: MappingRules, fields: Fields) -> list[Problem]:
    """Rules that read a field which the source does not have."""
    return [
        rules.document.problem(("rules", number, *place), fields.unknown(path))
        for number, rule in enumerate(rules.file.rules)
        for place, path in _read_by(rule)
        if fields.missing(path)
    ]


def writing_differences(
    rules: MappingRules, options: DestinationOptions, source: Fields | None, destination: Fields
) -> Differences:
    """Rules that write what the destination does not take."""
    found = Differences()
    keys = {key for keys in (options.key or (), *options.fallback_keys) for key in keys}
    for number, rule in enumerate(rules.file.rules):
        if destination.missing(rule.target):
            place = ("rules", number, "to")
            found.problems.append(rules.document.problem(place, destination.unknown(rule.target)))
        target = destination.get(rule.target)
        if target is not None:
            _compare(rules, number, target, _source_field(rule, source), found, is_key=rule.target in keys)
    return found


def never_written(rules: MappingRules, options: DestinationOptions, destination: Fields) -> list[str]:
    """A sentence for each field that a new record needs and the mapping never writes."""
    if options.mode not in _CREATES:
        return []
    written = [_names(target) for target in rules.mapping.targets]
    return [
        f"{destination.description.object} requires `{one.name}` in a new record, and mapping {rules.mapping.label} "
        "does not write it. Add a rule, or use `mode: update`."
        for one in destination.description.fields
        if one.required and not one.read_only and not _touched(_names(one.name), written)
    ]


def _compare(
    rules: MappingRules, number: int, target: FieldInfo, source: FieldInfo | None, found: Differences, *, is_key: bool
) -> None:
    """One rule and the field that it writes."""
    rule = rules.file.rules[number]
    if target.read_only and not is_key:
        message = f"`{target.name}` cannot be written: the system sets it itself. Remove the rule."
        found.problems.append(rules.document.problem(("rules", number, "to"), message))
        return
    possible = outputs(rule, source)
    where = _value_place(rule)
    if target.enum:
        _compare_values(rules, ("rules", number, *where), target, possible, found)
    if target.max_length is not None and target.type in ("string", "any"):
        _compare_length(rules, ("rules", number, *where), target, possible, found)
    if source is not None and source.enum:
        found.warnings += _unmapped(rules, number, source)


def _compare_values(
    rules: MappingRules, place: Where, target: FieldInfo, possible: Outputs, found: Differences
) -> None:
    wrong = sorted((possible.values or frozenset()) - {*target.enum, ""})
    if not wrong:
        return
    who = "the rule writes" if possible.chosen else "the source may have"
    near = did_you_mean(wrong[0], target.enum)
    message = f"{who} {_quoted(wrong)}, which `{target.name}` does not allow.{near} Allowed: {listing(target.enum)}."
    (found.problems if possible.chosen else found.warnings).append(rules.document.problem(place, message))


def _compare_length(
    rules: MappingRules, place: Where, target: FieldInfo, possible: Outputs, found: Differences
) -> None:
    most = target.max_length
    assert most is not None
    if possible.longest is not None and possible.longest <= most:
        return
    if possible.values is not None and possible.chosen:
        message = f"the rule writes {possible.longest} characters, and `{target.name}` takes at most {most}"
        found.problems.append(rules.document.problem(place, message))
        return
    length = "" if possible.longest is None else f" and the value may have {possible.longest}"
    message = (
        f"`{target.name}` takes at most {most} characters{length}: a longer value fails. "
        f"Add `truncate: {{length: {most}}}`."
    )
    found.warnings.append(rules.document.problem(place, message))


def _unmapped(rules: MappingRules, number: int, source: FieldInfo) -> Iterator[Problem]:
    """Values that the source has and a `value_map` without a default refuses."""
    transforms = rules.file.rules[number].transforms
    if not transforms or transforms[0].name != "value_map":
        return
    arguments: Any = transforms[0].arguments
    unnamed = sorted(set(source.enum) - {str(key) for key in arguments.map} - {""})
    if unnamed and "default" not in arguments.model_fields_set:
        message = f"the source may have {_quoted(unnamed)}, which the map does not name: such a record fails"
        yield rules.document.problem(("rules", number, "transforms", 0), message)


def _value_place(rule: Rule) -> Where:
    """The key of a rule that decides on its values."""
    for place, use in enumerate(rule.transforms):
        if use.name == "value_map":
            return ("transforms", place)
    return ("value",) if rule.source is None and rule.expression is None else ("to",)


def _source_field(rule: Rule, source: Fields | None) -> FieldInfo | None:
    """The field that a rule reads, where it is a single one."""
    if source is None or rule.source is None or len(rule.source) != 1 or "[" in rule.source[0]:
        return None
    return source.get(rule.source[0])


def _named_by(options: SourceOptions) -> Iterator[tuple[Where, str]]:
    if options.cursor is not None:
        yield ("cursor", "field"), options.cursor.field
    if options.version is not None:
        yield ("version",), options.version
    if options.deleted is not None:
        yield ("deleted", "field"), options.deleted.field
    for index, name in enumerate(options.key):
        yield (("key", index) if len(options.key) > 1 else ("key",)), name
    for key in ("fields", "columns"):
        for index, name in enumerate(getattr(options, key, None) or ()):
            yield (key, index), name


def _read_by(rule: Rule) -> Iterator[tuple[Where, str]]:
    """The source fields of a rule, with the key of the rule that names each."""
    for index, path in enumerate(rule.source or ()):
        yield (("from", index) if len(rule.source or ()) > 1 else ("from",)), path
    if rule.expression is not None:
        for path in sorted(compile_expression(rule.expression).paths):
            yield ("expression",), path
    for place, use in enumerate(rule.transforms):
        for path in use.transform.record_paths(use.arguments):
            yield ("transforms", place), path


def _touched(steps: tuple[str, ...], written: Iterable[tuple[str, ...]]) -> bool:
    return any(target[: len(steps)] == steps or steps[: len(target)] == target for target in written)


def _names(path: str) -> tuple[str, ...]:
    """The names in a path, without the positions in lists; a field's own name may be no path."""
    try:
        return tuple(step for step in parse_path(path) if isinstance(step, str))
    except ValueError:
        return (path,)


def _quoted(values: list[str]) -> str:
    return listing([f"`{value}`" for value in values])
