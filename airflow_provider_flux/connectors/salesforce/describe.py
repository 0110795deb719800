"""What an org says of itself: that it is there, and which fields an object has.

Source: REST API Developer Guide, "sObject Describe"; Object Reference, "DescribeSObjectResult".
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_flux.connectors.api.profile import ApiProfile
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.declare import Description, FieldInfo
from airflow_provider_flux.connectors.salesforce.connection import open_salesforce, path
from airflow_provider_flux.connectors.salesforce.soql import check_name
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.classify import SOURCE
from airflow_provider_flux.transport.failures import Judgement
from airflow_provider_flux.transport.messages import Request
from airflow_provider_flux.transport.tally import Tally

_TYPES: Mapping[str, str] = {
    "boolean": "boolean",
    "int": "integer",
    "long": "integer",
    "double": "number",
    "currency": "number",
    "percent": "number",
    "date": "date",
    "datetime": "datetime",
    "address": "object",
    "location": "object",
    "complexvalue": "object",
    "anyType": "any",
}
"""Salesforce's types; all others are texts."""


def probe(credentials: Credentials, profile: ApiProfile, tally: Tally | None) -> str:
    """Ask for the list of resources, which needs no right beyond the API itself.

    :raises FluxError: CONNECTION_INVALID with the field at fault, AUTHENTICATION_FAILED, PERMISSION_DENIED, an outage
    """
    client = open_salesforce(credentials, profile, tally=tally)
    try:
        started = time.monotonic()
        response = client.send(Request("GET", path(credentials, "")), once=True)
        Judgement(credentials.conn_id, client.mask, profile.rows, SOURCE, client.tally).check(response)
        seconds = time.monotonic() - started
        return f"{response.endpoint} of {client.base.host} answered HTTP {response.status} in {seconds:.2f} s"
    finally:
        client.close()


def describe(credentials: Credentials, profile: ApiProfile, name: str | None, tally: Tally | None) -> Description:
    """The fields of an object, as the user of the connection may see them.

    :raises FluxError: NOT_FOUND for an object that is not there; as `probe`
    """
    try:
        checked = check_name(name or "")
    except ValueError as error:
        raise FluxError("NOT_FOUND", f"connection '{credentials.conn_id}': {error}") from None
    client = open_salesforce(credentials, profile, tally=tally)
    try:
        judgement = Judgement(credentials.conn_id, client.mask, profile.rows, SOURCE, client.tally)
        response = client.send(Request("GET", path(credentials, f"sobjects/{checked}/describe"), wants="json"))
        judgement.check(response)
        told = judgement.value(response).value
        fields = told.get("fields") if isinstance(told, dict) else None
        if not isinstance(fields, list):
            raise judgement.unreadable(response, "it holds no list `fields`")
        return Description(checked, tuple(_fields(fields)))
    finally:
        client.close()


def _fields(told: list[Any]) -> Iterator[FieldInfo]:
    for one in told:
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            continue
        yield _field(one)
        # `Account.Name` reads a field of the record that `AccountId` points to; `Account.Key__c` writes by it.
        related = one.get("relationshipName")
        if isinstance(related, str) and related:
            yield FieldInfo(related, "object", read_only=not one.get("createable"), custom=bool(one.get("custom")))


def _field(one: Mapping[str, Any]) -> FieldInfo:
    kind = str(one.get("type"))
    creatable, changeable = bool(one.get("createable")), bool(one.get("updateable"))
    text = kind not in _TYPES
    length = one.get("length")
    return FieldInfo(
        one["name"],
        _TYPES.get(kind, "string"),
        label=one.get("label"),
        required=creatable and not one.get("nillable") and not one.get("defaultedOnCreate"),
        max_length=length if text and isinstance(length, int) and length > 0 else None,
        # Only a restricted picklist refuses values that it does not list.
        enum=_values(one.get("picklistValues")) if one.get("restrictedPicklist") and kind == "picklist" else (),
        read_only=not (creatable or changeable),
        custom=bool(one.get("custom")),
    )


def _values(told: Any) -> tuple[str, ...]:
    values = told if isinstance(told, list) else []
    return tuple(str(value["value"]) for value in values if isinstance(value, dict) and value.get("active"))
