"""Reading: the window, statuses, broken answers, poison records, the source's clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider_flux.errors import FluxError
from tests.contracts.conftest import Bench, credentials, ids, pages
from tests.contracts.servers.saas import KEY, Saas, contacts
from tests.contracts.servers.wire import Call, Reply, script, unused_port

LIST = "{path: /v1/contacts, records: data}"


# --- the window -------------------------------------------------------------------------------


def test_only_the_window_is_asked_for_on_every_page(bench: Bench) -> None:
    wire = bench.server(Saas(*contacts(100), cap=10).answer)
    source = bench.source(
        wire,
        """{path: /cursor/x, records: data.items, cursor: {field: updated_at},
        params: {status: active, tag: [a, b]}, headers: {X-Team: red},
        incremental: {param: since, until: until},
        page: {kind: cursor, param: after, next: meta.paging.next.after}}""",
    )
    found = pages(source, "2026-03-01T00:00:20.000000Z", "2026-03-01T00:00:45.000000Z")
    assert ids(found) == [contact["id"] for contact in contacts(25, 20)]
    assert len(wire.calls) == 3
    for call in wire.calls:
        assert (call.param("since"), call.param("until")) == ("2026-03-01T00:00:20Z", "2026-03-01T00:00:45Z")
        assert (call.query["tag"], call.param("status"), call.headers["x-team"]) == (["a", "b"], "active", "red")


def test_an_open_window_asks_for_everything(bench: Bench) -> None:
    wire = bench.server(script(Reply(200, {"data": []})))
    declared = "{path: /x, records: data, cursor: {field: u}, incremental: {param: since, until: until}}"
    pages(bench.source(wire, declared))
    assert wire.calls[0].query == {}


def test_a_search_takes_window_and_paging_in_its_body(bench: Bench) -> None:
    saas = Saas(*contacts(100), cap=10)
    wire = bench.server(saas.answer)
    source = bench.source(
        wire,
        """{path: /search/x, method: POST, parameters_in: body, records: results, cursor: {field: updated_at},
        body: {filter: {kind: person}, sort: [updated_at]}, incremental: {param: filter.since},
        page: {kind: cursor, param: after, next: after, size_param: limit, size: 10}}""",
    )
    assert len(ids(pages(source, "2026-03-01T00:01:20.000000Z"))) == 20
    assert wire.calls[1].json() == {
        "filter": {"kind": "person", "since": "2026-03-01T00:01:20Z"},
        "sort": ["updated_at"],
        "after": 10,
        "limit": 10,
    }
    assert wire.calls[1].query == {}
    assert wire.calls[1].headers["content-type"] == "application/json"


# --- credentials ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("auth", "connection", "sent"),
    [
        ("", {"password": KEY}, ("authorization", f"Bearer {KEY}")),
        ("", {"login": "ali", "password": "pw"}, ("authorization", "Basic YWxpOnB3")),
        (", auth: {kind: api_key}", {"password": KEY}, ("x-api-key", KEY)),
        (
            ", auth: {kind: api_key, header: Authorization, prefix: 'Token '}",
            {"password": KEY},
            ("authorization", f"Token {KEY}"),
        ),
        ("", {"password": KEY, "extra": {"auth": {"kind": "api_key", "header": "X-K"}}}, ("x-k", KEY)),
        (", auth: {kind: bearer}", {"password": KEY, "extra": {"auth": "api_key"}}, ("authorization", f"Bearer {KEY}")),
        (", auth: {kind: none}", {"password": KEY}, ("authorization", None)),
        ("", {"extra": {"headers": {"X-Tenant": "t1"}}}, ("x-tenant", "t1")),
        ("", {"extra": {"X-Tenant": "t2"}}, ("x-tenant", "t2")),
    ],
)
def test_credentials_are_sent_as_declared(
    bench: Bench, auth: str, connection: Any, sent: tuple[str, str | None]
) -> None:
    wire = bench.server(script(Reply(200, {"data": []})))
    pages(bench.source(wire, f"{{path: /x, records: data{auth}}}", **connection))
    assert wire.calls[0].headers.get(sent[0]) == sent[1]


@pytest.mark.parametrize("auth", ["{kind: bearer}", "{kind: api_key}", "{kind: api_key, query: api_key}"])
def test_a_refused_key_that_the_server_echoes_is_shown_nowhere(
    bench: Bench, auth: str, caplog: pytest.LogCaptureFixture
) -> None:
    saas = Saas()
    saas.key = "another"
    with caplog.at_level("DEBUG"), pytest.raises(FluxError) as caught:
        pages(bench.source(bench.server(saas.answer), f"{{path: /cursor/x, auth: {auth}}}", password=KEY))
    assert caught.value.code == "AUTHENTICATION_FAILED"
    shown = f"{caught.value} {caught.value!r} {caught.value.answer} {caught.value.next_step} {caplog.text}"
    assert "***" in shown
    for secret in (KEY, "5ecret"):
        assert secret not in shown


# --- statuses and broken answers --------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "transient"),
    [
        (400, "BAD_REQUEST", False),
        (401, "AUTHENTICATION_FAILED", False),
        (403, "PERMISSION_DENIED", False),
        (404, "NOT_FOUND", False),
        (409, "BAD_REQUEST", False),
        (413, "BAD_REQUEST", False),
        (422, "BAD_REQUEST", False),
        (500, "SOURCE_OUTAGE", True),
        (304, "BAD_REQUEST", False),
    ],
)
def test_a_status_has_its_code(bench: Bench, status: int, code: str, transient: bool) -> None:
    wire = bench.server(script(Reply(status, {"message": "because of that"})))
    with pytest.raises(FluxError, match="because of that" if status != 304 else "304") as caught:
        pages(bench.source(wire, LIST))
    assert (caught.value.code, caught.value.transient) == (code, transient)
    assert f"GET /v1/contacts answered HTTP {status}" in caught.value.message


def test_a_throttle_that_lasts_is_a_rate_limit_with_its_wait(bench: Bench) -> None:
    wire = bench.server(script(Reply(429, {"message": "daily limit"}, {"Retry-After": "7200"})))
    with pytest.raises(FluxError) as caught:
        pages(bench.source(wire, LIST))
    assert (caught.value.code, caught.value.retry_after) == ("RATE_LIMIT_EXCEEDED", 7200.0)


def test_a_row_of_the_flow_recognises_a_vendors_answer(bench: Bench) -> None:
    body = {"status": "error", "policyName": "DAILY", "message": "You have reached your daily limit."}
    wire = bench.server(script(Reply(403, body)))
    declared = "{path: /x, errors: [{status: 403, path: policyName, match: DAILY, code: RATE_LIMIT_EXCEEDED}]}"
    with pytest.raises(FluxError, match="daily limit") as caught:
        pages(bench.source(wire, declared, extra={"retry_budget": 0.1}))
    assert caught.value.code == "RATE_LIMIT_EXCEEDED"


def test_an_error_with_status_200_is_found_by_its_row(bench: Bench) -> None:
    wire = bench.server(script(Reply(200, {"data": [], "errors": [{"message": "backend is down"}]})))
    declared = "{path: /x, records: data, errors: [{status: 200, path: 'errors[0].message', code: SOURCE_OUTAGE}]}"
    with pytest.raises(FluxError, match="backend is down") as caught:
        pages(bench.source(wire, declared))
    assert caught.value.code == "SOURCE_OUTAGE"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html><title>Maintenance</title></html>", "a page for people came instead of data: Maintenance"),
        (b'{"data": [{"id": 1}, {"id"', "the answer is not JSON"),
        (b"", "the answer is empty"),
        (
            {"items": [], "paging": {}},
            "`records: data` is not in the answer: the answer is an object with the keys items, paging",
        ),
        ({"data": {"id": 1}}, "`records: data` is not a list but an object with the keys id"),
        ({"data": None}, "`records: data` is not a list but null"),
        ([1], "`records: data` is not in the answer: the answer is a list"),
    ],
)
def test_an_answer_of_another_shape_is_said(bench: Bench, body: Any, message: str) -> None:
    wire = bench.server(script(Reply(200, body)))
    with pytest.raises(FluxError) as caught:
        pages(bench.source(wire, LIST))
    assert caught.value.code == "UNREADABLE_ANSWER"
    assert message in caught.value.message
    assert caught.value.answer is not None


def test_a_deep_path_says_how_far_it_leads(bench: Bench) -> None:
    wire = bench.server(script(Reply(200, {"result": {"rows": [], "n": 0}})))
    with pytest.raises(FluxError, match="'result' is an object with the keys rows, n"):
        pages(bench.source(wire, "{path: /x, records: result.items.list}"))
    with pytest.raises(FluxError, match="name the list in `records`"):
        pages(bench.source(wire, "{path: /x}"))


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": []}])
def test_a_list_that_is_left_out_when_empty_can_be_declared(bench: Bench, body: Any) -> None:
    wire = bench.server(script(Reply(200, body)))
    assert ids(pages(bench.source(wire, "{path: /x, records: data, records_optional: true}"))) == []


def test_a_reset_or_cut_page_is_read_again_and_nothing_is_lost(bench: Bench) -> None:
    saas = Saas(*contacts(300))
    faults = iter([None, Reply(reset=True), None, "cut", Reply(503, headers={"Retry-After": "0"})])

    def answer(call: Call) -> Reply:
        fault = next(faults, None)
        if fault == "cut":
            whole = saas.answer(call)
            return Reply(whole.status, whole.body, whole.headers, cut=100)
        return fault if isinstance(fault, Reply) else saas.answer(call)

    declared = "{path: /offset/x, page: {kind: offset, size_param: limit, size: 100}}"
    assert ids(pages(bench.source(bench.server(answer), declared))) == [contact["id"] for contact in contacts(300)]


# --- poison -----------------------------------------------------------------------------------

POISON = {
    "NaN": (b'{"id": "bad", "score": NaN}', "INVALID_ENCODING", "score"),
    "Infinity": (b'{"id": "bad", "score": [1, -Infinity]}', "INVALID_ENCODING", "score[1]"),
    "out of range": (b'{"id": "bad", "score": 1e999}', "VALUE_OUT_OF_RANGE", "score"),
    "invalid UTF-8": (b'{"id": "bad", "properties": {"name": "M\xfcller"}}', "INVALID_ENCODING", "properties.name"),
    "lone surrogate": (b'{"id": "bad", "name": "x\\udfff"}', "INVALID_ENCODING", "name"),
    "deep": (b'{"id": "bad", "tree": ' + b"[" * 5000 + b"]" * 5000 + b"}", "INVALID_FORMAT", "tree"),
    "a text": (b'"bad"', "INVALID_FORMAT", None),
    "null": (b"null", "INVALID_FORMAT", None),
    "a list": (b'["bad"]', "INVALID_FORMAT", None),
}


def page_with(record: bytes, place: int = 500) -> bytes:
    sound = [json.dumps(contact).encode() for contact in contacts(1000)]
    sound[place] = record
    return b'{"data": [' + b",".join(sound) + b"]}"


@pytest.mark.parametrize("kind", POISON)
def test_one_poisoned_record_in_a_thousand_costs_only_itself(bench: Bench, kind: str) -> None:
    record, code, path = POISON[kind]
    (page,) = pages(bench.source(bench.server(script(Reply(200, page_with(record)))), LIST))
    assert len(page.records) == 1000
    assert list(page.defects) == [500]
    assert (page.defects[500].code, page.defects[500].source_path) == (code, path)
    others = [one for index, one in enumerate(page.records) if index != 500]
    assert others == [contact for index, contact in enumerate(contacts(1000)) if index != 500]
    json.dumps(page.records[500], allow_nan=False).encode()


def test_a_poisoned_record_keeps_what_can_be_read(bench: Bench) -> None:
    record = b'{"id": "bad", "name": "M\xfcller", "score": NaN, "email": "m@example.com"}'
    (page,) = pages(bench.source(bench.server(script(Reply(200, page_with(record)))), LIST))
    assert page.records[500] == {"id": "bad", "name": "M�ller", "score": None, "email": "m@example.com"}
    assert page.defects[500].value == "M\\xfcller"


@pytest.mark.parametrize(
    "value",
    ["a\x00b", "x" * 1_000_000, 10**30, {"a": {"b": [1]}}, "😀"],
    ids=["nul", "1 MB", "10**30", "nested", "emoji"],
)
def test_what_json_can_hold_is_no_defect_here(bench: Bench, value: Any) -> None:
    record = json.dumps({"id": "odd", "value": value}).encode()
    (page,) = pages(bench.source(bench.server(script(Reply(200, page_with(record)))), LIST))
    assert (page.defects, page.records[500]["value"]) == ({}, value)


def test_many_kinds_of_poison_on_one_page_are_all_named(bench: Bench) -> None:
    body = b'{"data": [' + b", ".join(record for record, _, _ in POISON.values()) + b', {"id": "good"}]}'
    (page,) = pages(bench.source(bench.server(script(Reply(200, body))), LIST))
    assert [page.defects[index].code for index in range(len(POISON))] == [code for _, code, _ in POISON.values()]
    assert page.records[-1] == {"id": "good"}


# --- the clock --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 401, 405, 500])
def test_the_clock_is_the_date_of_any_answer_to_a_head(bench: Bench, status: int) -> None:
    wire = bench.server(script(Reply(status, headers={"Date": "Sun, 01 Mar 2026 10:00:00 GMT"})))
    assert _now(bench, wire.url) == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert wire.paths() == ["HEAD /v1/contacts"]


def test_the_age_of_a_cached_answer_is_added(bench: Bench) -> None:
    wire = bench.server(script(Reply(200, headers={"Date": "Sun, 01 Mar 2026 10:00:00 GMT", "Age": "90"})))
    assert _now(bench, wire.url) == datetime(2026, 3, 1, 10, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "header", [{"Date": "yesterday"}, {"Date": ""}, {"Date": "Sun, 01 Mar 2026 10:00:00 GMT", "Age": "x"}]
)
def test_a_clock_that_cannot_be_read_is_none(bench: Bench, header: dict[str, str]) -> None:
    assert _now(bench, bench.server(script(Reply(200, headers=header))).url) is None


def test_a_source_that_is_down_has_no_clock_and_does_not_fail(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    assert _now(bench, f"http://127.0.0.1:{unused_port()}") is None
    assert "the clock of the source is not known" in caplog.text


def _now(bench: Bench, url: str) -> datetime | None:
    return bench.source(url, LIST).now()


# --- the connection ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("connection", "field"),
    [
        ({"host": None}, "host"),
        ({"host": "  "}, "host"),
        ({"host": "ftp://api.example.com"}, "host"),
        ({"host": "api.example.com", "schema": "tcp"}, "schema"),
        ({"host": "https://ali:pw@api.example.com"}, "host"),
        ({"host": "https://api.example.com?x=1"}, "host"),
        ({"host": "api example com"}, "host"),
        ({"host": "api.example.com:http"}, "host"),
        ({"password": "line\nbreak"}, "password"),
        ({"login": "a:b", "password": "x"}, "login"),
        ({"extra": {"timeout": "soon"}}, "extra.timeout"),
        ({"extra": {"timeout": 0}}, "extra.timeout"),
        ({"extra": {"retry_budget": -1}}, "extra.retry_budget"),
        ({"extra": {"limit": "fast"}}, "extra.limit"),
        ({"extra": {"limit": 100}}, "extra.limit"),
        ({"extra": {"headers": "X: y"}}, "extra.headers"),
        ({"extra": {"X-Number": 5}}, "extra.X-Number"),
        ({"extra": {"X-Line": "a\nb"}}, "extra.X-Line"),
        ({"extra": {"auth": {"kind": "oauth"}}}, "extra.auth"),
        ({"extra": {"proxy": 5}}, "extra.proxy"),
        ({"host": "https://api.example.com", "extra": {"verify": "/no/such/file"}}, "extra.verify"),
        ({"host": "https://api.example.com", "extra": {"cert": "/no/such/file"}}, "extra.cert"),
        ({"extra": {"srv_lookup": True}}, "extra.srv_lookup"),
    ],
)
def test_a_field_of_the_connection_that_is_wrong_is_named(bench: Bench, connection: Any, field: str) -> None:
    with pytest.raises(FluxError) as caught:
        bench.source("http://127.0.0.1:9", LIST, **connection)
    assert caught.value.code == "CONNECTION_INVALID"
    assert f"connection 'crm': field '{field}'" in caught.value.message


@pytest.mark.parametrize(("declared", "field"), [("bearer", "password"), ("api_key", "password"), ("basic", "login")])
def test_a_declared_credential_that_is_missing_is_named(bench: Bench, declared: str, field: str) -> None:
    with pytest.raises(FluxError, match=f"field '{field}': is empty"):
        bench.source("http://127.0.0.1:9", f"{{path: /x, auth: {{kind: {declared}}}}}")


def test_the_base_url_is_built_as_the_http_hook_builds_it() -> None:
    from airflow_provider_flux.connectors.api.connection import base_url

    assert base_url(credentials("api.example.com")) == "http://api.example.com"
    assert base_url(credentials("api.example.com", schema="https", port=8443)) == "https://api.example.com:8443"
    assert base_url(credentials("https://api.example.com/v2/")) == "https://api.example.com/v2"
    assert base_url(credentials("https://api.example.com/v2", port=8443)) == "https://api.example.com:8443/v2"
    assert base_url(credentials("http://[::1]", port=80)) == "http://[::1]:80"
