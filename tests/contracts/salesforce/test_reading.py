"""SOQL: what is asked for, page by page, related records, the recycle bin, and values that try to be SOQL."""

from __future__ import annotations

import pytest

from airflow_provider_flux.connectors.contract import Window
from airflow_provider_flux.errors import FluxError
from tests.contracts.salesforce.conftest import Org
from tests.contracts.suite.account import window
from tests.contracts.vendors.salesforce import refused

FIELDS = ["Email__c", "LastName"]


def test_the_window_is_asked_for_by_system_modstamp_in_its_order(org: Org) -> None:
    org.vendor.seed(30)
    source = org.reads(fields=FIELDS)
    assert [len(page.records) for page in source.read(window(10, 20))] == [10]
    assert org.queries() == [
        "SELECT Email__c, LastName, Id, SystemModstamp FROM Contact WHERE SystemModstamp >= 2026-03-01T00:00:10.000Z "
        "AND SystemModstamp < 2026-03-01T00:00:20.000Z ORDER BY SystemModstamp, Id"
    ]


def test_microseconds_that_soql_has_not_lose_no_record(org: Org) -> None:
    source = org.reads(fields=FIELDS)
    list(source.read(Window("2026-03-01T00:00:10.000999Z", "2026-03-01T00:00:20.000001Z")))
    (query,) = org.queries()
    assert "SystemModstamp >= 2026-03-01T00:00:10.000Z AND SystemModstamp < 2026-03-01T00:00:20.001Z" in query


def test_pages_follow_the_relative_next_records_url(org: Org) -> None:
    org.vendor.seed(401)
    source = org.reads(fields=FIELDS, page_size=200)
    assert [len(page.records) for page in source.read(window())] == [200, 200, 1]
    first, *rest = org.calls()
    assert first == "GET /services/data/v63.0/query"
    assert all(path.startswith("GET /services/data/v63.0/query/01g") for path in rest)
    assert {call.headers["sforce-query-options"] for call in org.vendor.calls if call.method == "GET"} == {
        "batchSize=200"
    }


def test_records_come_without_attributes_and_with_those_they_point_to(org: Org) -> None:
    org.vendor.seed(2)
    org.vendor.records["Account"]["001000000000001AAA"] = {"Id": "001000000000001AAA", "Name": "Acme"}
    org.vendor.records["Contact"]["003000000000001SED"]["AccountId"] = "001000000000001AAA"
    (page,) = org.reads(fields=["Account.Name"]).read(window())
    assert page.records == [
        {"Account": None, "Id": "003000000000000SED", "SystemModstamp": "2026-03-01T00:00:00.000+0000"},
        {"Account": {"Name": "Acme"}, "Id": "003000000000001SED", "SystemModstamp": "2026-03-01T00:00:01.000+0000"},
    ]


def test_records_in_the_recycle_bin_come_as_tombstones_where_the_flow_asks_for_them(org: Org) -> None:
    org.vendor.seed(3)
    org.vendor.records["Contact"]["003000000000001SED"]["IsDeleted"] = True
    assert sum(len(page.records) for page in org.reads(fields=FIELDS).read(window())) == 2
    (page,) = org.reads(fields=FIELDS, deleted={"field": "IsDeleted"}).read(window())
    assert [record["IsDeleted"] for record in page.records] == [False, True, False]
    assert org.calls()[-1] == "GET /services/data/v63.0/queryAll"


def test_records_are_fetched_by_any_key_a_hundred_in_a_query(org: Org) -> None:
    org.vendor.seed(250)
    source = org.reads(fields=FIELDS, key="Email__c")
    keys = [{"Email__c": f"person{number}@example.com"} for number in range(250)]
    assert sum(len(page.records) for page in source.fetch(keys)) == 250
    assert len(org.calls()) == 3


def test_what_can_be_no_id_is_not_asked_for(org: Org) -> None:
    """Salesforce would refuse the whole query."""
    org.vendor.seed(1)
    pages = list(org.reads(fields=FIELDS).fetch([{"Id": "17"}, {"Id": "003000000000000SED"}, {"Id": None}]))
    assert [record["Id"] for page in pages for record in page.records] == ["003000000000000SED"]


@pytest.mark.parametrize(
    "value",
    ["' OR Name != '", "\\' OR 1=1 --", "') OR (Id != '", "O'Brien", "back\\slash", "tab\tand\nline", "ünïcode 雪"],
)
def test_no_value_can_become_a_part_of_the_query(org: Org, value: str) -> None:
    org.vendor.seed(3)
    org.vendor.records["Contact"]["003000000000001SED"]["Email__c"] = value
    pages = list(org.reads(fields=FIELDS, key="Email__c").fetch([{"Email__c": value}]))
    assert [record["Email__c"] for page in pages for record in page.records] == [value]


def test_an_object_that_is_not_there_is_an_error_of_the_flow(org: Org) -> None:
    with pytest.raises(FluxError) as caught:
        list(org.reads(object="Contacts", fields=["Name"]).read(window()))
    assert caught.value.code == "NOT_FOUND"
    assert "sObject type 'Contacts' is not supported" in caught.value.message


def test_a_field_that_is_not_there_is_named(org: Org) -> None:
    with pytest.raises(FluxError) as caught:
        list(org.reads(fields=["Emial__c"]).read(window()))
    assert caught.value.code == "FIELD_NOT_FOUND"
    assert "No such column 'Emial__c'" in caught.value.message


def test_a_list_whose_rest_has_expired_is_read_anew_by_the_retry(org: Org) -> None:
    org.vendor.seed(201)
    pages = org.reads(fields=FIELDS, page_size=200).read(window())
    next(pages)
    org.vendor.locators.clear()
    with pytest.raises(FluxError) as caught:
        next(pages)
    assert (caught.value.code, caught.value.transient) == ("SOURCE_OUTAGE", True)


def test_a_daily_limit_is_no_outage_and_is_asked_once(org: Org) -> None:
    """403 without Retry-After: no wait within a task outlasts it."""
    org.vendor.seed(1)
    org.vendor.faults.append(refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
    with pytest.raises(FluxError) as caught:
        list(org.reads(fields=FIELDS).read(window()))
    assert (caught.value.code, caught.value.transient) == ("QUOTA_EXHAUSTED", False)
    assert len(org.calls()) == 1


def test_the_clock_is_that_of_the_org(org: Org) -> None:
    now = org.reads(fields=FIELDS).now()
    assert now is not None
    assert now.tzinfo is not None
