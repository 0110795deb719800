"""What a transform is: a name, typed arguments, and a function from one value to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from airflow_provider_flux.connectors.options import Model
from airflow_provider_flux.mapping.kinds import kind

Apply = Callable[..., Any]
"""One value in, one value out; the source record is a second argument where `record_paths` says so. Raises Failure."""


class Failure(Exception):
    """A value cannot be transformed.

    :param message: a sentence on what is wrong with the value, without the value itself (it is kept beside the message,
        and messages that are equal are counted together)
    :param code: a code of the catalogue, where it differs from the transform's own
    """

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class NoArguments(Model):
    """For a transform that has nothing to set."""


@dataclass(frozen=True)
class Example:
    """A value and what the transform makes of it. Printed in the docs and run as a test.

    :param fails: part of the message, for a value that is refused
    """

    value: Any
    result: Any = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    fails: str | None = None


def _nothing(_arguments: Any) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True)
class Transform:
    """The declaration of one transform.

    :param name: what a mapping file says
    :param summary: one line for the docs
    :param build: makes the function for the given arguments; called once, when the mapping is compiled
    :param arguments: model of the arguments
    :param code: the error code of a value that is refused
    :param whole_list: takes the list that `[*]` or several paths give as one value; others are applied to each item
    :param fills_null: is called for null too; all others leave null as it is
    :param record_paths: what the function reads in the source record, for these arguments; if it is anything, the
        function takes the record as a second argument
    """

    name: str
    summary: str
    build: Callable[[Any], Apply]
    examples: tuple[Example, ...]
    arguments: type[Model] = NoArguments
    code: str = "INVALID_FORMAT"
    whole_list: bool = False
    fills_null: bool = False
    record_paths: Callable[[Any], tuple[str, ...]] = _nothing

    @property
    def needs_no_arguments(self) -> bool:
        """Whether a mapping file may say just the name."""
        try:
            self.arguments()
        except ValidationError:
            return False
        return True


def plain(apply: Apply) -> Callable[[Any], Apply]:
    """The `build` of a transform without arguments."""
    return lambda _arguments: apply


def text_of(value: Any) -> str:
    """The value as text: numbers, dates and ids become text, anything else is refused.

    :raises Failure: for a boolean, an object, a list, bytes, and for a number that is not finite
    """
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (int, float, Decimal, UUID)) and not isinstance(value, bool):
        return _number_text(value)
    raise Failure(f"The value is {kind(value)}; text is needed.")


def _number_text(value: float | Decimal | UUID) -> str:
    if not isinstance(value, UUID):
        value = finite(value)
    try:
        return str(value)
    except ValueError:  # Python refuses to print an integer of more than 4,300 digits.
        raise Failure("The number has too many digits.") from None


def finite(value: Any, needed: str = "a number") -> int | float | Decimal:
    """The value, if it is a finite number and not a boolean.

    :param needed: what the transform needs, for the message
    :raises Failure: for anything else
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise Failure(f"The value is {kind(value)}; {needed} is needed.")
    if not (isfinite(value) if isinstance(value, float) else isinstance(value, int) or value.is_finite()):
        raise Failure("The value is not a finite number.")
    return value


def whole(value: float | Decimal) -> int | None:
    """The integer that a finite number equals; None when it has decimals, or more than 30 digits."""
    if isinstance(value, Decimal):
        # Looked at first: making an integer of 1E+999999 would take for ever.
        equal = value.adjusted() < 30 and value == value.to_integral_value()
    else:
        equal = abs(value) < 10**30 and value == int(value)
    return int(value) if equal else None
