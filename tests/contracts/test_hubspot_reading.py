"""Reading HubSpot: the list, the search and its ceiling, the recycle bin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from airflow_provider_flux.connectors.contract import Window
from airflow_provider_flux.connectors.hubspot.options import HubspotSourceOptions
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.stages.judge import Judge
from tests.contracts.hubspot_account import Account, account
from tests.contracts.servers.wire import Call, Reply
from tests.contracts.vendors.hubspot_crm import FIRST_SECOND

BEGIN, LATER, END = "2026-03-01T00:00:00Z", "2026-03-01T00:00:05Z", "2026-03-01T00:00:08.000500Z"


@pytest.fixture
def hubspot() -> Iterator[Account]:
    with account() as hubspot:
        yield hubspot


def test_a_first_run_lists_everything_by_the_token_of_the_page_before(hubspot: Account) -> None:
    hubspot.vendor.seed(250)
    assert len({record["id"] for record in hubspot.read()}) == 250
    assert hubspot.calls == ["GET contacts"] * 3
    tokens = [call.param("after") for call in hubspot.vendor.calls]
    assert tokens[0] == "" and tokens[1] < tokens[2]
    assert {call.param("limit") for call in hubspot.vendor.calls} == {"100"}


def test_properties_stand_beside_the_id_and_the_dates(hubspot: Account) -> None:
    hubspot.vendor.seed(1)
    (record,) = hubspot.read()
    assert (record["email"], record["firstname"], record["archived"]) == ("person0@example.com", "Person 0", False)
    assert record["id"] == record["hs_object_id"]
    assert record["updatedAt"] == "2026-03-01T00:00:00.000Z"
    assert "properties" not in record


def test_the_properties_that_the_flow_names_are_asked_for_and_the_date_of_the_last_change(hubspot: Account) -> None:
    hubspot.read(fields=["email", "customer_number", "id"])
    assert hubspot.vendor.calls[0].param("properties") == "email,customer_number,lastmodifieddate"
    hubspot.read(BEGIN, fields=["email"])
    assert hubspot.bodies[-1]["properties"] == ["email", "lastmodifieddate"]


def test_a_custom_object_is_read_with_the_properties_that_hubspot_chooses(hubspot: Account) -> None:
    hubspot.crm.add("2-1234567", {"plate": "B-AA 1"})
    (record,) = hubspot.read(name="2-1234567")
    assert record["hs_lastmodifieddate"] == record["updatedAt"]
    assert "properties" not in hubspot.vendor.calls[0].query


def test_a_later_run_searches_with_every_member_that_hubspot_demands_and_texts_as_values(hubspot: Account) -> None:
    hubspot.vendor.seed(20)
    found = hubspot.read(LATER, END)
    assert [record["email"] for record in found] == [f"person{number}@example.com" for number in (5, 6, 7, 8)]
    assert hubspot.calls == ["POST contacts/search"]
    (body,) = hubspot.bodies
    assert body["filterGroups"] == [
        {
            "filters": [
                {"propertyName": "lastmodifieddate", "operator": "GTE", "value": "1772323205000"},
                {"propertyName": "lastmodifieddate", "operator": "LT", "value": "1772323208001"},
                {"propertyName": "hs_object_id", "operator": "GT", "value": "0"},
            ]
        }
    ]
    assert (body["limit"], body["after"], body["sorts"]) == (200, "0", ["hs_object_id"])


def test_more_properties_than_fit_into_a_url_are_asked_for_in_the_body_of_a_search(hubspot: Account) -> None:
    hubspot.vendor.seed(3)
    fields = ["email", *(f"a_property_with_a_long_name_{number}" for number in range(300))]
    found = hubspot.read(fields=fields, archived=True)
    assert [record["email"] for record in found] == [f"person{number}@example.com" for number in range(3)]
    assert hubspot.calls == ["POST contacts/search", "GET contacts"]
    assert [one["propertyName"] for one in hubspot.bodies[0]["filterGroups"][0]["filters"]] == ["hs_object_id"]
    assert len(hubspot.bodies[0]["properties"]) == 302
    assert "properties" not in hubspot.vendor.calls[1].query


def test_everything_but_contacts_has_another_property_for_the_last_change(hubspot: Account) -> None:
    hubspot.crm.add("companies", {"name": "Acme"})
    assert [record["name"] for record in hubspot.read(BEGIN, name="companies")] == ["Acme"]
    assert hubspot.bodies[0]["filterGroups"][0]["filters"][0]["propertyName"] == "hs_lastmodifieddate"


def test_more_results_than_a_search_hands_out_are_read_by_their_ids(hubspot: Account) -> None:
    for number in range(10_450):  # all changed at once, as an import does it
        hubspot.crm.add("contacts", {"firstname": f"P{number}"}, FIRST_SECOND)
    found = hubspot.read(BEGIN)
    assert len({record["id"] for record in found}) == len(found) == 10_450
    assert {body["after"] for body in hubspot.bodies} == {"0"}
    assert len(hubspot.calls) == 53
    beyond = {**hubspot.bodies[0], "after": "10000"}
    assert hubspot.crm.search("contacts", beyond).status == 400


def test_a_search_whose_pages_are_smaller_than_asked_for_is_read_to_its_end(hubspot: Account) -> None:
    hubspot.vendor.seed(250)
    hubspot.crm.largest_page = 100
    assert len(hubspot.read(BEGIN)) == 250
    assert len(hubspot.calls) == 3


def test_a_search_that_is_not_in_the_order_of_the_ids_is_an_error_and_no_gap(hubspot: Account) -> None:
    hubspot.vendor.seed(250)

    def reversed_page(call: Call) -> Reply:
        reply = hubspot.vendor.handle(call)
        reply.body["results"].reverse()
        return reply

    hubspot.vendor.faults.append(reversed_page)
    with pytest.raises(FluxError, match="order of the ids") as caught:
        hubspot.read(BEGIN)
    assert caught.value.code == "UNREADABLE_ANSWER"


def test_what_the_search_does_not_know_yet_is_read_by_the_run_after(hubspot: Account) -> None:
    hubspot.vendor.seed(10)
    late = hubspot.crm.find("contacts", "email", "person7@example.com")
    assert late is not None
    hubspot.crm.lagging.add(late["id"])
    assert len(hubspot.read(BEGIN)) == 9
    hubspot.crm.lagging.clear()
    options = HubspotSourceOptions.model_validate({"connector": "hubspot", "connection": "crm", "object": "contacts"})
    assert options.cursor is not None
    # A run begins so long before the last change that the one before has seen.
    assert options.cursor.effective_lookback == timedelta(minutes=10)
    assert "person7@example.com" in {record["email"] for record in hubspot.read("2026-02-28T23:50:09Z")}


def test_archived_records_come_as_deletes_that_are_newer_than_the_last_change(hubspot: Account) -> None:
    hubspot.vendor.seed(3)
    gone = hubspot.crm.find("contacts", "email", "person1@example.com")
    assert gone is not None
    hubspot.crm.archive("contacts", gone["id"], FIRST_SECOND + timedelta(hours=1))
    options = HubspotSourceOptions.model_validate(
        {"connector": "hubspot", "connection": "crm", "object": "contacts", "archived": True}
    )
    asked = Window("2026-03-01T00:30:00.000000Z", None)
    pages = list(hubspot.source(archived=True).read(asked))
    records = [record for page in pages for record in Judge(options).records(page, asked)[0]]
    assert [(record.key, record.deleted) for record in records] == [(gone["id"], True)]
    assert hubspot.calls == ["POST contacts/search", "GET contacts"]
    assert hubspot.vendor.calls[-1].param("archived") == "true"


def test_the_recycle_bin_is_not_read_unless_the_flow_says_so(hubspot: Account) -> None:
    hubspot.vendor.seed(1)
    hubspot.read()
    hubspot.read(BEGIN)
    assert not [call for call in hubspot.vendor.calls if call.param("archived") == "true"]


def test_records_are_read_again_100_in_a_call_and_the_missing_are_left_out(hubspot: Account) -> None:
    hubspot.vendor.seed(150)
    ids = sorted(hubspot.crm.objects["contacts"])
    wanted = [{"id": one} for one in [*ids, "999999"]]
    found = [record["id"] for page in hubspot.source().fetch(wanted) for record in page.records]
    assert sorted(found) == ids
    assert hubspot.calls == ["POST contacts/batch/read"] * 2


def test_a_list_that_never_ends_is_an_error(hubspot: Account) -> None:
    hubspot.vendor.seed(250)
    same = hubspot.vendor.handle
    hubspot.read()
    second = hubspot.vendor.calls[1]
    hubspot.vendor.faults += [lambda call: same(second)] * 3
    with pytest.raises(FluxError, match="without end"):
        hubspot.read()


def test_the_clock_is_that_of_hubspot(hubspot: Account) -> None:
    assert hubspot.source().now() is not None
    assert hubspot.calls == ["HEAD contacts"]
