"""What a flow file may say of HubSpot."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from airflow_provider_flux.connectors.hubspot import Hubspot
from airflow_provider_flux.connectors.hubspot.options import HubspotDestinationOptions, HubspotSourceOptions

COMMON = {"connector": "hubspot", "connection": "crm"}


def source(**more: Any) -> HubspotSourceOptions:
    return HubspotSourceOptions.model_validate({**COMMON, "object": "contacts", **more})


def destination(**more: Any) -> HubspotDestinationOptions:
    return HubspotDestinationOptions.model_validate({**COMMON, "object": "contacts", **more})


@pytest.mark.parametrize("name", ["contacts", "companies", "deals", "tickets", "2-1234567", "p_car", "p62515_car"])
def test_an_object_is_enough(name: str) -> None:
    options = source(object=name)
    assert options.key == ("id",) and options.can_fetch()
    assert options.cursor is not None and options.cursor.field == "updatedAt"
    assert destination(object=name, key="x").batch_size == 100


@pytest.mark.parametrize("name", ["widgets", "Contacts", "car", "2-", "", None, 7])
def test_an_object_that_cannot_be_one_is_refused(name: Any) -> None:
    with pytest.raises(ValidationError):
        source(object=name)
    with pytest.raises(ValidationError):
        destination(object=name, key="x")


def test_a_custom_object_is_declared_under_its_own_name() -> None:
    declared = HubspotSourceOptions.object_type("2-1234567")
    assert declared is not None and declared.name == "2-1234567"
    assert Hubspot.any_object is not None and declared.modes == Hubspot.any_object.modes


def test_the_fields_that_every_account_has_are_read_unless_others_are_named() -> None:
    assert {"id", "email", "lastmodifieddate"} <= (source().selected_fields() or set())
    assert source(fields=["email"]).selected_fields() == {
        "email", "lastmodifieddate", "id", "createdAt", "updatedAt", "archived", "archivedAt"
    }  # fmt: skip
    assert source(object="2-1234567").selected_fields() is None
    assert source(object="2-1234567", fields=["plate"]).properties == ("plate", "hs_lastmodifieddate")


def test_archived_records_are_deletes_unless_the_flow_knows_better() -> None:
    assert source().deleted is None
    options = source(archived=True)
    assert options.deleted is not None and options.deleted.field == "archived"
    own = source(archived=True, deleted={"field": "status", "equals": "gone"})
    assert own.deleted is not None and own.deleted.field == "status"


def test_contacts_are_known_by_their_email_and_other_objects_need_a_key() -> None:
    assert destination().key == ("email",)
    assert destination(object="companies").key is None
    assert destination(key="customer_number").key == ("customer_number",)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"key": ["email", "phone"]}, "one property"),
        ({"key": "id"}, "makes the ids"),
        ({"key": "hs_object_id", "mode": "create"}, "makes the ids"),
        ({"batch_size": 101}, "at most 100"),
        ({"deletes": "delete"}, "possible are ignore, archive"),
        ({"mode": "insert"}, "upsert"),
    ],
)
def test_what_hubspot_cannot_do_is_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        destination(**more)


def test_an_update_may_name_hubspots_own_id() -> None:
    assert destination(key="id", mode="update").by_id
