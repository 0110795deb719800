"""What an org says of its objects."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.declare import FieldInfo
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.tally import Tally
from tests.contracts.salesforce.conftest import Org


def described(org: Org, name: str | None = None, **more: Any) -> dict[str, FieldInfo]:
    found = registry.get("salesforce").describe(org.credentials(), object_name=name, **more)
    assert found is not None
    assert found.complete
    return {field.name: field for field in found.fields}


def test_type_required_length_values_read_only_and_custom(org: Org) -> None:
    fields = described(org, "Contact")
    assert fields["LastName"] == FieldInfo("LastName", "string", "LastName", required=True, max_length=80)
    assert fields["Id"] == FieldInfo("Id", "string", "Id", max_length=18, read_only=True)
    assert fields["SystemModstamp"].type == "datetime"
    assert fields["Score__c"] == FieldInfo("Score__c", "number", "Score__c", custom=True)
    assert fields["IsDeleted"].read_only
    assert not fields["IsDeleted"].required, "Salesforce sets it"


def test_only_a_restricted_picklist_allows_nothing_else_and_only_its_active_values(org: Org) -> None:
    assert described(org, "Contact")["Stage__c"].enum == ("new", "won")


def test_a_reference_brings_the_name_of_its_relationship(org: Org) -> None:
    assert described(org, "Contact")["Account"] == FieldInfo("Account", "object")


def test_the_object_of_a_flow_is_described(org: Org) -> None:
    options = org.destination_options()
    assert "Email__c" in described(org, options=options)


@pytest.mark.parametrize("name", ["Contacts", "no name", "Contact/../Account", ""])
def test_an_object_that_is_not_there(org: Org, name: str) -> None:
    tally = Tally()
    with pytest.raises(FluxError) as caught:
        described(org, name, tally=tally)
    assert caught.value.code == "NOT_FOUND"
    assert len(org.calls()) == (1 if name == "Contacts" else 0)
