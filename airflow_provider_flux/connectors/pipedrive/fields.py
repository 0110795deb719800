"""What Pipedrive says of an object's fields: `GET /api/v2/personFields` and its like."""

from __future__ import annotations

from typing import Any

from airflow_provider_flux.connectors.api.connection import open_client
from airflow_provider_flux.connectors.api.profile import ApiProfile
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.declare import Description, FieldInfo, ObjectType
from airflow_provider_flux.connectors.pipedrive.objects import API, FIELD_LISTS, PAGE, TELL_REQUIRED
from airflow_provider_flux.connectors.rest.records import NoRecords, find_records
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.classify import SOURCE
from airflow_provider_flux.transport.failures import Judgement
from airflow_provider_flux.transport.messages import Request
from airflow_provider_flux.transport.paths import get
from airflow_provider_flux.transport.tally import Tally

# Types of Pipedrive's fields as types of JSON; what is not listed is a text or an id.
_TYPES = {
    "int": "integer",
    "double": "number",
    "boolean": "boolean",
    "date": "date",
    "set": "array",
    "varchar": "string",
    "varchar_auto": "string",
    "text": "string",
    "phone": "string",
    "time": "string",
    "enum": "integer",
    "user": "integer",
    "org": "integer",
    "people": "integer",
    "deal": "integer",
    "stage": "integer",
    "address": "object",
    "monetary": "object",
    "daterange": "object",
    "timerange": "object",
    "json": "object",
}
_LENGTHS = {"varchar": 255, "varchar_auto": 255, "phone": 255}
_PAGES = 20


def described(
    credentials: Credentials, profile: ApiProfile, declared: ObjectType, tally: Tally | None = None
) -> Description:
    """The declared fields, with those that the account has beside them.

    :raises FluxError: as the API answers
    """
    client = open_client(credentials, None, profile=profile, connections=1, tally=tally)
    try:
        judgement = Judgement(credentials.conn_id, client.mask, profile.rows, SOURCE, client.tally)
        name = FIELD_LISTS[declared.name]
        path = f"{API}/{name}"
        asked: dict[str, Any] = {"limit": PAGE}
        if name in TELL_REQUIRED:
            asked["include_fields"] = "required_fields"
        told: list[dict[str, Any]] = []
        for _ in range(_PAGES):
            response = client.send(Request("GET", path, asked, wants="json"))
            judgement.check(response)
            answer = judgement.value(response).value
            try:
                told += find_records(answer, "data", optional=False)
            except NoRecords as error:
                raise judgement.unreadable(response, str(error)) from None
            cursor = get(answer, "additional_data.next_cursor")
            if not isinstance(cursor, str) or not cursor:
                return _description(declared, told)
            asked["cursor"] = cursor
        raise FluxError("UNREADABLE_ANSWER", f"{path} goes on after {_PAGES} pages of fields")
    finally:
        client.close()


def _description(declared: ObjectType, told: list[dict[str, Any]]) -> Description:
    fields = {field.name: field for field in declared.fields}
    for field in told:
        info = _field(field)
        # The standard fields are declared by the names and types that records have, which are not always these.
        fields.setdefault(info.name, info)
    return Description(declared.name, tuple(fields.values()))


def _field(field: dict[str, Any]) -> FieldInfo:
    code, kind, custom = str(field.get("field_code")), str(field.get("field_type")), bool(field.get("is_custom_field"))
    options = [option for option in field.get("options") or [] if isinstance(option, dict)]
    label = str(field.get("field_name") or "") or None
    if options and custom:
        named = ", ".join(f"{option.get('id')} = {option.get('label')}" for option in options)
        label = f"{label}: {named}"
    if custom and get(field, "required_fields.enabled") is True:
        # Of what people type in; no source says that the API refuses a record without it.
        label = f"{label} (required in Pipedrive's own forms)"
    return FieldInfo(
        f"custom_fields.{code}" if custom else code,
        _TYPES.get(kind, "any"),
        label,
        max_length=_LENGTHS.get(kind),
        # A record holds the ids of options, not their names.
        enum=tuple(str(option.get("id")) for option in options) if custom and kind == "enum" else (),
        read_only=not custom,  # those that can be written are declared
        custom=custom,
    )
