"""What a flow file may say about Salesforce, and what it is told."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from airflow_provider_flux.connectors.salesforce.options import SalesforceDestinationOptions, SalesforceSourceOptions

COMMON = {"connector": "salesforce", "connection": "org"}


def source(**declared: Any) -> SalesforceSourceOptions:
    return SalesforceSourceOptions.model_validate({**COMMON, **declared})


def destination(**declared: Any) -> SalesforceDestinationOptions:
    return SalesforceDestinationOptions.model_validate({**COMMON, **declared})


def test_an_object_is_enough_to_read_a_standard_one() -> None:
    options = source(object="Contact")
    assert (options.key, options.cursor and options.cursor.field) == (("Id",), "SystemModstamp")
    assert {"Id", "LastName", "Email", "SystemModstamp"} <= set(options.queried)
    assert options.can_fetch()


def test_fields_bring_what_the_run_needs_to_tell_records_apart() -> None:
    options = source(object="Region__c", fields=["Name", "Owner.Name"], deleted={"field": "IsDeleted"})
    assert options.queried == ("Name", "Owner.Name", "Id", "SystemModstamp", "IsDeleted")
    assert options.selected_fields() == {"Name", "Owner", "Id", "SystemModstamp", "IsDeleted"}


def test_without_a_cursor_everything_is_read() -> None:
    assert source(object="Region__c", fields=["Name"], cursor=None).queried == ("Name", "Id")


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"object": "Region__c"}, "`fields` is required for Region__c"),
        ({"object": "Contact", "fields": ["Name FROM User --"]}, "is no API name"),
        ({"object": "Contact WHERE", "fields": ["Name"]}, "is no API name"),
        ({"object": "Contact", "fields": ["A.B.C.D.E.F.G"]}, "more than five relationships"),
        ({"object": "Contact", "key": "Id, Name"}, "is no API name"),
        ({"object": "Contact", "cursor": {"field": "a b"}}, "is no API name"),
        ({"object": "Contact", "page_size": 100}, "greater than or equal to 200"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(declared: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        source(**declared)


@pytest.mark.parametrize("object_name", ["Account", "Region__c", "acme__Region__c", "Region__mdt", "A"])
def test_every_object_has_all_modes_and_two_hundred_records_in_a_call(object_name: str) -> None:
    for mode in ("create", "update", "upsert", "create_if_missing"):
        options = destination(object=object_name, key="Key__c", mode=mode, deletes="archive")
        assert options.batch_size == 200


@pytest.mark.parametrize(
    ("key", "external_id"),
    [("Key__c", "Key__c"), ("Email", None), (["A__c", "B__c"], None), ("acme__Key__c", "acme__Key__c")],
)
def test_only_a_field_of_the_orgs_own_is_an_external_id(key: Any, external_id: str | None) -> None:
    assert destination(object="Contact", key=key).external_id == external_id


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"key": "Id"}, "write `mode: update`"),
        ({"key": "Key__c", "deletes": "delete"}, "possible are ignore, archive"),
        ({"key": "Key__c", "batch_size": 201}, "at most 200 records"),
        ({"key": "a'b"}, "is no API name"),
        ({"key": "Key__c", "fallback_keys": [["Email", "x y"]]}, "is no API name"),
    ],
)
def test_what_cannot_be_written_is_refused(declared: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        destination(object="Contact", **declared)
