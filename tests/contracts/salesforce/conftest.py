"""An org of one's own, and the connector over it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.contract import Destination, Source, WriteItem
from airflow_provider_flux.connectors.credentials import Credentials
from tests.contracts.suite.account import Account
from tests.contracts.vendors.salesforce import SalesforceVendor


class Org(Account):
    """The fake org, with flows beyond those of the suite."""

    vendor: SalesforceVendor

    def __init__(self, stack: ExitStack) -> None:
        super().__init__(SalesforceVendor, stack)
        self.stack = stack

    def writes(self, credentials: Credentials | None = None, **declared: Any) -> Destination:
        """The destination of a flow; contacts by `Email__c` unless it says otherwise."""
        salesforce = registry.get("salesforce")
        assert salesforce.destination_options is not None
        data = {"connector": "salesforce", "connection": "crm", "object": "Contact", "key": "Email__c", **declared}
        options = salesforce.destination_options.model_validate(data)
        destination = salesforce.destination(options, credentials or self.credentials())
        self.stack.callback(destination.close)
        return destination

    def reads(self, **declared: Any) -> Source:
        """The source of a flow; contacts unless it says otherwise."""
        salesforce = registry.get("salesforce")
        assert salesforce.source_options is not None
        data = {"connector": "salesforce", "connection": "crm", "object": "Contact", **declared}
        source = salesforce.source(salesforce.source_options.model_validate(data), self.credentials())
        self.stack.callback(source.close)
        return source

    def calls(self) -> list[str]:
        """Method and path of the calls so far, without those for tokens."""
        return [f"{call.method} {call.path}" for call in self.vendor.calls if not self.vendor.is_sign_in(call)]

    def queries(self) -> list[str]:
        return [call.param("q") for call in self.vendor.calls if call.param("q")]


def contact(email: str, name: str = "Ada", **more: Any) -> WriteItem:
    return WriteItem({"Email__c": email, "LastName": name, **more})


@pytest.fixture
def org() -> Iterator[Org]:
    with ExitStack() as stack:
        yield Org(stack)
