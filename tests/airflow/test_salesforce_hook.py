"""Our hook on the official Salesforce provider's connection."""

from __future__ import annotations

import json

import pytest

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.hooks.salesforce import FluxSalesforceHook
from airflow_provider_flux.provider_info import get_provider_info
from tests.contracts.servers.wire import serve
from tests.contracts.vendors.salesforce import SalesforceVendor


def test_the_test_button_signs_in_as_flows_do(monkeypatch: pytest.MonkeyPatch) -> None:
    vendor = SalesforceVendor()
    with serve(vendor.answer) as wire:
        monkeypatch.setenv("AIRFLOW_CONN_ORG", json.dumps(vendor.connection(wire.url)))
        passed, said = FluxSalesforceHook("org").test_connection()
    assert passed, said
    assert "HTTP 200" in said


def test_a_wrong_connection_says_which_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ORG", json.dumps({"conn_type": "salesforce", "login": "ada", "password": "pw"}))
    passed, said = FluxSalesforceHook("org").test_connection()
    assert not passed
    assert "extra.consumer_key" in said


def test_the_connection_type_stays_the_official_providers() -> None:
    connector = registry.get("salesforce")
    assert connector.hook_path() == f"{FluxSalesforceHook.__module__}.{FluxSalesforceHook.__name__}"
    assert FluxSalesforceHook.conn_type == connector.conn_type
    ours = {form["connection-type"] for form in get_provider_info()["connection-types"]}
    assert connector.conn_type not in ours, "registered twice, the form would be whichever Airflow reads last"
