"""Reading a shop: throttles in a 200, query costs, lists within records, searches."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from airflow_provider_flux.connectors.contract import Window
from airflow_provider_flux.connectors.cursor import canonical
from airflow_provider_flux.errors import FluxError
from tests.contracts.servers.wire import Reply
from tests.contracts.shopify_shop import Shop, shop


@pytest.fixture
def crm() -> Iterator[Shop]:
    with shop() as crm:
        yield crm


@pytest.mark.parametrize("old_words", [False, True])
def test_a_throttle_in_a_200_is_waited_for_as_the_bucket_says(
    crm: Shop, old_words: bool, caplog: pytest.LogCaptureFixture
) -> None:
    crm.vendor.seed(3)
    crm.vendor.old_words = old_words
    crm.vendor.faults.append(Reply(200, crm.vendor.throttled(requested=70, available=66, rate=50)))
    with caplog.at_level(logging.WARNING):
        assert len(crm.read()) == 3
    # (70 - 66) / 50 = 0.08 seconds, and not the usual pause.
    assert "waiting 0.1 s" in caplog.text
    assert len(crm.vendor.calls) == 2


def test_a_throttle_that_does_not_end_is_a_rate_limit_and_no_empty_list(crm: Shop) -> None:
    crm.vendor.seed(3)
    crm.vendor.server.points.maximum = crm.vendor.server.points.available = 5
    crm.vendor.server.points.rate = 0.001
    with pytest.raises(FluxError) as raised:
        list(crm.source(one_try=True).read(Window()))
    assert raised.value.code == "RATE_LIMIT_EXCEEDED"
    assert raised.value.transient


def test_a_page_that_costs_too_much_is_asked_for_again_as_a_smaller_one(crm: Shop) -> None:
    crm.vendor.seed(130)
    fields = ["defaultEmailAddress.emailAddress", "addressesV2.city"]
    records = crm.read(fields=fields, page_size=250)
    assert len({record["id"] for record in records}) == 130
    sizes = [document["variables"]["first"] for document in crm.vendor.documents]
    # 250 customers with a list each cost 3502 points, of 1000 that one query may.
    assert sizes[0] == 250
    assert max(sizes[1:]) < 72
    assert len(set(sizes[1:])) == 1, "the page stays small"
    assert len(sizes) < 6


def test_the_default_fields_of_every_object_fit_into_one_query(crm: Shop) -> None:
    crm.vendor.seed(1)
    crm.vendor.product("chair")
    crm.vendor.order("#1001")
    for name in ("customers", "products", "orders"):
        assert len(crm.read(name)) == 1
    assert len(crm.vendor.documents) == 3


def test_a_list_within_a_record_is_read_to_its_end(crm: Shop) -> None:
    crm.vendor.order("#1001", items=10)
    crm.vendor.order("#1002", items=215)
    short, long = crm.read("orders")
    assert [item["title"] for item in short["lineItems"]] == [f"Thing {number}" for number in range(10)]
    assert [item["title"] for item in long["lineItems"]] == [f"Thing {number}" for number in range(215)]
    # The list, and three pages of a hundred for the order that has more than came with it.
    assert len(crm.vendor.documents) == 4


def test_the_search_names_the_window_and_what_the_flow_adds(crm: Shop) -> None:
    crm.vendor.seed(10)
    start, end = (canonical(f"2026-03-01T00:00:0{second}.5Z", "timestamp") for second in (3, 6))
    pages = list(crm.source(query="tag:'VIP' OR country:AT").read(Window(start, end)))
    asked = crm.vendor.documents[0]["variables"]["query"]
    parts = "(tag:'VIP' OR country:AT) AND updated_at:>='2026-03-01T00:00:03Z' AND updated_at:<'2026-03-01T00:00:07Z'"
    assert asked == parts
    assert "sortKey: UPDATED_AT" in crm.vendor.documents[0]["query"]
    assert [crm.vendor.read_email(record) for page in pages for record in page.records] == [
        f"person{number}@example.com" for number in (3, 4, 5, 6)
    ]


def test_a_field_that_the_schema_does_not_have_is_told_by_its_name(crm: Shop) -> None:
    with pytest.raises(FluxError, match="Field 'loyalty' doesn't exist on type 'Customer'") as raised:
        crm.read(fields=["loyalty"])
    assert raised.value.code == "PAYLOAD_MISMATCH"
    assert not raised.value.transient


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (["first name"], "is not a field"),
        (["addressesV2"], "`addressesV2` is a list: say which fields of its entries are read, as `addressesV2.id`"),
        (["defaultAddress"], "`defaultAddress` is an object: say which of its fields are read"),
        (["lastOrder.id", "lastOrder.id.x"], "both whole and in parts"),
        (["id } }"], "is not a field"),
    ],
)
def test_fields_are_checked_before_any_call(crm: Shop, fields: list[str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        crm.source(fields=fields)
    with pytest.raises(ValidationError, match="at most 250"):
        crm.source(page_size=251)


def test_a_missing_scope_is_told_by_its_name(crm: Shop) -> None:
    crm.vendor.scopes.remove("read_customers")
    with pytest.raises(FluxError, match="read_customers") as raised:
        crm.read()
    assert raised.value.code == "PERMISSION_DENIED"


def test_a_record_is_read_again_by_its_id_with_its_lists(crm: Shop) -> None:
    first, second = crm.vendor.order("#1001", items=12), crm.vendor.order("#1002")
    keys = [{"id": first["id"]}, {"id": "gid://shopify/Order/1"}, {"id": second["id"]}]
    records = [record for page in crm.source("orders").fetch(keys) for record in page.records]
    assert [(record["name"], len(record["lineItems"])) for record in records] == [("#1001", 12), ("#1002", 1)]
