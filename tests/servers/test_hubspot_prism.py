"""HubSpot's own OpenAPI description between the connector and the account of the contract tests.

Prism lets nothing through that breaks the description. So every request here is one that HubSpot describes, and the
answers of the account, on which the contract tests stand, are too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from airflow_provider_flux.connectors.contract import WriteItem, Written
from tests.contracts.hubspot_account import Account, error, keys, written

SPEC = "hubspot_contacts_v3.clean.json"
ADA = {"email": "ada@example.com", "firstname": "Ada", "age": 36}
BOB = {"email": "bob@example.com", "firstname": "Bob", "languages": ["de", "en"]}
BEGIN = "2026-02-01T00:00:00Z"


@pytest.fixture(scope="module")
def described(prism_before: Callable[[str, str], str]) -> Iterator[Account]:
    """An account behind the description."""
    with ExitStack() as stack:
        account = Account(stack)
        account.crm.nulls = False
        account.url = prism_before(SPEC, account.url)
        yield account


@pytest.fixture
def hubspot(described: Account) -> Account:
    """The same, empty."""
    for kept in (described.crm.objects["contacts"], described.crm.archived["contacts"], described.vendor.calls):
        kept.clear()
    return described


def test_the_description_does_guard_both_sides(hubspot: Account) -> None:
    url = f"{hubspot.url}/crm/v3/objects/contacts"
    headers = {"Authorization": f"Bearer {hubspot.credentials().password}"}
    asked = httpx.post(f"{url}/search", json={"limit": 10}, headers=headers)
    assert (asked.status_code, hubspot.calls) == (422, [])
    hubspot.vendor.seed(1)
    (record,) = hubspot.crm.objects["contacts"].values()
    del record["updatedAt"]
    assert httpx.get(url, headers=headers).status_code == 500


def test_lists_and_searches(hubspot: Account) -> None:
    hubspot.vendor.seed(250)
    assert len(hubspot.read()) == 250
    assert len(hubspot.read(BEGIN, "2026-03-02T00:00:00Z", fields=["email"])) == 250
    assert hubspot.calls == ["GET contacts"] * 3 + ["POST contacts/search"] * 2


def test_the_recycle_bin(hubspot: Account) -> None:
    hubspot.vendor.seed(2)
    hubspot.crm.archive("contacts", next(iter(hubspot.crm.objects["contacts"])))
    assert [record["archived"] for record in hubspot.read(archived=True)] == [False, True]


def test_records_are_read_by_their_ids(hubspot: Account) -> None:
    hubspot.vendor.seed(2)
    wanted = [*({"id": one} for one in hubspot.crm.objects["contacts"]), {"id": "9"}]
    assert len([record for page in hubspot.source().fetch(wanted) for record in page.records]) == 2


@pytest.mark.parametrize("mode", ["create", "upsert", "create_if_missing"])
def test_new_records(hubspot: Account, mode: str) -> None:
    verdicts = written(hubspot.destination(mode=mode), ADA, BOB)
    assert keys(verdicts) == list(hubspot.crm.objects["contacts"])


@pytest.mark.parametrize("mode", ["update", "upsert"])
def test_records_that_are_there(hubspot: Account, mode: str) -> None:
    made = hubspot.crm.add("contacts", {"email": "ada@example.com"})
    linked = hubspot.crm.add("contacts", {"email": "bob@example.com"})
    verdicts = written(hubspot.destination(mode=mode), ADA, WriteItem(BOB, destination_key=linked["id"]))
    assert keys(verdicts) == [made["id"], linked["id"]]


@pytest.mark.parametrize("mode", ["create", "upsert"])
def test_a_bad_record_among_others(hubspot: Account, mode: str) -> None:
    good, bad = written(hubspot.destination(mode=mode), ADA, {**BOB, "nickname": "B"})
    assert isinstance(good, Written)
    assert (error(bad).code, error(bad).field, error(bad).status) == ("FIELD_NOT_FOUND", "nickname", 207)


def test_fallback_keys_that_are_searched(hubspot: Account) -> None:
    made = hubspot.crm.add("contacts", {"firstname": "Ada", "phone": "+1"})
    hubspot.crm.add("contacts", {"firstname": "Bob", "phone": "+2"})
    destination = hubspot.destination(fallback_keys=[["firstname", "phone"]], mode="update")
    found, missing = written(destination, {**ADA, "phone": "+1"}, {**BOB, "phone": "+3"})
    assert keys([found]) == [made["id"]]
    assert error(missing).code == "RECORD_NOT_FOUND"


def test_archiving(hubspot: Account) -> None:
    hubspot.crm.add("contacts", {"email": "ada@example.com"})
    items = [WriteItem({"email": email}, deleted=True) for email in ("ada@example.com", "nobody@example.com")]
    assert all(isinstance(verdict, Written) for verdict in written(hubspot.destination(deletes="archive"), *items))
    assert hubspot.crm.objects["contacts"] == {}
