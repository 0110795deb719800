"""The filters and tests of expressions.

Written here instead of taken from Jinja: there null becomes the text "None", and many filters can be made to fill the
memory (`center`, `format`, `indent`, `tojson(indent)`, ...). Null and missing fields stay null here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from jinja2.runtime import Undefined

from airflow_provider_flux.mapping.kinds import kind
from airflow_provider_flux.mapping.paths import MISSING, getter
from airflow_provider_flux.mapping.sandbox import Evaluation, ExpressionError, Function, is_number
from airflow_provider_flux.mapping.transforms.base import Failure, text_of
from airflow_provider_flux.mapping.transforms.names import title


def plain(value: Any) -> Any:
    """The value as data: a missing field is null, a tuple is a list."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return None if isinstance(value, Undefined) else value


def _absent(value: Any) -> bool:
    return value is None or isinstance(value, Undefined)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        return text_of(value)
    except Failure as failure:
        raise ExpressionError(failure.message) from None


def _items(value: Any) -> list[Any]:
    if _absent(value):
        return []
    if isinstance(value, (list, tuple)):
        return list(value)
    raise ExpressionError(f"{kind(value)} was found where a list is needed")


def _on_text(change: Callable[[str], Any]) -> Function:
    def apply(_evaluation: Evaluation, value: Any) -> Any:
        return None if _absent(value) else change(_text(value))

    return apply


def _join_texts(evaluation: Evaluation, values: Iterable[Any], separator: str) -> str:
    texts = []
    for value in values:
        text = _text(value)
        evaluation.charge_text(len(text) + len(separator))
        texts.append(text)
    return separator.join(texts)


def concat(evaluation: Evaluation, values: list[Any]) -> str:
    """`a ~ b`: null adds nothing."""
    return _join_texts(evaluation, (value for value in values if not _absent(value)), "")


def join(evaluation: Evaluation, value: Any, separator: str = "", attribute: str | None = None) -> str:
    items = _items(value) if attribute is None else map_(evaluation, value, attribute=attribute)
    return _join_texts(evaluation, (item for item in items if not _absent(item) and item != ""), _text(separator))


def replace(evaluation: Evaluation, value: Any, old: Any, new: Any) -> str | None:
    if _absent(value):
        return None
    text, old, new = _text(value), _text(old), _text(new)
    if not old:
        raise ExpressionError("`replace` needs a text to look for")
    evaluation.charge_text(text.count(old) * len(new))
    return text.replace(old, new)


def default(_evaluation: Evaluation, value: Any, other: Any = "", boolean: bool = False) -> Any:
    return other if _absent(value) or (boolean and not value) else value


def length(_evaluation: Evaluation, value: Any) -> int:
    if _absent(value):
        return 0
    if isinstance(value, (str, list, tuple, dict)):
        return len(value)
    raise ExpressionError(f"{kind(value)} has no length")


def first(_evaluation: Evaluation, value: Any) -> Any:
    return next(iter(_items(value)), None)


def last(_evaluation: Evaluation, value: Any) -> Any:
    return next(reversed(_items(value)), None)


def int_(_evaluation: Evaluation, value: Any, other: Any = None) -> Any:
    """The whole number; `other` for what is not a number."""
    return _number(int, value, other)


def float_(_evaluation: Evaluation, value: Any, other: Any = None) -> Any:
    """The number with decimals; `other` for what is not a number."""
    return _number(float, value, other)


def _number(read: type[int] | type[float], value: Any, other: Any) -> Any:
    if isinstance(value, str):
        try:
            return read(value.strip())
        except ValueError:
            # "12.0" is a whole number too, as JSON and people write it.
            return int(float(value)) if read is int and _is_float(value) else other
    return read(value) if is_number(value) else other


def _is_float(text: str) -> bool:
    try:
        return abs(float(text)) < 1e15
    except ValueError:
        return False


def round_(_evaluation: Evaluation, value: Any, digits: int = 0) -> Any:
    if _absent(value):
        return None
    if not is_number(value) or not isinstance(digits, int) or abs(digits) > 300:
        raise ExpressionError(f"{kind(value)} cannot be rounded")
    return round(value, digits) if digits else round(value)


def abs_(_evaluation: Evaluation, value: Any) -> Any:
    if is_number(value):
        return abs(value)
    if _absent(value):
        return None
    raise ExpressionError(f"{kind(value)} has no absolute value")


def sum_(evaluation: Evaluation, value: Any, attribute: str | None = None) -> Any:
    items = _items(value) if attribute is None else map_(evaluation, value, attribute=attribute)
    numbers = [item for item in items if not _absent(item)]
    for item in numbers:
        if not is_number(item):
            raise ExpressionError(f"{kind(item)} cannot be added up")
    return sum(numbers)


def list_(_evaluation: Evaluation, value: Any) -> list[Any]:
    return list(value) if isinstance(value, (str, dict)) else _items(value)


def min_(_evaluation: Evaluation, value: Any) -> Any:
    return min((item for item in _items(value) if not _absent(item)), default=None)


def max_(_evaluation: Evaluation, value: Any) -> Any:
    return max((item for item in _items(value) if not _absent(item)), default=None)


def sort(_evaluation: Evaluation, value: Any, reverse: bool = False) -> list[Any]:
    return sorted(_items(value), reverse=bool(reverse))


def unique(_evaluation: Evaluation, value: Any) -> list[Any]:
    seen: dict[Any, Any] = {}
    for item in _items(value):
        seen.setdefault((type(item), item), item)
    return list(seen.values())


def reverse(_evaluation: Evaluation, value: Any) -> Any:
    return value[::-1] if isinstance(value, str) else _items(value)[::-1]


def tojson(_evaluation: Evaluation, value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False, default=text_of)


def map_(evaluation: Evaluation, value: Any, name: Any = None, *args: Any, attribute: Any = None) -> list[Any]:
    """`map('lower')` applies a filter to each item, `map(attribute='a.b')` takes a field of each."""
    if attribute is not None:
        read = getter(_text(attribute))
        found = (read(item) for item in _items(value))
        return [None if item is MISSING else item for item in found]
    call = evaluation.environment.call_filter
    return [call(_text(name), item, args, context=evaluation) for item in _items(value)]


def _select(*, attributed: bool, keep: bool) -> Function:
    """`select('string')`, `selectattr('email', 'defined')` and their opposites."""

    def passes(evaluation: Evaluation, value: Any, test: Any, args: tuple[Any, ...]) -> bool:
        if test is None:
            return bool(value)
        return bool(evaluation.environment.call_test(_text(test), value, args, context=evaluation))

    def by_item(evaluation: Evaluation, value: Any, test: Any = None, *args: Any) -> list[Any]:
        return [item for item in _items(value) if passes(evaluation, item, test, args) is keep]

    def by_attribute(evaluation: Evaluation, value: Any, attribute: Any, test: Any = None, *args: Any) -> list[Any]:
        read = getter(_text(attribute))
        undefined = evaluation.environment.undefined

        def field(item: Any) -> Any:
            found = read(item)
            return undefined(name=_text(attribute)) if found is MISSING else found

        return [item for item in _items(value) if passes(evaluation, field(item), test, args) is keep]

    return by_attribute if attributed else by_item


CONCAT = "~"
"""Name of the filter that stands for the operator; the grammar does not let a person write it."""

FILTERS: dict[str, Function] = {
    CONCAT: concat,
    "abs": abs_,
    "capitalize": _on_text(str.capitalize),
    "count": length,
    "d": default,
    "default": default,
    "first": first,
    "float": float_,
    "int": int_,
    "join": join,
    "last": last,
    "length": length,
    "list": list_,
    "lower": _on_text(str.lower),
    "map": map_,
    "max": max_,
    "min": min_,
    "reject": _select(attributed=False, keep=False),
    "rejectattr": _select(attributed=True, keep=False),
    "replace": replace,
    "reverse": reverse,
    "round": round_,
    "select": _select(attributed=False, keep=True),
    "selectattr": _select(attributed=True, keep=True),
    "sort": sort,
    "string": _on_text(str),
    "sum": sum_,
    "title": _on_text(title),
    "tojson": tojson,
    "trim": _on_text(str.strip),
    "unique": unique,
    "upper": _on_text(str.upper),
}
"""Every filter by its name."""

TESTS: dict[str, Function] = {
    "boolean": lambda _, value: isinstance(value, bool),
    "defined": lambda _, value: not isinstance(value, Undefined),
    "undefined": lambda _, value: isinstance(value, Undefined),
    "none": lambda _, value: _absent(value),
    "number": lambda _, value: is_number(value),
    "string": lambda _, value: isinstance(value, str),
    "mapping": lambda _, value: isinstance(value, dict),
    "sequence": lambda _, value: isinstance(value, (list, tuple)),
    "true": lambda _, value: value is True,
    "false": lambda _, value: value is False,
    "in": lambda _, value, container: not _absent(container) and value in container,
    "eq": lambda _, value, other: value == other,
    "ne": lambda _, value, other: value != other,
    "lt": lambda _, value, other: value < other,
    "le": lambda _, value, other: value <= other,
    "gt": lambda _, value, other: value > other,
    "ge": lambda _, value, other: value >= other,
}
"""Every test by its name."""
