"""The world that an expression sees: data, a few filters, tests and methods of text, and a budget.

Jinja's own sandbox stops escapes but not `'a' * 10**8`, `'%1000000000d' % 1` or a chain of `replace`. Here nothing is
available that is not listed, and everything that makes or walks through text is charged to the evaluation's budget.
An expression has no statements, so there are no loops but those over a record's own lists.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from types import BuiltinMethodType
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import ChainableUndefined, Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from airflow_provider_flux.mapping.kinds import kind

BUDGET = 5_000_000
"""Characters and items that one evaluation may produce and walk through."""

CALL = 25
"""What one call of a filter or test costs besides, for those that are called for every item of a list."""

_MOST_BITS = 4096
"""Largest integer that an operation may give: about 1,200 digits."""

METHODS = frozenset(
    {"strip", "lstrip", "rstrip", "lower", "upper", "title", "capitalize", "startswith", "endswith", "removeprefix"}
    | {"removesuffix", "split", "rsplit", "partition", "rpartition", "find", "count", "isdigit", "isalpha", "isalnum"}
)
"""Methods of text that an expression may call."""


class ExpressionError(ValueError):
    """An expression cannot be evaluated for this record; the message says why."""


class Missing(ChainableUndefined):
    """A field that the record does not have: null, until something needs a value."""

    @property
    def _undefined_message(self) -> str:
        return f"there is no field `{self._undefined_name}`"


class Evaluation(Context):
    """The state of one evaluation of an expression."""

    left: int = BUDGET

    def charge(self, *values: Any) -> None:
        """Pay for values that are read or made.

        :raises ExpressionError: when the budget is used up
        """
        for value in values:
            self.left -= len(value) if isinstance(value, (str, list, tuple, dict)) else 1
        if self.left < 0:
            raise ExpressionError(f"the expression handles more than {BUDGET:,} characters")

    def charge_text(self, length: int) -> None:
        """Pay for text before it is made."""
        self.left -= length
        self.charge()


Function = Callable[..., Any]


def metered(function: Function) -> Function:
    """A filter or test that is paid for: `function` takes the evaluation first, then the value."""

    @pass_context
    def paid(evaluation: Evaluation, value: Any, *args: Any, **kwargs: Any) -> Any:
        evaluation.charge_text(CALL)
        evaluation.charge(value, *args)
        result = function(evaluation, value, *args, **kwargs)
        evaluation.charge(result)
        return result

    return paid


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment without attributes of Python objects: a name after a dot is a field of the record."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    context_class = Evaluation

    def __init__(self, filters: dict[str, Function], tests: dict[str, Function]) -> None:
        # Not optimized: nothing is computed while compiling, where there is no budget.
        super().__init__(undefined=Missing, optimized=False, autoescape=False, cache_size=0)
        self.globals.clear()
        self.filters = {name: metered(function) for name, function in filters.items()}
        self.tests = {name: metered(function) for name, function in tests.items()}

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict):
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        if isinstance(obj, str) and attribute in METHODS:
            return getattr(str(obj), attribute)
        if obj is None or isinstance(obj, Undefined):
            return self.undefined(obj=obj, name=attribute)
        raise ExpressionError(f"{kind(obj)} has no field {attribute!r}")

    def getitem(self, obj: Any, argument: Any) -> Any:
        if obj is None or isinstance(obj, Undefined):
            return self.undefined(obj=obj, name=str(argument))
        listed = isinstance(obj, (list, tuple, str)) and isinstance(argument, (int, slice))
        if not listed and not (isinstance(obj, dict) and isinstance(argument, (str, int))):
            raise ExpressionError(f"{kind(obj)} has no entry that is found by {kind(argument)}")
        try:
            return obj[argument]
        except LookupError:
            return self.undefined(obj=obj, name=str(argument))

    def is_safe_callable(self, obj: Any) -> bool:
        return isinstance(obj, BuiltinMethodType) and type(obj.__self__) is str and obj.__name__ in METHODS

    # The names as Jinja has them: the arguments of the called method must not clash with ours.
    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        assert isinstance(__context, Evaluation)
        if isinstance(__obj, Undefined):
            return __obj  # a method of null gives null
        if not __self.is_safe_callable(__obj):
            raise ExpressionError(f"{name_of(__obj)} cannot be called")
        __context.charge(__obj.__self__)
        result = __obj(*args, **kwargs)
        __context.charge(result)
        return result

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        assert isinstance(context, Evaluation)
        if is_number(left) and is_number(right):
            _check_size(operator, left, right)
        elif operator == "+" and type(left) is type(right) and isinstance(left, (str, list)):
            context.charge(left, right)
        else:
            hint = "; use ~ to join text" if operator == "+" else ""
            raise ExpressionError(f"`{operator}` cannot be used with {name_of(left)} and {name_of(right)}{hint}")
        return self.binop_table[operator](left, right)


def name_of(value: Any) -> str:
    """As `kind`, for what may be missing."""
    return "a missing field" if isinstance(value, Undefined) else kind(value)


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _check_size(operator: str, left: Any, right: Any) -> None:
    """Refuse what would make an integer of millions of digits (`9**9**9`)."""
    if operator not in ("*", "**") or not (isinstance(left, int) and isinstance(right, int)):
        return
    bits = left.bit_length() * max(right, 0) if operator == "**" else left.bit_length() + right.bit_length()
    if bits > _MOST_BITS:
        raise ExpressionError(f"the result of `{operator}` is too large")
