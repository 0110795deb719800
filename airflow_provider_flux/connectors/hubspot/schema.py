"""Which properties an object has.

Source: developers.hubspot.com/docs/api/crm/properties, and .../crm-custom-objects (schemas)
"""

from __future__ import annotations

from typing import Any

from airflow_provider_flux.connectors.declare import Description, FieldInfo
from airflow_provider_flux.connectors.hubspot.api import Api
from airflow_provider_flux.connectors.hubspot.objects import OBJECTS, OWN_FIELDS
from airflow_provider_flux.errors import FluxError

_TYPES = {
    "string": "string",
    "phone_number": "string",
    "enumeration": "string",
    "number": "number",
    "bool": "boolean",
    "date": "date",
    "datetime": "datetime",
    "json": "object",
}


def describe(api: Api) -> Description:
    """All properties of the object, and the fields beside them.

    :raises FluxError: NOT_FOUND for an object that does not exist
    """
    listed = _listed(api)
    required = _required(api)
    fields = [_field(one, one["name"] in required) for one in listed if not one.get("archived")]
    return Description(api.object, (*OWN_FIELDS, *fields))


def unique_properties(api: Api) -> frozenset[str]:
    """The properties by which HubSpot finds a record: those with unique values, and the e-mail of contacts."""
    declared = OBJECTS.get(api.object)
    return frozenset(
        [
            *(one["name"] for one in _listed(api) if one.get("hasUniqueValue") is True),
            *(declared.match if declared is not None else ()),
        ]
    )


def _listed(api: Api) -> list[dict[str, Any]]:
    """The properties as HubSpot lists them, in one answer."""
    path = api.path.replace("/crm/v3/objects/", "/crm/v3/properties/")
    response = api.get(path)
    _, results = api.results(response)
    if not all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in results):
        raise api.judgement.unreadable(response, "a property has no name")
    return results


def _required(api: Api) -> frozenset[str]:
    """The properties that a new record must have: a custom object's schema says it, of the others it is known."""
    declared = OBJECTS.get(api.object)
    if declared is not None:
        return frozenset(field.name for field in declared.fields if field.required)
    response = api.get(api.path.replace("/crm/v3/objects/", "/crm/v3/schemas/"))
    try:
        api.judgement.check(response)
    except FluxError as error:
        if error.code in ("PERMISSION_DENIED", "NOT_FOUND"):
            return frozenset()  # the app may read the records and not their schema, or the object is not a custom one
        raise
    schema = api.judgement.value(response).value
    named = schema.get("requiredProperties") if isinstance(schema, dict) else None
    return frozenset(name for name in named if isinstance(name, str)) if isinstance(named, list) else frozenset()


def _field(one: dict[str, Any], required: bool) -> FieldInfo:
    rights = one.get("modificationMetadata")
    read_only = bool(one.get("calculated")) or (isinstance(rights, dict) and rights.get("readOnlyValue") is True)
    several = one.get("fieldType") == "checkbox"  # choices that are separated by `;`: no single one of the options
    options = [] if several else [choice.get("value") for choice in one.get("options") or ()]
    return FieldInfo(
        one["name"],
        _TYPES.get(str(one.get("type")), "any"),
        one.get("label") or None,
        required=required,
        enum=tuple(str(value) for value in options if value is not None),
        read_only=read_only,
        custom=one.get("hubspotDefined") is not True,
    )
