"""How the connector `graphql` reads: pages, windows, errors of single records, and answers that are none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_flux.connectors.contract import Window
from airflow_provider_flux.connectors.cursor import canonical
from airflow_provider_flux.errors import FluxError
from tests.contracts.graphql_bench import Book, opened
from tests.contracts.servers.wire import Call, Reply
from tests.contracts.vendors.graphql import QUERY, refusal

EDGES = QUERY.replace("nodes { id email name phone updatedAt }", "edges { node { id email updatedAt } }")
OFFSET = """
query($limit: Int!, $offset: Int) {
  contacts(first: $limit, offset: $offset) { nodes { id email updatedAt } pageInfo { hasNextPage } }
}
"""


@pytest.fixture
def book() -> Iterator[Book]:
    with opened() as book:
        yield book


def test_edges_are_read_as_nodes_are(book: Book) -> None:
    book.vendor.seed(45)
    pages = book.read(query=EDGES, item=None)
    assert [len(page.records) for page in pages] == [20, 20, 5]
    assert pages[0].records[0]["email"] == "person0@example.com"


@pytest.mark.parametrize(("more", "calls"), [(None, 4), ("data.contacts.pageInfo.hasNextPage", 3)])
def test_offsets_end_with_an_empty_page_or_where_the_server_says_so(book: Book, more: str | None, calls: int) -> None:
    book.vendor.seed(45)
    page = {"kind": "offset", "size": 20} | ({"more": more} if more else {})
    pages = book.read(
        query=OFFSET, page=page, item=None, cursor=None, incremental=None, records="data.contacts.nodes"
    )
    assert sum(len(page.records) for page in pages) == 45
    assert len(book.wire.calls) == calls


def test_the_window_goes_into_a_part_of_a_variable_and_an_open_end_goes_nowhere(book: Book) -> None:
    start = canonical("2026-03-01T00:00:05Z", "timestamp")
    list(book.source().read(Window(start)))
    list(book.source().read(Window()))
    sent = [call.json()["variables"] for call in book.wire.calls]
    assert sent == [
        {"first": 20, "filter": {"updatedAt": {"gte": "2026-03-01T00:00:05Z"}}},
        {"first": 20},
    ]


@pytest.mark.parametrize(
    "refused",
    [
        refusal(200, "Query cost is 1200, which exceeds the single query max cost limit", "MAX_COST_EXCEEDED"),
        refusal(400, "Query is too complex", "MAX_COST_EXCEEDED"),
        refusal(200, "Requesting 20 records exceeds the `first` limit of 10 records.", "EXCESSIVE_PAGINATION"),
        refusal(200, "Argument `first` must be between 1 and 10", "ARGUMENT_ERROR"),
    ],
)
def test_a_page_that_is_refused_for_its_size_is_asked_for_in_a_smaller_one(book: Book, refused: Reply) -> None:
    book.vendor.seed(25)

    def costly(call: Call) -> Reply | None:
        book.vendor.faults.append(costly)
        return refused if call.json()["variables"]["first"] > 10 else None

    book.vendor.faults.append(costly)
    assert [len(page.records) for page in book.read()] == [10, 10, 5]
    assert [call.json()["variables"]["first"] for call in book.wire.calls] == [20, 10, 10, 10]


def test_the_server_says_how_much_smaller(book: Book) -> None:
    book.vendor.seed(7)
    told = {"code": "MAX_COST_EXCEEDED", "cost": 2000, "maxCost": 500}
    book.vendor.faults.append(Reply(200, {"errors": [{"message": "too costly", "extensions": told}]}))
    assert sum(len(page.records) for page in book.read()) == 7
    assert [call.json()["variables"]["first"] for call in book.wire.calls] == [20, 5, 5]


def test_a_page_of_one_that_costs_too_much_is_an_error_of_the_query(book: Book) -> None:
    def costly(call: Call) -> Reply:
        book.vendor.faults.append(costly)
        return refusal(200, "too costly", "MAX_COST_EXCEEDED")

    book.vendor.faults.append(costly)
    with pytest.raises(FluxError) as caught:
        book.read()
    assert caught.value.code == "BAD_REQUEST"
    assert [call.json()["variables"]["first"] for call in book.wire.calls] == [20, 10, 5, 2, 1]


def partial(nodes: list[Any], *errors: dict[str, Any]) -> Reply:
    found = {"nodes": nodes, "pageInfo": {"hasNextPage": False, "endCursor": None}}
    return Reply(200, {"data": {"contacts": found}, "errors": list(errors)})


def test_an_error_in_one_record_costs_only_that_record(book: Book) -> None:
    nodes = [{"id": "1", "email": "a@example.com"}, None, {"id": "3", "email": None}]
    errors = [
        {"message": "no access", "path": ["contacts", "nodes", 1], "extensions": {"code": "FORBIDDEN"}},
        {"message": "The phone is gone", "path": ["contacts", "nodes", 2, "email"]},
        {"message": "slow", "path": ["viewer"]},
    ]
    book.vendor.faults.append(partial(nodes, *errors))
    (page,) = book.read()
    assert {place: error.code for place, error in page.defects.items()} == {1: "PERMISSION_DENIED", 2: "UNKNOWN"}
    assert "The phone is gone" in page.defects[2].message
    assert page.records[0] == nodes[0]


@pytest.mark.parametrize(
    "error",
    [
        {"message": "Half of it"},
        {"message": "Half of it", "path": ["contacts"]},
        {"message": "Half of it", "path": ["contacts", "nodes"], "extensions": {"code": "INTERNAL_SERVER_ERROR"}},
    ],
)
def test_an_error_after_which_records_may_be_missing_ends_the_read(book: Book, error: dict[str, Any]) -> None:
    book.vendor.faults.append(partial([{"id": "1"}], error))
    with pytest.raises(FluxError, match="Half of it"):
        book.read()


def test_an_error_in_one_record_that_took_the_list_with_it_is_told(book: Book) -> None:
    """A field that is never null turns null into null of what is around it."""
    told = {"message": "name is null", "path": ["contacts", "nodes", 3, "name"]}
    book.vendor.faults.append(Reply(200, {"data": {"contacts": None}, "errors": [told]}))
    with pytest.raises(FluxError, match="name is null") as caught:
        book.read()
    assert caught.value.code == "UNKNOWN"


@pytest.mark.parametrize(
    ("reply", "code", "words"),
    [
        (refusal(400, 'Cannot query field "nmae" on type "Contact".', "GRAPHQL_VALIDATION_FAILED"),
         "PAYLOAD_MISMATCH", "nmae"),
        (refusal(400, 'Variable "$first" got invalid value "x"; Int cannot represent it', "BAD_USER_INPUT"),
         "PAYLOAD_MISMATCH", "first"),
        (refusal(200, "the key has expired", "UNAUTHENTICATED"), "AUTHENTICATION_FAILED", "expired"),
        (refusal(403, "this key is of another project", "FORBIDDEN"), "PERMISSION_DENIED", "another project"),
        (Reply(404, b"<html><title>No such page</title></html>", {"Content-Type": "text/html"}),
         "NOT_FOUND", "No such page"),
        (Reply(415, b"Content-Type must be application/json", {"Content-Type": "text/plain"}),
         "BAD_REQUEST", "application/json"),
        (Reply(200, b"<html><title>Sign in</title></html>", {"Content-Type": "text/html"}),
         "UNREADABLE_ANSWER", "Sign in"),
        (Reply(200, {"extensions": {}}), "UNREADABLE_ANSWER", "neither `data` nor `errors`"),
        (Reply(200, {"data": None}), "UNREADABLE_ANSWER", "neither `data` nor `errors`"),
        (Reply(200, {"data": {"contacts": {"count": 4}}}), "UNREADABLE_ANSWER", "count"),
        (Reply(200, b'{"data": ' + b"[" * 90_000 + b"]" * 90_000 + b"}"), "UNREADABLE_ANSWER", "data"),
        (Reply(200, {"data": {"contacts": {"nodes": []}}}), "BAD_REQUEST", "pageInfo.hasNextPage"),
    ],
)  # fmt: skip
def test_each_bad_answer_has_its_code_and_is_kept(book: Book, reply: Reply, code: str, words: str) -> None:
    book.vendor.faults.append(reply)
    with pytest.raises(FluxError) as caught:
        book.read()
    assert caught.value.code == code
    assert words in caught.value.message


def test_a_cursor_that_comes_back_is_no_endless_loop(book: Book) -> None:
    def again(call: Call) -> Reply:
        book.vendor.faults.append(again)
        page = {"nodes": [{"id": "1"}], "pageInfo": {"hasNextPage": True, "endCursor": "same"}}
        return Reply(200, {"data": {"contacts": page}})

    book.vendor.faults.append(again)
    with pytest.raises(FluxError, match="read before") as caught:
        book.read()
    assert caught.value.code == "BAD_REQUEST"
    assert len(book.wire.calls) == 2


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (Reply(200, {"data": {"contact": None}}), 0),
        (refusal(200, "no such contact", "NOT_FOUND"), 0),
        (Reply(200, {"data": {"contact": None}, "errors": [{"message": "no", "path": ["contact"],
                     "extensions": {"code": "NOT_FOUND"}}]}), 0),
        (Reply(200, {"data": {"contact": {"id": "7", "email": "a@example.com"}}}), 1),
    ],
)  # fmt: skip
def test_a_record_that_is_gone_is_left_out_when_it_is_asked_for(book: Book, reply: Reply, found: int) -> None:
    book.vendor.faults.append(reply)
    assert len(list(book.source().fetch([{"id": "7"}]))) == found
    assert book.wire.calls[0].json()["variables"] == {"id": "7"}


def test_half_of_a_record_is_not_taken_for_the_record(book: Book) -> None:
    told = {"message": "the e-mail cannot be told", "path": ["contact", "email"]}
    book.vendor.faults.append(Reply(200, {"data": {"contact": {"id": "7", "email": None}}, "errors": [told]}))
    with pytest.raises(FluxError, match="cannot be told"):
        list(book.source().fetch([{"id": "7"}]))
