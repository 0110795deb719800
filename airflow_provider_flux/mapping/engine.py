"""Mappings: compiled once per version, then applied to every record."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from collections.abc import Mapping as AnyMapping
from functools import partial
from typing import Any, NamedTuple

from airflow_provider_flux.errors import RecordError
from airflow_provider_flux.mapping.paths import parse_target, set_steps
from airflow_provider_flux.mapping.rules import (
    Origin,
    RuleFailure,
    Run,
    compile_rule,
    constant_origin,
    expression_origin,
    path_origin,
    paths_origin,
)
from airflow_provider_flux.mapping.spec import MappingFile, Rule
from airflow_provider_flux.mapping.targets import target_conflicts

Place = tuple[str | int, ...]
"""Where something stands in a mapping file: `("rules", 3, "transforms", 0)`."""


class MappingProblem(NamedTuple):
    """One thing that is wrong with a mapping file."""

    path: Place
    message: str


class MappingProblems(ValueError):
    """Everything that is wrong with a mapping file, beyond its shape."""

    def __init__(self, problems: Iterable[MappingProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{'.'.join(map(str, path))}: {message}" for path, message in self.problems))


class _Compiled(NamedTuple):
    target: str
    steps: tuple[str | int, ...]
    run: Run
    paths: tuple[str, ...]
    required: bool
    has_default: bool


class Mapping:
    """A compiled version of a mapping. Immutable; can be shared by threads."""

    def __init__(self, name: str, version: int, rules: tuple[_Compiled, ...]) -> None:
        self.name = name
        self.version = version
        self._rules = rules
        self._runs = tuple((rule.target, rule.run) for rule in rules)
        self._nested = any(len(rule.steps) > 1 or rule.steps[0] != rule.target for rule in rules)

    @property
    def label(self) -> str:
        """Name and version, as `contacts@1`."""
        return f"{self.name}@{self.version}"

    @property
    def rules(self) -> tuple[_Compiled, ...]:
        """The rules: what each reads, writes and requires."""
        return self._rules

    @property
    def targets(self) -> tuple[str, ...]:
        """The paths of the fields that it writes, in the order of the rules."""
        return tuple(rule.target for rule in self._rules)

    @property
    def source_paths(self) -> frozenset[str]:
        """The paths of the fields that it reads, those in expressions included as far as their text names them."""
        return frozenset(path for rule in self._rules for path in rule.paths)

    def __repr__(self) -> str:
        return f"<Mapping {self.label}>"

    def apply(self, record: AnyMapping[str, Any]) -> tuple[dict[str, Any], list[RecordError]]:
        """Map one record. Never raises for any record, and never changes it; the values may share parts with it.

        :return: the target record with every target field (null where there is no value), and all errors of the record;
            when there are errors the values must not be used
        """
        values: dict[str, Any] = {}
        errors: list[RecordError] = []
        for target, run in self._runs:
            try:
                values[target] = run(record)
            except RuleFailure as failure:
                errors.append(failure.error)
            except Exception as fault:  # noqa: BLE001 - a fault of ours must cost this record, not the run; it is recorded
                errors.append(_unexpected(target, fault))
        return (self._nest(values) if self._nested and not errors else values), errors

    def only(self, targets: Collection[str]) -> Mapping:
        """The same version with just the rules that write `targets`, for records of which only the key is needed.

        A rule that writes a part of a target, or the object that holds it, belongs to it.

        :raises ValueError: when no rule writes one of them
        """
        rules = {target: [rule for rule in self._rules if _overlap(rule.target, target)] for target in targets}
        if unknown := sorted(target for target, found in rules.items() if not found):
            raise ValueError(f"{self.label} does not write {', '.join(unknown)}")
        wanted = {id(rule) for found in rules.values() for rule in found}
        return Mapping(self.name, self.version, tuple(rule for rule in self._rules if id(rule) in wanted))

    def _nest(self, values: dict[str, Any]) -> dict[str, Any]:
        nested: dict[str, Any] = {}
        for rule in self._rules:
            set_steps(nested, rule.steps, values[rule.target])
        return nested


def _overlap(one: str, other: str) -> bool:
    """Whether two paths are the same, or one lies within the other."""
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def _unexpected(target: str, fault: Exception) -> RecordError:
    message = f"The rule failed in a way that Flux does not know: {type(fault).__name__}: {fault}"
    return RecordError("TRANSFORM_FAILED", message, field=target)


def compile_mapping(spec: MappingFile, name: str, version: int, country: str | None = None) -> Mapping:
    """Make the mapping of a file.

    :param country: of phone numbers and addresses, where neither they nor their rule name one
    :raises MappingProblems: every problem that the shape of the file does not show, with its place in the file
    """
    problems: list[MappingProblem] = []
    compiled: list[_Compiled] = []
    for number, rule in enumerate(spec.rules):
        result = _compile(rule.in_country(country) if country else rule, ("rules", number), problems)
        if result is not None:
            compiled.append(result)
    targets = [(number, rule.target) for number, rule in enumerate(spec.rules)]
    problems += [MappingProblem(("rules", number, "to"), message) for number, message in target_conflicts(targets)]
    if problems:
        raise MappingProblems(problems)
    return Mapping(name, version, tuple(compiled))


def _compile(rule: Rule, place: Place, problems: list[MappingProblem]) -> _Compiled | None:
    """The rule, compiled; None when something is wrong with it, which is added to `problems`."""
    before = len(problems)
    key, read = _origin(rule)
    try:
        origin = read()
    except ValueError as error:
        problems.append(MappingProblem((*place, key), str(error)))
    try:
        steps = parse_target(rule.target)
    except ValueError as error:
        problems.append(MappingProblem((*place, "to"), str(error)))
    if len(problems) > before:
        return None
    run = compile_rule(rule, origin)
    if key == "value" and (problem := _constant_problem(run, place)) is not None:
        problems.append(problem)
    more = tuple(path for use in rule.transforms for path in use.transform.record_paths(use.arguments))
    return _Compiled(rule.target, steps, run, origin.paths + more, rule.required, rule.default is not None)


def _origin(rule: Rule) -> tuple[str, Callable[[], Origin]]:
    """The key of the file that says where the value comes from, and what makes it ready."""
    if rule.expression is not None:
        return "expression", partial(expression_origin, rule.expression)
    if rule.source is None:
        return "value", partial(constant_origin, rule.value)
    if len(rule.source) == 1:
        return "from", partial(path_origin, rule.source[0])
    return "from", partial(_joined_origin, rule)


def _joined_origin(rule: Rule) -> Origin:
    assert rule.source is not None
    if not any(use.transform.whole_list for use in rule.transforms):
        raise ValueError("several paths need `concatenate` among the transforms, which makes one value of them")
    return paths_origin(rule.source)


def _constant_problem(run: Run, place: Place) -> MappingProblem | None:
    """A constant that a transform refuses would fail every record."""
    try:
        run({})
    except RuleFailure as failure:
        return MappingProblem((*place, "value"), f"the constant can never be written: {failure.error.message}")
    return None
