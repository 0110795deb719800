"""What a row is given instead of being deleted, where the flow says `deletes: archive`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from airflow_provider_flux.connectors.sql.columns import Rule
from airflow_provider_flux.connectors.sql.kinds.base import Refused, Wire
from airflow_provider_flux.connectors.sql.tables import Table, near
from airflow_provider_flux.errors import FluxError

_NOW = "{now}"


class Archive:
    """Makes the values of the columns that archiving sets.

    :param values: as the flow says them, by column
    :raises FluxError: FIELD_NOT_FOUND for a column that the table has not, INVALID_FORMAT for a value that it refuses
    """

    def __init__(self, table: Table, values: Mapping[str, Any], wire: Wire, dialect: str) -> None:
        self._rules: dict[str, Rule] = {}
        self._values = values
        for name in values:
            if name not in table.columns:
                raise FluxError(
                    "FIELD_NOT_FOUND",
                    f"the flow's `archive` sets '{name}', but table '{table.label}' has no such column"
                    f"{near(name, table.columns)}",
                )
            self._rules[name] = Rule(table.columns[name], wire, dialect)
        self()

    def __call__(self) -> dict[str, Any]:
        """The values of now."""
        now = datetime.now(UTC)
        return {name: self._sent(name, now if value == _NOW else value) for name, value in self._values.items()}

    def _sent(self, name: str, value: Any) -> Any:
        if value is None:
            return None
        try:
            return self._rules[name].one(value)
        except Refused as refused:
            message = f"the flow's `archive` cannot set column '{name}': {refused.message}"
            raise FluxError(refused.code, message, next_step="Correct `archive` in the flow file.") from None
