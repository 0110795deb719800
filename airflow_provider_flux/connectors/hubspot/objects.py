"""The objects of HubSpot, as far as they are the same for all accounts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from airflow_provider_flux.connectors.declare import FieldInfo, ObjectType
from airflow_provider_flux.connectors.options import Cursor

BATCH = 100
"""Records in one call of a batch endpoint."""

OWN_FIELDS = (
    FieldInfo("id", "string", "Record ID", read_only=True),
    FieldInfo("createdAt", "datetime", read_only=True),
    FieldInfo("updatedAt", "datetime", read_only=True),
    FieldInfo("archived", "boolean", read_only=True),
    FieldInfo("archivedAt", "datetime", read_only=True),
)
"""What stands beside the properties of every record."""

_CUSTOM_NAME = re.compile(r"\d+-\d+|p\d*_\w+")


def _properties(*fields: FieldInfo, modified: str = "hs_lastmodifieddate") -> tuple[FieldInfo, ...]:
    return (*OWN_FIELDS, *fields, FieldInfo(modified, "datetime", read_only=True))


CUSTOM = ObjectType(
    "custom objects, as 2-1234567 or p_name",
    # A search finds what was written only after some moments; what a run misses, the next one reads.
    cursor=Cursor(field="updatedAt", lookback=timedelta(minutes=10)),
    incremental="a search by the date of the last change, in the order of the ids (more than 10,000 results, too)",
    paging="lists by a token, 100 records; searches by the last id, 200 records",
    modes=("create", "update", "upsert", "create_if_missing"),
    fallback_keys=True,
    deletes=("ignore", "archive"),
    batch_size=BATCH,
    doubt="update, upsert, create_if_missing: sent again; create: looked up by `key`, without one held for a person",
)

CONTACTS = replace(
    CUSTOM,
    name="contacts",
    match=("email",),
    fields=_properties(
        FieldInfo("email", "string", "Email"),
        FieldInfo("firstname", "string", "First name"),
        FieldInfo("lastname", "string", "Last name"),
        FieldInfo("phone", "string", "Phone number"),
        FieldInfo("company", "string", "Company name"),
        FieldInfo("jobtitle", "string", "Job title"),
        FieldInfo("lifecyclestage", "string", "Lifecycle stage"),
        modified="lastmodifieddate",
    ),
)
COMPANIES = replace(
    CUSTOM,
    name="companies",
    fields=_properties(
        FieldInfo("name", "string", "Company name"),
        FieldInfo("domain", "string", "Company domain name"),
        FieldInfo("phone", "string", "Phone number"),
        FieldInfo("city", "string", "City"),
        FieldInfo("country", "string", "Country/Region"),
        FieldInfo("industry", "string", "Industry"),
    ),
)
DEALS = replace(
    CUSTOM,
    name="deals",
    fields=_properties(
        FieldInfo("dealname", "string", "Deal name"),
        FieldInfo("amount", "number", "Amount"),
        FieldInfo("closedate", "datetime", "Close date"),
        FieldInfo("pipeline", "string", "Pipeline"),
        FieldInfo("dealstage", "string", "Deal stage"),
    ),
)
TICKETS = replace(
    CUSTOM,
    name="tickets",
    fields=_properties(
        FieldInfo("subject", "string", "Ticket name"),
        FieldInfo("content", "string", "Ticket description"),
        FieldInfo("hs_pipeline", "string", "Pipeline"),
        FieldInfo("hs_pipeline_stage", "string", "Ticket status", required=True),
        FieldInfo("hs_ticket_priority", "string", "Priority"),
    ),
)
OBJECTS = {declared.name: declared for declared in (CONTACTS, COMPANIES, DEALS, TICKETS)}


def object_type(name: object) -> ObjectType | None:
    """What is declared of an object; custom ones are known by the form of their names: an object type id
    (`2-1234567`), or `p_name` as HubSpot takes it for an account's own objects."""
    if not isinstance(name, str):
        return None
    if name in OBJECTS:
        return OBJECTS[name]
    return replace(CUSTOM, name=name) if _CUSTOM_NAME.fullmatch(name) else None


def modified_property(name: str) -> str:
    """The property with the date of the last change. Contacts have another one than everything else."""
    return "lastmodifieddate" if name in ("contacts", "0-1") else "hs_lastmodifieddate"


def property_names(fields: Iterable[FieldInfo]) -> tuple[str, ...]:
    """The properties among declared fields."""
    own = {field.name for field in OWN_FIELDS}
    return tuple(field.name for field in fields if field.name not in own)
