"""What API v2 of Pipedrive has: objects, their fields, how lists are read, and what calls cost.

Facts from the vendor's OpenAPI description of API v2 (`x-token-cost` is what a call takes from the company's daily
budget) and from https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_flux.connectors.declare import FieldInfo, ObjectType
from airflow_provider_flux.connectors.declared import Resource
from airflow_provider_flux.connectors.options import Cursor, Deleted, Mode

API = "/api/v2"
PAGE = 500
"""Most records of a list, and most that are asked for."""
IDS = 100
"""Most records that a list hands out by their ids."""

_PAGING = "cursor, 500 records a page"
_COST = "tokens of the daily budget: 10 a page, 1 a record, 20 a search, 5 to make or change, 3 to delete"
_CHANGED = "updated_since and updated_until, to the second; update_time as RFC 3339"
_NO_FILTER = "none: every run reads the whole list and keeps what is new"
_DOUBT = (
    "looked up again, by search and among the records of the last 15 minutes, because the search learns of new ones "
    "late; then changed or created"
)
_DOUBT_NO_SEARCH = "a change is sent again; a new record is held for a person, because Pipedrive cannot be asked for it"
_EVERY_MODE: tuple[Mode, ...] = ("upsert", "create", "update", "create_if_missing")


def _fields(names: str, kind: str, **more: Any) -> tuple[FieldInfo, ...]:
    return tuple(FieldInfo(name, kind, **more) for name in names.split())


_SET_BY_PIPEDRIVE = _fields("id", "integer", read_only=True) + _fields("is_deleted", "boolean", read_only=True)
_TIMES = _fields("add_time update_time", "datetime")
_COMMON = _fields("owner_id visible_to", "integer") + _fields("label_ids", "array") + _fields("custom_fields", "object")

_PERSON = (
    FieldInfo("name", "string", "Name", required=True),
    FieldInfo("email", "string", "The primary e-mail; the others are kept"),
    FieldInfo("phone", "string", "The primary phone; the others are kept"),
    FieldInfo("emails", "array", "All e-mails: value, primary, label"),
    FieldInfo("phones", "array", "All phones: value, primary, label"),
    *_fields("org_id", "integer"),
    FieldInfo("marketing_status", "string", enum=("no_consent", "unsubscribed", "subscribed", "archived")),
    *_fields("first_name last_name", "string", read_only=True),
    *(_COMMON + _TIMES + _SET_BY_PIPEDRIVE),
)
_ORGANIZATION = (
    FieldInfo("name", "string", "Name", required=True),
    FieldInfo("address", "object", "Address: value, country, locality, route, postal_code ..."),
    *(_COMMON + _TIMES + _SET_BY_PIPEDRIVE),
)
_DEAL = (
    FieldInfo("title", "string", "Title", required=True),
    *_fields("person_id org_id pipeline_id stage_id", "integer"),
    *_fields("value probability", "number"),
    *_fields("currency lost_reason", "string"),
    FieldInfo("status", "string", enum=("open", "won", "lost")),
    FieldInfo("expected_close_date", "date"),
    *_fields("close_time won_time lost_time archive_time", "datetime"),
    *_fields("is_archived", "boolean"),
    *_fields("creator_user_id", "integer", read_only=True),
    *_fields("add_time update_time stage_change_time", "datetime", read_only=True),
    *(_COMMON + _SET_BY_PIPEDRIVE),
)
_PRODUCT = (
    FieldInfo("name", "string", "Name", required=True),
    *_fields("code description unit", "string"),
    *_fields("tax category", "number"),
    *_fields("is_linkable", "boolean"),
    FieldInfo("prices", "array", "Prices: currency, price, cost ..."),
    FieldInfo(
        "billing_frequency",
        "string",
        enum=("one-time", "annually", "semi-annually", "quarterly", "monthly", "weekly"),
    ),
    *_fields("billing_frequency_cycles", "integer"),
    *_fields("add_time update_time", "datetime", read_only=True),
    *_fields("owner_id visible_to", "integer"),
    *(_fields("custom_fields", "object") + _SET_BY_PIPEDRIVE),
)
_ACTIVITY = (
    *_fields("subject type lead_id public_description note", "string"),
    *_fields("owner_id deal_id org_id project_id priority", "integer"),
    *_fields("person_id", "integer", read_only=True),
    *_fields("due_date", "date"),
    *_fields("due_time duration", "string"),
    *_fields("busy done", "boolean"),
    *_fields("location", "object"),
    FieldInfo("participants", "array", "Persons: person_id, primary"),
    *_fields("attendees", "array"),
    *_fields("add_time update_time", "datetime", read_only=True),
    *_SET_BY_PIPEDRIVE,
)


def _read(name: str, *, changed: bool = True, **params: Any) -> dict[str, Any]:
    """How a list is read, in the words of the REST engine."""
    declared = {
        "path": f"{API}/{name}",
        "params": {"sort_by": "update_time", "sort_direction": "asc", **params},
        "records": "data",
        "page": {
            "kind": "cursor",
            "param": "cursor",
            "next": "additional_data.next_cursor",
            "size_param": "limit",
            "size": PAGE,
        },
        # Records are read again by `ids`, many in one call; see `source`.
        "item": {"path": f"{API}/{name}/{{key}}", "record": "data"},
    }
    if changed:
        declared["incremental"] = {"param": "updated_since", "until": "updated_until"}
    return declared


def _object(name: str, fields: tuple[FieldInfo, ...], match: tuple[str, ...], **more: Any) -> ObjectType:
    defaults: dict[str, Any] = {
        "cursor": Cursor(field="update_time"),
        "incremental": _CHANGED,
        "paging": _PAGING,
        "modes": _EVERY_MODE,
        "fallback_keys": True,
        "deletes": ("ignore", "delete"),
        "doubt": _DOUBT,
        "cost": _COST,
    }
    return ObjectType(name, match=match, fields=fields, **{**defaults, **more})


_CUSTOM = "custom_fields.<code>"

RESOURCES = (
    Resource(_object("persons", _PERSON, ("email", "phone", "name", _CUSTOM, "id")), _read("persons")),
    Resource(_object("organizations", _ORGANIZATION, ("name", _CUSTOM, "id")), _read("organizations")),
    Resource(
        _object("deals", _DEAL, ("title", _CUSTOM, "id"), deletes=("ignore", "archive", "delete")),
        # Deals are the only ones whose list shows the deleted, for 30 days.
        _read("deals", status="open,won,lost,deleted"),
        deleted=Deleted(field="is_deleted"),
    ),
    Resource(
        _object("products", _PRODUCT, ("code", "name", _CUSTOM, "id"), incremental=_NO_FILTER),
        _read("products", changed=False),
    ),
    Resource(
        _object(
            "activities", _ACTIVITY, ("id",), modes=("create", "update"), fallback_keys=False, doubt=_DOUBT_NO_SEARCH
        ),
        _read("activities"),
    ),
    Resource(
        ObjectType(
            "archived_deals",
            cursor=Cursor(field="update_time"),
            incremental=_CHANGED,
            paging=_PAGING,
            cost="tokens of the daily budget: 20 a page",
            fields=_DEAL,
        ),
        _read("deals/archived", status="open,won,lost,deleted"),
        deleted=Deleted(field="is_deleted"),
    ),
)

FIELD_LISTS: Mapping[str, str] = {
    "persons": "personFields",
    "organizations": "organizationFields",
    "deals": "dealFields",
    "archived_deals": "dealFields",
    "products": "productFields",
    "activities": "activityFields",
}
"""Where an object's fields are listed; 10 tokens a page."""

TELL_REQUIRED = frozenset({"personFields", "organizationFields", "dealFields"})
"""Those lists that say which fields a company has made mandatory in its forms."""
