"""Reading Pipedrive: lists by cursor, windows, tombstones, many records by their ids, fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from airflow_provider_flux.connectors.contract import Source
from airflow_provider_flux.connectors.declare import Description
from airflow_provider_flux.connectors.pipedrive import Pipedrive
from airflow_provider_flux.errors import FluxError
from tests.contracts.pipedrive_company import Company, company
from tests.contracts.servers.wire import Call, Reply
from tests.contracts.suite.account import window
from tests.contracts.vendors.pipedrive_api import CHOICE, CUSTOM, refusal


@pytest.fixture
def crm() -> Iterator[Company]:
    with company() as crm:
        yield crm


def read(source: Source, start: int | None = None, end: int | None = None) -> list[dict[str, Any]]:
    return [record for page in source.read(window(start, end)) for record in page.records]


def test_the_largest_page_is_asked_for_and_a_lowered_one_skips_nothing(
    crm: Company, caplog: pytest.LogCaptureFixture
) -> None:
    crm.vendor.seed(250)
    pages = list(crm.source("persons").read(window()))
    assert [len(page.records) for page in pages] == [100, 100, 50]
    assert {call.param("limit") for call in crm.vendor.calls} == {"500"}
    assert "the API lowers the page size" in caplog.text


def test_a_refused_page_size_is_overcome_by_the_vendors_own(crm: Company) -> None:
    crm.vendor.seed(150)

    def refuse_500(call: Call) -> Reply | None:
        crm.vendor.faults.append(refuse_500)
        return refusal(400, "limit must be less than or equal to 200") if call.param("limit") == "500" else None

    crm.vendor.faults.append(refuse_500)
    assert len(read(crm.source("persons"))) == 150
    assert [call.param("limit") for call in crm.vendor.calls] == ["500", "", ""]


def test_a_window_is_asked_for_in_whole_seconds(crm: Company) -> None:
    """The API answers 400 to fractions of a second."""
    crm.vendor.seed(30)
    assert len(read(crm.source("persons"), 10, 20)) == 10
    [call] = crm.vendor.calls
    assert call.param("updated_since") == "2026-03-01T00:00:10Z"
    assert call.param("updated_until") == "2026-03-01T00:00:20Z"
    assert (call.param("sort_by"), call.param("sort_direction")) == ("update_time", "asc")


def test_deals_show_the_deleted_and_persons_do_not(crm: Company) -> None:
    for name, field in (("deals", "title"), ("persons", "name")):
        kept, gone = crm.have(name, **{field: "kept"}), crm.have(name, **{field: "gone"})
        crm.vendor.records[name][gone]["is_deleted"] = True
        found = {record["id"]: record for page in crm.source(name).read(window()) for record in page.records}
        assert found[kept]["is_deleted"] is False
        assert (gone in found) is (name == "deals")
    options = crm.source_options("deals")
    assert options.deleted is not None
    assert (options.deleted.field, options.deleted.equals) == ("is_deleted", True)


def test_archived_deals_are_an_object_of_their_own(crm: Company) -> None:
    crm.have("deals", title="open")
    archived = crm.have("deals", title="old", is_archived=True)
    pages = list(crm.source("archived_deals").read(window()))
    assert [record["id"] for page in pages for record in page.records] == [archived]


def test_products_have_no_filter_and_come_whole(crm: Company) -> None:
    crm.have("products", name="Chair")
    assert [len(page.records) for page in crm.source("products").read(window(5, 10))] == [1]
    assert not crm.vendor.calls[0].param("updated_since")


def test_custom_fields_come_by_their_codes(crm: Company) -> None:
    crm.have("persons", name="Ada", custom_fields={CUSTOM: "K-1", CHOICE: 2})
    [page] = crm.source("persons").read(window())
    assert page.records[0]["custom_fields"] == {CUSTOM: "K-1", CHOICE: 2}


def test_a_hundred_records_are_read_again_in_one_call(crm: Company) -> None:
    crm.vendor.seed(150)
    ids = list(crm.vendor.records["persons"])
    crm.vendor.records["persons"][ids[0]]["is_deleted"] = True
    keys = [{"id": key} for key in [*ids[:120], 999_999, "no id"]]
    found = [record["id"] for page in crm.source("persons").fetch(keys) for record in page.records]
    assert sorted(found) == ids[1:120]
    assert [len(call.param("ids").split(",")) for call in crm.vendor.calls] == [100, 21]
    assert "no id" not in crm.vendor.calls[1].param("ids")


def test_records_known_by_another_key_are_not_read_by_it(crm: Company) -> None:
    assert crm.source_options("persons").can_fetch()
    assert not crm.source_options("persons", key="name").can_fetch()


def test_the_clock_is_the_vendors(crm: Company) -> None:
    now = crm.source("persons").now()
    assert now is not None
    assert now.tzinfo is not None


def test_an_object_that_does_not_exist_is_refused_with_those_that_do(crm: Company) -> None:
    with pytest.raises(ValidationError, match="there is no object `contacts` here; there are activities"):
        crm.source_options("contacts")
    with pytest.raises(ValidationError, match="there is no object `archived_deals` here"):
        crm.destination_options("archived_deals", key="id")


def described(crm: Company, name: str) -> Description:
    return Pipedrive.describe(crm.credentials(), None, name)


def test_fields_are_described_with_the_custom_ones(crm: Company) -> None:
    fields = {field.name: field for field in described(crm, "persons").fields}
    number, choice = fields[f"custom_fields.{CUSTOM}"], fields[f"custom_fields.{CHOICE}"]
    assert (number.type, number.label, number.max_length) == ("string", "Customer number", 255)
    assert (number.custom, number.required, number.read_only) == (True, False, False)
    assert choice.enum == ("1", "2")
    assert choice.label == "Lead source: 1 = Inbound, 2 = Outbound (required in Pipedrive's own forms)"
    assert not choice.required  # nobody says that the API insists
    assert fields["name"].required
    assert fields["activities_count"].read_only
    assert fields["emails"].type == "array"
    # Two pages of fields, at 10 tokens each.
    assert (len(crm.vendor.calls), crm.vendor.tokens) == (2, 20)


@pytest.mark.parametrize("name", ["organizations", "deals", "archived_deals", "products", "activities"])
def test_every_object_is_described(crm: Company, name: str) -> None:
    told = described(crm, name)
    assert (told.object, told.complete) == (name, True)
    assert {"id", "update_time"} <= {field.name for field in told.fields}


def test_an_object_that_does_not_exist_is_not_described(crm: Company) -> None:
    with pytest.raises(FluxError, match="has no object 'leads'") as caught:
        described(crm, "leads")
    assert (caught.value.code, crm.vendor.calls) == ("NOT_FOUND", [])
