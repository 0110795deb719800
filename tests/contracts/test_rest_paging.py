"""Every kind of paging against a SaaS, and every way in which paging goes wrong."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from airflow_provider_flux.connectors.contract import Source, Window
from airflow_provider_flux.errors import FluxError
from tests.contracts.conftest import Bench, ids, pages
from tests.contracts.servers.saas import Saas, contacts
from tests.contracts.servers.wire import Call, Reply, script

KINDS = {
    "cursor": "{path: /cursor/x, records: data.items, page: {kind: cursor, param: after, next: meta.paging.next.after, "
    "size_param: limit, size: 100}}",
    "page": "{path: /page/x, records: items, page: {kind: page, size_param: per_page, size: 100}}",
    "page with more": "{path: /page/x, records: items, "
    "page: {kind: page, size_param: per_page, size: 100, more: more}}",
    "page of the api's own size": "{path: /page/x, records: items, page: {kind: page, param: page}}",
    "offset": "{path: /offset/x, page: {kind: offset, size_param: limit, size: 100}}",
    "link header": "{path: /link/x, page: {kind: link_header, size_param: limit, size: 100}}",
    "next url": "{path: /nexturl/x, records: value, page: {kind: next_url, next: '@odata.nextLink'}}",
    "next url header": "{path: /nextheader/x, records: data, page: {kind: next_url_header, header: Next-Page}}",
    "search": "{path: /search/x, method: POST, body: {filter: {}}, parameters_in: body, records: results, "
    "page: {kind: cursor, param: after, next: after, size_param: limit, size: 100}}",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 237, 300])
def test_every_record_is_read_once(bench: Bench, kind: str, count: int) -> None:
    saas = Saas(*contacts(count))
    found = pages(bench.source(bench.server(saas.answer), KINDS[kind]))
    assert ids(found) == [contact["id"] for contact in contacts(count)]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "own size" not in kind])
@pytest.mark.parametrize("cap", [10, 33, 50])
@pytest.mark.parametrize("counts_asked", [False, True])
@pytest.mark.parametrize("count", [30, 237])
def test_a_page_size_that_the_server_lowers_skips_nothing(
    bench: Bench, kind: str, cap: int, counts_asked: bool, count: int
) -> None:
    saas = Saas(*contacts(count), cap=cap)
    saas.counts_asked = counts_asked
    found = pages(bench.source(bench.server(saas.answer), KINDS[kind]))
    assert ids(found) == [contact["id"] for contact in contacts(count)]


def test_a_lowered_page_size_is_logged_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    for kind in ("page", "offset"):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            pages(bench.source(bench.server(Saas(*contacts(237), cap=50).answer), KINDS[kind]))
        assert [record.message for record in caplog.records if "lowers" in record.message] == [
            f"GET /{kind}/x: asked for 100 records a page, got 50 and more follow: the API lowers the page size"
        ]


@pytest.mark.parametrize("counts_asked", [False, True])
@pytest.mark.parametrize("count", [201, 225, 250, 260, 300, 301, 400])
@pytest.mark.parametrize("from_page", [2, 3])
def test_a_page_size_that_is_lowered_while_reading_skips_nothing(
    bench: Bench, counts_asked: bool, count: int, from_page: int
) -> None:
    saas = Saas(*contacts(count))
    saas.counts_asked = counts_asked

    def lower(number: int) -> None:
        saas.cap = 100 if number < from_page else 50

    saas.between = lower
    source = bench.source(bench.server(saas.answer), KINDS["page"])
    assert _read_or_refused(source) in (set(saas.contacts), "refused")


def _read_or_refused(source: Source) -> set[str] | str:
    try:
        return set(ids(pages(source)))
    except FluxError as error:
        return "refused" if "could skip records" in error.message else error.message


def test_a_sound_list_is_read_without_a_record_twice_and_with_few_calls_more(bench: Bench) -> None:
    wire = bench.server(Saas(*contacts(250)).answer)
    assert len(ids(pages(bench.source(wire, KINDS["page"])))) == 250
    assert len(wire.calls) == 5
    wire.calls.clear()
    assert len(ids(pages(bench.source(wire, KINDS["page with more"])))) == 250
    assert len(wire.calls) == 3


def test_a_page_size_whose_next_page_cannot_be_known_is_an_error(bench: Bench) -> None:
    saas = Saas(*contacts(400))

    def lower(number: int) -> None:
        saas.cap = 100 if number <= 2 else 33

    saas.between = lower
    with pytest.raises(FluxError, match="could skip records") as caught:
        pages(bench.source(bench.server(saas.answer), KINDS["page"]))
    assert (caught.value.code, caught.value.transient) == ("BAD_REQUEST", False)
    assert "Set `page.size`" in caught.value.next_step


@pytest.mark.parametrize(("count", "reads"), [(37, 37), (100, 100), (237, 237)])
def test_an_api_that_allows_only_some_sizes_is_read_too(bench: Bench, count: int, reads: int) -> None:
    saas = Saas(*contacts(count))
    saas.sizes = {25, 50, 100}
    found = pages(bench.source(bench.server(saas.answer), KINDS["page"]))
    assert len(ids(found)) == reads


def test_an_api_that_allows_only_some_sizes_and_lowers_them_is_an_error(bench: Bench) -> None:
    saas = Saas(*contacts(100), cap=33)
    saas.sizes = {50, 100}
    with pytest.raises(FluxError, match="a page had 33 records where 100 were asked for"):
        pages(bench.source(bench.server(saas.answer), KINDS["page"]))


def test_an_empty_page_with_a_cursor_is_not_the_last(bench: Bench) -> None:
    answers = {"": ([1], "b"), "b": ([], "c"), "c": ([2], None)}

    def answer(call: Call) -> Reply:
        numbers, following = answers[call.param("after")]
        return Reply(200, {"data": [{"id": n} for n in numbers], "next": following})

    source = bench.source(
        bench.server(answer), "{path: /x, records: data, page: {kind: cursor, param: after, next: next}}"
    )
    assert ids(pages(source)) == [1, 2]


def test_the_last_id_may_be_the_cursor(bench: Bench) -> None:
    def answer(call: Call) -> Reply:
        start = int(call.param("starting_after", "0"))
        return Reply(200, {"data": [{"id": n} for n in range(start + 1, start + 3)], "has_more": start < 4})

    source = bench.source(
        bench.server(answer),
        "{path: /x, records: data, page: {kind: cursor, param: starting_after, next: 'data[-1].id', more: has_more}}",
    )
    assert ids(pages(source)) == [1, 2, 3, 4, 5, 6]


def _same_cursor(call: Call) -> Reply:
    return Reply(200, {"data": [{"id": 1}], "next": "same"})


def _same_url(call: Call) -> Reply:
    return Reply(200, {"data": [{"id": 1}], "next": "/x?p=2"})


def _same_page(call: Call) -> Reply:
    return Reply(200, {"data": [{"id": 1}, {"id": 2}], "next": None})


@pytest.mark.parametrize(
    ("answer", "page", "message"),
    [
        (_same_cursor, "{kind: cursor, param: after, next: next}", "repeats its cursor"),
        (_same_url, "{kind: next_url, next: next}", "repeats its cursor"),
        (_same_page, "{kind: page}", "the API ignores `page`, or repeats its last page"),
        (_same_page, "{kind: offset, param: skip}", "the API ignores `skip`, or repeats its last page"),
    ],
)
def test_a_list_without_end_is_an_error(bench: Bench, answer: Any, page: str, message: str) -> None:
    wire = bench.server(answer)
    with pytest.raises(FluxError, match=message) as caught:
        pages(bench.source(wire, f"{{path: /x, records: data, page: {page}}}"))
    assert caught.value.code == "BAD_REQUEST"
    assert len(wire.calls) <= 3


def test_a_next_url_on_another_host_is_refused_and_gets_no_credentials(bench: Bench) -> None:
    thief = bench.server(script(Reply(200, {"data": []})))
    wire = bench.server(script(Reply(200, {"data": [{"id": 1}], "next": f"{thief.url}/steal"})))
    source = bench.source(
        wire, "{path: /x, records: data, page: {kind: next_url, next: next}}", password="secret-token"
    )
    with pytest.raises(FluxError, match="its credentials go nowhere else") as caught:
        pages(source)
    assert caught.value.code == "CONNECTION_INVALID"
    assert thief.calls == []


@pytest.mark.parametrize("following", ["?page=2", "/v1/x?page=2", "x?page=2"])
def test_a_relative_next_url_starts_where_it_stands(bench: Bench, following: str) -> None:
    wire = bench.server(
        script(Reply(200, {"data": [{"id": 1}], "next": following}), Reply(200, {"data": [{"id": 2}], "next": None}))
    )
    source = bench.source(wire, "{path: /v1/x, params: {fixed: 1}, records: data, page: {kind: next_url, next: next}}")
    assert ids(pages(source)) == [1, 2]
    assert wire.calls[1].path == "/v1/x"
    assert wire.calls[1].query == {"page": ["2"]}


def test_the_key_in_the_query_goes_with_every_page_and_only_once(bench: Bench) -> None:
    saas = Saas(*contacts(30), cap=10)
    saas.key = "k-5ecret/+key"
    wire = bench.server(saas.answer)
    source = bench.source(
        wire,
        "{path: /nexturl/x, records: value, page: {kind: next_url, next: '@odata.nextLink'}, "
        "auth: {kind: api_key, query: api_key}}",
        password=saas.key,
    )
    assert len(ids(pages(source))) == 30
    assert [call.query["api_key"] for call in wire.calls] == [[saas.key]] * 3


@pytest.mark.parametrize("kind", ["cursor", "offset", "page"])
def test_more_that_is_not_in_the_answer_is_an_error(bench: Bench, kind: str) -> None:
    wire = bench.server(script(Reply(200, {"data": [{"id": 1}]})))
    extra = "param: a, next: n, " if kind == "cursor" else ""
    with pytest.raises(FluxError, match=r"`page\.more: has_more` is not in the answer"):
        pages(bench.source(wire, f"{{path: /x, records: data, page: {{kind: {kind}, {extra}more: has_more}}}}"))


def test_more_without_a_cursor_or_a_record_is_an_error(bench: Bench) -> None:
    wire = bench.server(script(Reply(200, {"data": [], "more": True})))
    for page, message in (
        ("{kind: cursor, param: a, next: n, more: more}", "no `page.next: n`"),
        ("{kind: offset, more: more}", "is empty"),
    ):
        with pytest.raises(FluxError, match=message):
            pages(bench.source(wire, f"{{path: /x, records: data, page: {page}}}"))


def test_a_404_after_the_last_page_says_what_to_declare(bench: Bench) -> None:
    wire = bench.server(script(Reply(200, [{"id": 1}]), Reply(404, {"detail": "Invalid page."})))
    with pytest.raises(FluxError, match=r"Invalid page\.") as caught:
        pages(bench.source(wire, "{path: /x, page: {kind: page}}"))
    assert "page.more" in caught.value.next_step


def test_records_that_move_between_pages_are_all_read_by_a_keyset_cursor(bench: Bench) -> None:
    stored = {n: {"id": n, "seq": n} for n in range(1, 31)}

    def answer(call: Call) -> Reply:
        after = int(call.param("after", "0"))
        rows = sorted((row for row in stored.values() if row["seq"] > after), key=lambda row: row["seq"])[:10]
        if rows:  # a record of the first page changes while the next one is asked for, and moves to the end
            stored[1] = {"id": 1, "seq": max(row["seq"] for row in stored.values()) + (1 if after < 20 else 0)}
        return Reply(200, {"data": rows, "next": rows[-1]["seq"] if rows else None})

    source = bench.source(
        bench.server(answer), "{path: /x, records: data, page: {kind: cursor, param: after, next: next}}"
    )
    found = ids(pages(source))
    assert set(found) == set(range(1, 31))
    assert found.count(1) == 2  # its old and its new version; the read stage keeps the newer


def test_the_pages_come_one_by_one(bench: Bench) -> None:
    wire = bench.server(Saas(*contacts(300)).answer)
    reading = bench.source(wire, KINDS["offset"]).read(Window())
    next(reading)
    assert len(wire.calls) == 1
    assert wire.calls[0].query == {"limit": ["100"], "offset": ["0"]}
