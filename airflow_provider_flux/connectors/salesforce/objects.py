"""What is declared of Salesforce's objects: the standard ones that every org has, and what holds for all others.

Lengths and required fields: Object Reference for the Salesforce Platform. An org may have other rules, which
`connectors describe` asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from airflow_provider_flux.connectors.declare import FieldInfo, ObjectType
from airflow_provider_flux.connectors.options import Cursor
from airflow_provider_flux.connectors.salesforce.soql import NAME

ANY = ObjectType(
    "any standard or custom object",
    key=("Id",),
    cursor=Cursor(field="SystemModstamp"),
    incremental="SOQL, `SystemModstamp >= ...`, in the order of SystemModstamp and Id",
    paging="`nextRecordsUrl`, 2,000 records unless `page_size` says less",
    modes=("create", "update", "upsert", "create_if_missing"),
    match=("an external id (one field that ends in __c)", "Id, to update", "any other field, by a look-up"),
    fallback_keys=True,
    deletes=("ignore", "archive"),
    batch_size=200,
    doubt="upserts and updates are sent again; a create is looked up by `key` first, and held for a person without one",
)
"""Every object that the REST API shows."""

_SYSTEM = (
    FieldInfo("Id", "string", read_only=True, max_length=18),
    FieldInfo("CreatedDate", "datetime", read_only=True),
    FieldInfo("LastModifiedDate", "datetime", read_only=True),
    FieldInfo("SystemModstamp", "datetime", read_only=True),
    FieldInfo("IsDeleted", "boolean", read_only=True),
)


def _text(name: str, longest: int, *, required: bool = False) -> FieldInfo:
    return FieldInfo(name, "string", required=required, max_length=longest)


_PERSON = (_text("LastName", 80, required=True), _text("FirstName", 40), _text("Title", 128), _text("Email", 80))
_REACH = (_text("Phone", 40), _text("MobilePhone", 40))
_OWNER = (_text("OwnerId", 18),)


def _object(name: str, *fields: FieldInfo) -> ObjectType:
    return replace(ANY, name=name, fields=(*_SYSTEM, *fields))


_DECLARED = (
    _object(
        "Account", _text("Name", 255, required=True), _text("Phone", 40), _text("Website", 255),
        _text("AccountNumber", 40), FieldInfo("Type", "string"), FieldInfo("Industry", "string"),
        _text("ParentId", 18), *_OWNER,
    ),
    _object("Contact", *_PERSON, *_REACH, _text("AccountId", 18), *_OWNER),
    _object(
        "Lead", *_PERSON, *_REACH, _text("Company", 255, required=True), FieldInfo("Status", "string"),
        FieldInfo("LeadSource", "string"), *_OWNER,
    ),
    _object(
        "Opportunity", _text("Name", 120, required=True), FieldInfo("StageName", "string", required=True),
        FieldInfo("CloseDate", "date", required=True), FieldInfo("Amount", "number"), _text("AccountId", 18), *_OWNER,
    ),
    _object(
        "Case", _text("Subject", 255), FieldInfo("Status", "string"), FieldInfo("Origin", "string"),
        FieldInfo("Priority", "string"), _text("ContactId", 18), _text("AccountId", 18), *_OWNER,
    ),
)  # fmt: skip

OBJECTS: Mapping[str, ObjectType] = {one.name: one for one in _DECLARED}
"""The standard objects of which fields are declared."""


def object_type(name: object) -> ObjectType | None:
    """What is declared of an object; None only for what can be no object's name."""
    if not isinstance(name, str) or len(name) > 100 or NAME.fullmatch(name) is None:
        return None
    return OBJECTS.get(name) or replace(ANY, name=name)
