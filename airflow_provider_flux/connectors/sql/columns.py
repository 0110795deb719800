"""The columns of a destination table: which kind each is, and the values of a batch brought into form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from airflow_provider_flux.connectors.sql.kinds.base import Kind, Refused, Wire
from airflow_provider_flux.connectors.sql.kinds.moments import Day, Timestamp
from airflow_provider_flux.connectors.sql.kinds.nested import Array, Json
from airflow_provider_flux.connectors.sql.kinds.numeric import Boolean, Float, Integer, Number
from airflow_provider_flux.connectors.sql.kinds.text import Anything, Binary, Choice, Text, Uuid
from airflow_provider_flux.connectors.sql.tables import Column
from airflow_provider_flux.errors import RecordError, preview

_NONE = type(None)


class Rule:
    """Checks and converts the values of one column."""

    def __init__(self, column: Column, wire: Wire, dialect: str) -> None:
        self.name = column.name
        self.required = column.required
        self._nullable = column.nullable
        self._kind = _kind(column.type, wire, dialect)

    def clean(self, values: list[Any], *, nullable: bool = True) -> tuple[list[Any], dict[int, RecordError]]:
        """The values in the form in which they are sent, and what is wrong, by position.

        :param nullable: False where None is wrong whatever the column says, as in a key
        """
        types = set(map(type, values))
        present: Sequence[Any] = values
        errors: dict[int, RecordError] = {}
        if _NONE in types:
            types.discard(_NONE)
            present = [value for value in values if value is not None]
            if not (nullable and self._nullable):
                errors = {position: self.missing() for position, value in enumerate(values) if value is None}
        if not present or self._kind.fits(types, present):
            return values, errors
        return self._one_by_one(values, errors), errors

    def missing(self) -> RecordError:
        """The error of a record without a value for this column."""
        return RecordError("REQUIRED_FIELD_MISSING", f"column '{self.name}' needs a value", field=self.name)

    def one(self, value: Any) -> Any:
        """A single value in the form in which it is sent, the same for every spelling of it.

        :raises Refused: when the column does not take it
        """
        return self._kind.one(value)

    def _one_by_one(self, values: list[Any], errors: dict[int, RecordError]) -> list[Any]:
        sent = list(values)
        for position, value in enumerate(values):
            if value is None:
                continue
            try:
                sent[position] = self._kind.one(value)
            except Refused as refused:
                errors[position] = RecordError(
                    refused.code, f"column '{self.name}': {refused.message}", field=self.name, value=preview(value)
                )
        return sent


def _kind(kind: Any, wire: Wire, dialect: str) -> Kind:
    if isinstance(kind, sa.Boolean):
        return Boolean()
    if isinstance(kind, sa.Enum):
        return Choice(kind.enums)
    if isinstance(kind, sa.JSON):
        return Json(wire)
    if isinstance(kind, sa.ARRAY):
        return Array(wire)
    if isinstance(kind, sa.Integer):
        return Integer(*_range(kind, dialect))
    if isinstance(kind, sa.Float):
        return Float()
    if isinstance(kind, sa.Numeric):
        return Number(wire, kind.precision, kind.scale)
    if isinstance(kind, sa.DateTime):
        return Timestamp(wire, zone=bool(kind.timezone))
    if isinstance(kind, sa.Date):
        return Day(wire)
    if isinstance(kind, sa.LargeBinary):
        return Binary(wire)
    if kind.__visit_name__ in ("UUID", "uuid"):
        return Uuid(wire)
    if isinstance(kind, sa.String):
        return Text(kind.length)
    return Anything(wire)


def _range(kind: Any, dialect: str) -> tuple[int, int]:
    """The integers that a type holds. SQLite keeps 64 bits whatever the type is called."""
    if dialect == "postgresql" and isinstance(kind, sa.SmallInteger):
        bits = 16
    elif dialect == "postgresql" and not isinstance(kind, sa.BigInteger):
        bits = 32
    else:
        bits = 64
    if getattr(kind, "unsigned", False):
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
