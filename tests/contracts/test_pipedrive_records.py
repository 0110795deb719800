"""What becomes of a record of Pipedrive: its e-mails and phones, deletes, and what the calls cost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from airflow_provider_flux.connectors.contract import WriteItem
from airflow_provider_flux.errors import RecordError
from tests.contracts.pipedrive_company import Company, company, keys, written

ADA = {"email": "ada@example.com", "name": "Ada Lovelace"}


@pytest.fixture
def crm() -> Iterator[Company]:
    with company() as crm:
        yield crm


def emails(crm: Company, key: int) -> list[tuple[str, bool]]:
    return [(entry["value"], entry["primary"]) for entry in crm.records()[key]["emails"]]


# --- e-mails and phones -------------------------------------------------------------------------------


def test_a_single_email_becomes_the_primary_one_and_the_others_are_kept(crm: Company) -> None:
    old = [{"value": "old@example.com", "primary": True, "label": "home"}, {"value": "x@example.com", "primary": False}]
    key = crm.have("persons", name="Ada", emails=old, phones=[{"value": "1", "primary": True}])
    keys(written(crm.destination(), ADA, key=key))
    assert emails(crm, key) == [("ada@example.com", True), ("old@example.com", False), ("x@example.com", False)]
    assert crm.records()[key]["phones"] == [{"value": "1", "primary": True}]
    # One that is there keeps its label, and what is not changed is not sent.
    keys(written(crm.destination(), {"email": ["OLD@example.com"], "name": "Ada"}, key=key))
    assert crm.records()[key]["emails"][0] == {"value": "OLD@example.com", "primary": True, "label": "home"}
    keys(written(crm.destination(), {"email": "OLD@example.com"}, key=key))
    assert crm.vendor.calls[-1].json() == {}


def test_lists_as_the_api_has_them_replace_what_is_there(crm: Company) -> None:
    key = crm.have("persons", name="Ada", emails=[{"value": "old@example.com", "primary": True}])
    record = {"email": "new@example.com", "emails": [{"value": "new@example.com", "primary": True, "label": "work"}]}
    crm.vendor.calls.clear()
    keys(written(crm.destination(), record, key=key))
    assert emails(crm, key) == [("new@example.com", True)]
    assert crm.calls == [f"PATCH persons/{key}"]  # nothing has to be read before


def test_no_email_changes_none(crm: Company) -> None:
    there = [{"value": "a@example.com", "primary": False}, {"value": "b@example.com", "primary": True}]
    key = crm.have("persons", name="Ada", emails=there)
    keys(written(crm.destination(), {"email": None, "name": "Ada K."}, key=key))
    assert emails(crm, key) == [("a@example.com", False), ("b@example.com", True)]


# --- deletes, and what the calls cost -----------------------------------------------------------------


def test_a_deal_is_archived_and_comes_back_with_its_next_change(crm: Company) -> None:
    destination = crm.destination("deals", key="title", deletes="archive")
    [key] = keys(written(destination, {"title": "Big"}))
    destination.write([WriteItem({"title": "Big"}, deleted=True, destination_key=key)])
    assert crm.records("deals")[int(key or 0)]["is_archived"] is True
    keys(written(destination, {"title": "Bigger"}, key=int(key or 0)))
    assert crm.records("deals")[int(key or 0)]["is_archived"] is False
    with pytest.raises(ValidationError, match="`deletes: archive` is not possible here; possible are ignore, delete"):
        crm.destination_options(deletes="archive")


def test_an_activity_is_made_and_changed_by_its_id(crm: Company) -> None:
    [key] = keys(written(crm.destination("activities", key=None, mode="create"), {"subject": "Call", "type": "call"}))
    destination = crm.destination("activities", key="id", mode="update")
    keys(written(destination, {"id": int(key or 0), "done": True}))
    assert crm.records("activities")[int(key or 0)]["done"] is True
    [missing] = written(destination, {"id": 4711, "done": True})
    assert isinstance(missing, RecordError)
    assert missing.code == "RECORD_NOT_FOUND"


def test_what_the_calls_cost_is_what_the_page_says(crm: Company) -> None:
    """docs/connectors/pipedrive.md: 25 for a new person and 20 for a fallback key, 5 or 6 for one that is known."""
    destination = crm.destination()
    keys(written(destination, ADA))
    assert crm.vendor.tokens == 20 + 10 + 5
    crm.vendor.tokens = 0
    keys(written(destination, {"email": "bob@example.com", "name": "Bob"}))
    assert crm.vendor.tokens == 25
    crm.vendor.tokens = 0
    keys(written(crm.destination(fallback_keys=["phone"]), {"email": "cyd@example.com", "name": "Cyd", "phone": "1"}))
    assert crm.vendor.tokens == 20 + 10 + 20 + 5
    crm.vendor.tokens = 0
    [key] = [key for key, row in crm.records().items() if row["name"] == "Bob"]
    keys(written(destination, {"name": "Bobby"}, key=key))
    keys(written(destination, {"name": "Bobby", "email": "bob@example.com"}, key=key))
    assert crm.vendor.tokens == 5 + 6
