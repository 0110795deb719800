"""One rule of a mapping as one function of a record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from airflow_provider_flux.errors import RecordError, preview
from airflow_provider_flux.mapping.expression import Expression
from airflow_provider_flux.mapping.paths import EACH, MISSING, join_step, parse_path, steps_getter, why_missing
from airflow_provider_flux.mapping.quick import quick_rule
from airflow_provider_flux.mapping.sandbox import ExpressionError
from airflow_provider_flux.mapping.spec import Rule, TransformUse
from airflow_provider_flux.mapping.transforms.base import Apply, Failure, Transform

Run = Callable[[Any], Any]
"""A record in, the value of the target field out. Raises RuleFailure."""

EXPRESSION = "expression"
"""What an error names as the transform when an expression fails."""


class RuleFailure(Exception):
    """A rule has no value for this record."""

    def __init__(self, error: RecordError) -> None:
        super().__init__(error.message)
        self.error = error


def _never_absent(_record: Any) -> Any:
    raise AssertionError("only paths can be missing")


class Origin(NamedTuple):
    """Where a rule's value comes from.

    :param get: the value of a record, MISSING where a path leads nowhere; raises Failure
    :param paths: the source fields that are read
    :param absent: called where `get` gave MISSING: null, or a Failure when the record has another shape than the path
    :param many: the value is a list whose items are transformed one by one
    """

    get: Run
    paths: tuple[str, ...]
    absent: Run = _never_absent
    many: bool = False


def path_origin(path: str) -> Origin:
    """:raises ValueError: when it is not a path"""
    steps = parse_path(path)
    get = steps_getter(steps)

    def absent(record: Any) -> None:
        problem = why_missing(steps, record)
        if problem is not None:
            raise Failure(f"Expected another shape: {problem}.")

    def get_many(record: Any) -> Any:
        values = get(record)
        if values is not MISSING and None in values:
            absent(record)
        return values

    canonical = ""
    for step in steps:
        canonical = join_step(canonical, step)
    many = EACH in steps
    return Origin(get_many if many else get, (canonical,), absent, many)


def paths_origin(paths: Sequence[str]) -> Origin:
    """Several paths as one list.

    :raises ValueError: when one is not a path
    """
    origins = [path_origin(path) for path in paths]

    def get(record: Any) -> list[Any]:
        values: list[Any] = []
        for origin in origins:
            value = origin.get(record)
            if value is MISSING:
                value = origin.absent(record)
            if origin.many and value is not None:
                values.extend(value)
            else:
                values.append(value)
        return values

    return Origin(get, tuple(path for origin in origins for path in origin.paths), many=True)


def expression_origin(text: str) -> Origin:
    """:raises ValueError: when it is not an expression"""
    expression = Expression(text)

    def read(record: Any) -> Any:
        try:
            return expression(record)
        except ExpressionError as error:
            message = str(error)
            raise Failure(f"The expression failed: {message.rstrip('.')}.", code="TRANSFORM_FAILED") from None

    return Origin(read, tuple(sorted(expression.paths)))


def constant_origin(value: Any) -> Origin:
    return Origin(lambda _record: value, ())


def compile_rule(rule: Rule, origin: Origin) -> Run:
    """The rule as a function. All that does not depend on the record is decided here."""
    applied = _applied(rule, origin.many)
    careful = _careful(rule, origin, applied)
    if rule.source is None or len(rule.source) > 1 or any(_is_aware(use) for use in rule.transforms):
        return careful
    return quick_rule(parse_path(rule.source[0]), tuple(step for step, _ in applied), careful)


def _careful(rule: Rule, origin: Origin, applied: list[tuple[Apply, Transform]]) -> Run:
    """The rule with all that a record may hold: what it means is said here, `quick_rule` only leaves out steps."""
    steps = tuple(step for step, _ in applied)
    transforms = dict(applied)
    fill_null = frozenset(step for step, transform in applied if transform.fills_null)
    aware = frozenset(step for (step, _), use in zip(applied, rule.transforms, strict=True) if _is_aware(use))
    get, absent = origin.get, origin.absent
    failed, without_value = _on_failure(rule, origin), _on_no_value(rule, origin)

    def run(record: Any) -> Any:
        step: Apply | None = None
        value = None
        try:
            value = get(record)
            if value is MISSING:
                value = absent(record)
            for step in steps:
                if value is not None or step in fill_null:
                    value = step(value, record) if step in aware else step(value)
        except Failure as failure:
            failed(failure, None if step is None else transforms[step], value)
            value = None
        if not value and (value is None or value == ""):
            return without_value(record)
        return value

    return run


def _applied(rule: Rule, many: bool) -> list[tuple[Apply, Transform]]:
    """The functions of the rule's transforms, in their order."""
    applied: list[tuple[Apply, Transform]] = []
    for use in rule.transforms:
        apply = use.transform.build(use.arguments)
        if many and use.transform.whole_list:
            many = False
        elif many:
            apply = _for_each(apply, use.transform.fills_null)
        applied.append((apply, use.transform))
    return applied


class _ItemFailure(Failure):
    """The failure of one item of a list."""

    def __init__(self, failure: Failure, item: Any) -> None:
        super().__init__(failure.message, failure.code)
        self.item = item


def _is_aware(use: TransformUse) -> bool:
    return bool(use.transform.record_paths(use.arguments))


def _for_each(apply: Apply, fills_null: bool) -> Apply:
    def one(item: Any, *record: Any) -> Any:
        try:
            return apply(item, *record) if item is not None or fills_null else None
        except Failure as failure:
            raise _ItemFailure(failure, item) from None

    def each(values: Any, *record: Any) -> Any:
        return [one(item, *record) for item in values] if isinstance(values, list) else one(values, *record)

    return each


def _on_failure(rule: Rule, origin: Origin) -> Callable[[Failure, Transform | None, Any], None]:
    """Raises the error of the record, or leaves the value out where the rule says so."""
    # A required field has nothing to leave out: the reason why its value was refused says more than "is missing".
    skip = rule.skip_invalid and not rule.required
    source_path = ", ".join(origin.paths) or None
    reader = EXPRESSION if rule.expression is not None else None

    def failed(failure: Failure, transform: Transform | None, value: Any) -> None:
        if skip:
            return
        offending = failure.item if isinstance(failure, _ItemFailure) else value
        raise RuleFailure(
            RecordError(
                code=failure.code or (transform.code if transform is not None else "INVALID_FORMAT"),
                message=failure.message,
                field=rule.target,
                source_path=source_path,
                transform=transform.name if transform is not None else reader,
                value=preview(offending) if transform is not None else None,
            )
        ) from None

    return failed


def _on_no_value(rule: Rule, origin: Origin) -> Run:
    """What stands where there is no value: the default, empty text, null, or an error."""
    if rule.default is not None and rule.default != "":
        return lambda _record: rule.default
    if rule.required:
        return _required(rule, origin)
    if rule.empty_for_null or rule.default == "":
        return lambda _record: ""
    return lambda _record: None


def _required(rule: Rule, origin: Origin) -> Run:
    getters = [steps_getter(parse_path(path)) for path in origin.paths] if rule.source is not None else []
    named = " and ".join(f"`{path}`" for path in origin.paths)

    def missing(record: Any) -> Any:
        if getters and all(get(record) is MISSING for get in getters):
            message = f"The record has no field {named}, and `{rule.target}` is required."
        elif getters:
            message = f"{named} has no value, and `{rule.target}` is required."
        else:
            message = f"`{rule.target}` is required and has no value."
        paths = ", ".join(origin.paths) or None
        raise RuleFailure(RecordError("REQUIRED_FIELD_MISSING", message, field=rule.target, source_path=paths))

    return missing
