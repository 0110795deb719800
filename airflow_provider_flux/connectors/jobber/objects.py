"""The objects of an account: their fields, how they are asked for, and what can be done with them."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_provider_flux.connectors.declare import FieldInfo, ObjectType
from airflow_provider_flux.connectors.graphql.objects import Shape
from airflow_provider_flux.connectors.options import Cursor

SHORT: Mapping[str, tuple[str, ...]] = {
    "email": ("emails.address", "emails.primary"),
    "phone": ("phones.number", "phones.primary"),
}
"""Fields of our own: the primary entry of a list, read and written as one text."""

CREATE_ONLY = frozenset(
    {
        "clientEmail", "clientId", "jobType", "lineItems", "manualVisits", "notes", "progressInvoicingSchedule",
        "propertyId", "quoteId", "requestId", "trackingOrigin",
    }
)  # fmt: skip
"""Fields of a job that only a new one takes (`JobCreateAttributes` without `JobEditInput`)."""

_PAGING = "Relay connection, 50 (at most 100) in a page, newest change first; never asked for totalCount"
_SEARCHED = "looked up by a search whose finds are compared exactly"


def _read(*names: str, type: str = "string") -> tuple[FieldInfo, ...]:
    return tuple(FieldInfo(name, type, read_only=True) for name in names)


CLIENTS = ObjectType(
    "clients",
    cursor=Cursor(field="updatedAt"),
    incremental="filter: {updatedAt: {after: ...}}; what changes while the list is read is asked for again at its end",
    paging=_PAGING,
    modes=("upsert", "create", "update", "create_if_missing"),
    match=("email", "phone", "companyName", "lastName", "firstName", "id"),
    fallback_keys=True,
    deletes=("ignore", "archive"),
    doubt=f"update: sent again. Others: {_SEARCHED}, and among the clients of the last 15 minutes",
    fields=(
        FieldInfo("id", "string", read_only=True),
        *_read("createdAt", "updatedAt", type="datetime"),
        FieldInfo("email", "string", "the primary one of `emails`"),
        FieldInfo("phone", "string", "the primary one of `phones`"),
        FieldInfo("emails", "array", "address, primary, description: MAIN, WORK, PERSONAL, OTHER"),
        FieldInfo("phones", "array", "number, primary, smsAllowed, description: MAIN, WORK, MOBILE, HOME, FAX, OTHER"),
        FieldInfo("firstName", "string"),
        FieldInfo("lastName", "string"),
        FieldInfo("companyName", "string"),
        FieldInfo("isCompany", "boolean"),
        FieldInfo("title", "string"),
        FieldInfo("role", "string"),
        FieldInfo("billingAddress", "object", "street1, street2, city, province, postalCode, country"),
        FieldInfo("receivesReminders", "boolean"),
        FieldInfo("receivesFollowUps", "boolean"),
        FieldInfo("customFields", "array"),
        *_read("name", "jobberWebUri"),
        *_read("isArchived", "isLead", type="boolean"),
        *_read("balance", type="number"),
        *_read("tags", "clientProperties", type="array"),
    ),
)

JOBS = ObjectType(
    "jobs",
    cursor=Cursor(field="updatedAt"),
    incremental="none: Jobber filters jobs by no change date, so that all are read and sorted out here",
    paging=_PAGING,
    modes=("upsert", "create", "update", "create_if_missing"),
    match=("jobNumber", "id"),
    doubt=f"update: sent again. Others: {_SEARCHED} for the jobNumber",
    fields=(
        FieldInfo("id", "string", read_only=True),
        *_read("createdAt", "updatedAt", "startAt", "endAt", "completedAt", type="datetime"),
        FieldInfo("jobNumber", "integer"),
        FieldInfo("title", "string"),
        FieldInfo("instructions", "string"),
        FieldInfo("clientEmail", "string", "whose only property is that of a new job"),
        FieldInfo("clientId", "string", "whose only property is that of a new job"),
        FieldInfo("propertyId", "string", "of a new job; or clientId or clientEmail"),
        FieldInfo("invoicing", "object", "invoicingType, invoicingSchedule; FIXED_PRICE, ON_COMPLETION unless given"),
        FieldInfo("jobType", "string"),
        FieldInfo("lineItems", "array", "of a new job"),
        FieldInfo("timeframe", "object"),
        FieldInfo("scheduling", "object"),
        FieldInfo("salespersonId", "string"),
        FieldInfo("customFields", "array"),
        *_read("jobStatus", "billingType", "jobberWebUri"),
        *_read("total", type="number"),
        *_read("client", "property", type="object"),
    ),
)

OBJECTS: Mapping[str, ObjectType] = {declared.name: declared for declared in (CLIENTS, JOBS)}

_ADDRESS = ("street1", "street2", "city", "province", "postalCode", "country")

SHAPES: Mapping[str, Shape] = {
    "clients": Shape(
        "clients", "client", "Client", "ClientCreateInput", id_type="EncodedId!",
        fields=(
            "id", "firstName", "lastName", "companyName", "name", "title", "isCompany", "isLead", "isArchived",
            *(f"emails.{name}" for name in ("address", "primary", "description")),
            *(f"phones.{name}" for name in ("number", "primary", "description", "smsAllowed")),
            *(f"billingAddress.{name}" for name in _ADDRESS), "jobberWebUri", "createdAt", "updatedAt",
        ),
        own=tuple(SHORT),
        parts=("billingAddress", "emails", "phones"),
        lists={"clientProperties": 5, "tags": 10, "jobs": 5, "notes": 5},
        variables="$filter: ClientFilterAttributes", arguments="filter: $filter", page=50, most=100,
    ),
    "jobs": Shape(
        "jobs", "job", "Job", "JobCreateAttributes", id_type="EncodedId!",
        fields=(
            "id", "jobNumber", "title", "instructions", "jobStatus", "jobType", "billingType", "total", "client.id",
            "client.name", "property.id", "startAt", "endAt", "completedAt", "jobberWebUri", "createdAt", "updatedAt",
        ),
        parts=("client", "property", "quote", "request"),
        lists={"lineItems": 10, "visits": 5, "notes": 5},
        page=50, most=100,
    ),
}  # fmt: skip
"""Costs: a field 1 point, of a list as often as it has entries; a bucket of 10,000 that fills by 500 a second."""
