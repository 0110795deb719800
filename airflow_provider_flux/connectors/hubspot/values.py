"""Values as HubSpot takes them: every property is a text."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from airflow_provider_flux.connectors.hubspot.options import ID_FIELDS
from airflow_provider_flux.connectors.rest.placeholders import Unfit
from airflow_provider_flux.errors import RecordError, preview


def properties(data: dict[str, Any]) -> dict[str, str]:
    """The properties of a mapped record; its id is none of them.

    :raises Unfit: a value is an object, which no property can hold
    """
    return {name: text(name, value) for name, value in data.items() if name not in ID_FIELDS}


def text(name: str, value: Any) -> str:
    """One value: `""` clears a property, several choices are separated by `;`.

    Source: developers.hubspot.com/docs/api/crm/properties (property type inputs)

    :raises Unfit: as `properties`
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (list, tuple)) and not any(isinstance(one, (dict, list, tuple)) for one in value):
        return ";".join(text(name, one) for one in value)
    raise Unfit(
        RecordError(
            "INVALID_FORMAT", f"'{name}' is an object, and HubSpot's properties hold texts", name, value=preview(value)
        )
    )
