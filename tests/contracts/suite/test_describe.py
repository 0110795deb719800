"""What a system says of its fields fits what flows read from it and write into it.

`check --online` compares flows with it: a field that is missing here would be a problem told of a flow that works.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_flux.connectors.facts import describes_itself
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.flow.compare import Fields, source_findings
from airflow_provider_flux.transport.tally import Tally
from tests.contracts.suite.account import ADA, Account, always


def described(account: Account, options: SourceOptions | DestinationOptions) -> Fields | None:
    """What the vendor says of the object of a flow; None where it cannot be asked."""
    if not describes_itself(account.connector):
        assert account.connector.describe(account.credentials(), options) is None
        return None
    found = account.connector.describe(account.credentials(), options, tally=Tally())
    assert found is not None
    assert found.object
    assert found.fields
    return Fields(found)


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """The paths of a record's values; a list is not looked into."""
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from leaves(item, f"{path}.{name}" if path else name)
    elif path:
        yield path


def test_a_source_names_every_field_of_the_records_that_it_yields(account: Account) -> None:
    options = account.source_options()
    fields = described(account, options)
    if fields is None:
        return
    account.vendor.seed(1)
    ((record,),) = [page.records for page in account.read() if page.records]
    assert [path for path in leaves(record) if fields.missing(path)] == []
    assert source_findings(options, fields) == []
    if fields.description.complete:
        assert fields.missing("no_such_field")


def test_a_destination_takes_the_fields_of_the_mapped_record(account: Account) -> None:
    options = account.destination_options(account.mode)
    fields = described(account, options)
    if fields is None:
        return
    for path in leaves(account.vendor.mapped(ADA)):
        assert not fields.missing(path), path
        field = fields.get(path)
        assert field is None or not field.read_only, path


def test_no_field_is_required_that_a_good_record_lacks(account: Account) -> None:
    options = account.destination_options(account.mode)
    fields = described(account, options)
    if fields is None:
        return
    written = list(leaves(account.vendor.mapped(ADA)))
    # What a customer demands of fields of their own is not among what every vendor's API enforces.
    demanded = [field.name for field in fields.description.fields if field.required and not field.custom]
    assert [name for name in demanded if not any(f"{path}.".startswith(f"{name}.") for path in written)] == []


def test_a_refused_sign_in_is_told_as_such(account: Account) -> None:
    if not describes_itself(account.connector):
        return
    always(account, account.vendor.failure(401))
    with pytest.raises(FluxError) as caught:
        described(account, account.destination_options(account.mode))
    assert caught.value.code == "AUTHENTICATION_FAILED"
    account.assert_tells_no_secret(caught.value)
