"""Every kind of answer by which a system says no, over real HTTP: the code, the field, and the answer that is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from airflow_provider_flux.connectors.contract import Destination, Verdict, WriteItem, Written
from airflow_provider_flux.errors import BatchRejected, FluxError, OutcomeUnknown, RecordError
from airflow_provider_flux.stages.deliver import deliver
from tests.contracts.conftest import Bench, ids, pages
from tests.contracts.servers.wire import Call, Reply, script, unused_port

LIST = "{path: /contacts, records: items}"
ONE = "{path: '/contacts/{key}', key: id, mode: upsert}"
BATCH = """{path: /contacts/batch, key: id, mode: upsert, batch: {records: inputs},
    results: {records: results, ok: {path: success, equals: true}, error_message: error}}"""
PAGE = b"<!DOCTYPE html><html><title>Down for maintenance</title><body>invalid type, email is required</body></html>"
NO_PATIENCE = {"retry_budget": 0.1}


def read_error(bench: Bench, *replies: Reply, declared: str = LIST) -> FluxError:
    """The error of reading from a server that answers so."""
    source = bench.source(bench.server(script(*replies)), declared, extra=NO_PATIENCE)
    with pytest.raises(FluxError) as caught:
        pages(source)
    return caught.value


def writer(bench: Bench, declared: str, *replies: Reply) -> Destination:
    return bench.destination(bench.server(script(*replies)), declared, extra=NO_PATIENCE)


def people(count: int) -> list[WriteItem]:
    return [WriteItem({"id": f"p{number}", "email": f"p{number}@example.com", "age": "x"}) for number in range(count)]


def codes(verdicts: Sequence[Verdict | None]) -> list[str | None]:
    return [verdict.code if isinstance(verdict, RecordError) else None for verdict in verdicts]


# --- a whole request ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "code", "transient"),
    [
        (Reply(400, {"message": "unknown parameter `sort`"}), "BAD_REQUEST", False),
        (Reply(401, {"message": "no"}), "AUTHENTICATION_FAILED", False),
        (Reply(403, {"message": "no"}), "PERMISSION_DENIED", False),
        (Reply(403, {"message": "API rate limit exceeded"}), "RATE_LIMIT_EXCEEDED", True),
        (Reply(400, {"error": "invalid_grant"}), "AUTHENTICATION_FAILED", False),
        (Reply(404, {"message": "no"}), "NOT_FOUND", False),
        (Reply(409, {"message": "no"}), "BAD_REQUEST", False),
        (Reply(413, {"message": "no"}), "BAD_REQUEST", False),
        (Reply(422, {"message": "no"}), "BAD_REQUEST", False),
        (Reply(429, {"message": "no"}), "RATE_LIMIT_EXCEEDED", True),
        (Reply(500, {"message": "no"}), "SOURCE_OUTAGE", True),
        (Reply(502, PAGE), "SOURCE_OUTAGE", True),
        (Reply(503, PAGE), "SOURCE_OUTAGE", True),
        (Reply(504, PAGE), "SOURCE_OUTAGE", True),
        (Reply(reset=True), "CONNECTION_TIMEOUT", True),
        (Reply(200, {"items": []}, delay=4), "CONNECTION_TIMEOUT", True),
        (Reply(200, {"items": [{"id": 1}]}, cut=9), "CONNECTION_TIMEOUT", True),
        (Reply(200, b'{"items": [{"id": '), "UNREADABLE_ANSWER", True),
        (Reply(200, b"OK"), "UNREADABLE_ANSWER", True),
        (Reply(200, PAGE), "UNREADABLE_ANSWER", True),
        (Reply(200, {"rows": []}), "UNREADABLE_ANSWER", True),
    ],
)  # fmt: skip
def test_a_failed_read_has_its_code(bench: Bench, reply: Reply, code: str, transient: bool) -> None:
    error = read_error(bench, reply)
    assert (error.code, error.transient) == (code, transient)
    assert error.next_step


def test_a_server_that_is_not_there_is_a_timeout(bench: Bench) -> None:
    source = bench.source(f"http://127.0.0.1:{unused_port()}", LIST, extra=NO_PATIENCE)
    with pytest.raises(FluxError, match="cannot be reached") as caught:
        pages(source)
    assert caught.value.code == "CONNECTION_TIMEOUT"


def test_the_raw_answer_is_kept_with_the_error(bench: Bench) -> None:
    assert read_error(bench, Reply(403, {"why": "closed on Sundays"})).answer == '{"why": "closed on Sundays"}'


# --- a single record ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "code", "field"),
    [
        (Reply(400, {"message": "you may not do this today"}), "RECORD_REJECTED", None),
        (Reply(400, {"message": "Email is required"}), "REQUIRED_FIELD_MISSING", "email"),
        (Reply(400, {"errors": [{"source": {"pointer": "/data/attributes/age"}, "title": "is not valid"}]}),
         "INVALID_FORMAT", "age"),
        (Reply(404, {"message": "no"}), "RECORD_NOT_FOUND", None),
        (Reply(409, {"message": "no"}), "DUPLICATE_RECORD", None),
        (Reply(413, {"message": "no"}), "VALUE_TOO_LONG", None),
        (Reply(422, {"detail": [{"loc": ["body", "age"], "msg": "not an integer", "type": "int_parsing"}]}),
         "INVALID_FORMAT", "age"),
        (Reply(422, {"errors": {"email": ["has already been taken"]}}), "DUPLICATE_RECORD", "email"),
        # Permanent errors dressed as a fault of the server.
        (Reply(500, b'Cannot deserialize value of type `int` from String "x"'), "INVALID_FORMAT", None),
        (Reply(500, {"error": 'null value in column "email" of relation "people"'}), "REQUIRED_FIELD_MISSING", "email"),
        (Reply(500, {"message": "the type of field 'age' has changed"}), "OBJECT_TYPE_CHANGED", None),
    ],
)  # fmt: skip
def test_a_refused_record_has_its_code_and_field(bench: Bench, reply: Reply, code: str, field: str | None) -> None:
    wire = bench.server(script(reply))
    (verdict,) = bench.destination(wire, ONE).write(people(1))
    assert isinstance(verdict, RecordError)
    assert (verdict.code, verdict.field) == (code, field)
    assert verdict.value == {"email": "p0@example.com", "age": "x"}.get(field or "")
    assert verdict.answer
    assert len(wire.calls) == 1, "a permanent error is not tried again"


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(401, {"message": "no"}), "AUTHENTICATION_FAILED"),
        (Reply(403, {"message": "no"}), "PERMISSION_DENIED"),
        (Reply(400, {"message": "API key is missing"}), "AUTHENTICATION_FAILED"),
        (Reply(429, {"message": "no"}), "RATE_LIMIT_EXCEEDED"),
        (Reply(500, PAGE), "DESTINATION_OUTAGE"),
        (Reply(500, {"message": "Internal Server Error"}), "DESTINATION_OUTAGE"),
        (Reply(503, {"message": "email is required"}), "DESTINATION_OUTAGE"),
        (Reply(reset=True), "CONNECTION_TIMEOUT"),
        (Reply(200, PAGE), "UNREADABLE_ANSWER"),
    ],
)
def test_what_refuses_every_record_alike_is_no_fault_of_theirs(bench: Bench, reply: Reply, code: str) -> None:
    with pytest.raises(FluxError) as caught:
        writer(bench, ONE, reply).write(people(3))
    assert (caught.value.code, isinstance(caught.value, BatchRejected)) == (code, False)


# --- many records in one request ----------------------------------------------------------------


def test_results_with_success_false_are_errors_of_their_records(bench: Bench) -> None:
    results = [{"success": True}, {"success": False, "error": "age must be a number"}, {"success": False, "error": "x"}]
    verdicts = writer(bench, BATCH, Reply(200, {"results": results})).write(people(3))
    assert codes(verdicts) == [None, "INVALID_FORMAT", "RECORD_REJECTED"]
    assert isinstance(verdicts[1], RecordError)
    assert (verdicts[1].field, verdicts[1].value) == ("age", "x")
    declared = BATCH.replace("records: results, ", "")
    assert codes(writer(bench, declared, Reply(200, results)).write(people(3)))[0] is None


def test_a_batch_that_is_too_large_is_split_and_arrives(bench: Bench) -> None:
    stored: list[str] = []

    def answer(call: Call) -> Reply:
        inputs = call.json()["inputs"]
        if len(inputs) > 3:
            return Reply(413, {"message": "at most 3 items"})
        stored.extend(item["id"] for item in inputs)
        return Reply(200, {"results": [{"success": True}] * len(inputs)})

    wire = bench.server(answer)
    assert codes(deliver(bench.destination(wire, BATCH), people(10))) == [None] * 10
    assert sorted(stored) == [f"p{number}" for number in range(10)]


@pytest.mark.parametrize("status", [400, 422, 500])
def test_a_batch_refused_because_of_a_record_that_it_names_costs_only_that_record(bench: Bench, status: int) -> None:
    """Also with the status of a server error: the words say that it is the data."""
    stored: list[str] = []

    def answer(call: Call) -> Reply:
        for index, item in enumerate(call.json()["inputs"]):
            if item["id"] == "p4":
                said = {"field": f"inputs[{index}].age", "message": "invalid type: text, expected number"}
                return Reply(status, {"message": f"record {index} was refused", "errors": [said]})
        stored.extend(item["id"] for item in call.json()["inputs"])
        return Reply(200, {"results": [{"success": True}] * len(call.json()["inputs"])})

    verdicts = deliver(bench.destination(bench.server(answer), BATCH), people(8))
    assert codes(verdicts) == [None] * 4 + ["INVALID_FORMAT"] + [None] * 3
    bad = verdicts[4]
    assert isinstance(bad, RecordError)
    assert (bad.value, len(stored)) == ("x", 7)


def test_an_outage_that_mentions_data_is_not_taken_for_a_fault_of_the_batch(bench: Bench) -> None:
    with pytest.raises(FluxError) as caught:
        writer(bench, BATCH, Reply(500, PAGE)).write(people(3))
    assert (caught.value.code, isinstance(caught.value, BatchRejected)) == ("DESTINATION_OUTAGE", False)


# --- GraphQL ------------------------------------------------------------------------------------

QUERY = """{path: /graphql, method: POST, records: data.contacts.nodes,
    body: {query: 'query($after: String) { contacts(after: $after) { nodes { id email } } }', variables: {n: 100}}%s}"""
MUTATION = """{path: /graphql, mode: %s, method: POST, key: id, idempotent: %s,
    body: {query: 'mutation($input: ContactInput!) { upsert(input: $input) { contact { id } userErrors { message } } }',
           variables: {input: '{record}'}}, results: {id: data.upsert.contact.id}}"""
UPSERT, INSERT = MUTATION % ("upsert", "true"), MUTATION % ("create", "false")
STORED = {"data": {"upsert": {"contact": {"id": "77"}, "userErrors": []}}}


def gql(code: str, path: list[Any] | None = None, message: str = "no") -> dict[str, Any]:
    return {"message": message, "path": path, "extensions": {"code": code}}


def nodes(*records: Any) -> dict[str, Any]:
    return {"contacts": {"nodes": list(records)}}


def test_a_graphql_query_reads_page_after_page_with_its_variables(bench: Bench) -> None:
    first = {"data": {"contacts": {"nodes": [{"id": "1"}], "pageInfo": {"endCursor": "a", "hasNextPage": True}}}}
    last = {"data": {"contacts": {"nodes": [{"id": "2"}], "pageInfo": {"endCursor": "b", "hasNextPage": False}}}}
    wire = bench.server(script(Reply(200, first), Reply(200, last)))
    paged = QUERY % """, parameters_in: body, page: {kind: cursor, param: variables.after,
        next: data.contacts.pageInfo.endCursor, more: data.contacts.pageInfo.hasNextPage}"""
    assert ids(pages(bench.source(wire, paged))) == ["1", "2"]
    assert [call.json()["variables"] for call in wire.calls] == [{"n": 100}, {"n": 100, "after": "a"}]


@pytest.mark.parametrize(
    ("status", "body", "code", "transient"),
    [
        (200, {"errors": [gql("UNAUTHENTICATED")]}, "AUTHENTICATION_FAILED", False),
        (200, {"data": None, "errors": [gql("FORBIDDEN")]}, "PERMISSION_DENIED", False),
        (200, {"data": {"contacts": None}, "errors": [gql("NOT_FOUND", ["contacts"])]}, "NOT_FOUND", False),
        (400, {"errors": [gql("GRAPHQL_VALIDATION_FAILED")]}, "PAYLOAD_MISMATCH", False),
        (200, {"errors": [gql("BAD_USER_INPUT")]}, "PAYLOAD_MISMATCH", False),
        (429, {"errors": [gql("BAD_USER_INPUT")]}, "RATE_LIMIT_EXCEEDED", True),
        (503, {"errors": [gql("NOT_FOUND")]}, "SOURCE_OUTAGE", True),
        (200, {"errors": [gql("THROTTLED")]}, "RATE_LIMIT_EXCEEDED", True),
        (200, {"errors": [gql("INTERNAL_SERVER_ERROR")]}, "SOURCE_OUTAGE", True),
        (200, {"errors": [{"message": "An error occurred (logged with hash 1f)"}]}, "UNKNOWN", False),
        (200, {"data": {"contacts": {"__typename": "NotFoundError", "message": "x"}}}, "NOT_FOUND", False),
        (200, {"data": nodes({"id": "1"}), "errors": [gql("INTERNAL_SERVER_ERROR")]}, "SOURCE_OUTAGE", True),
    ],
)
def test_a_graphql_error_inside_a_success_has_its_code(
    bench: Bench, status: int, body: Any, code: str, transient: bool
) -> None:
    error = read_error(bench, Reply(status, body), declared=QUERY % "")
    assert (error.code, error.transient) == (code, transient)
    assert error.answer == json.dumps(body)


def test_partial_data_is_read_and_only_the_records_with_errors_fail(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    errors = [
        gql("FORBIDDEN", ["contacts", "nodes", 1, "email"], "may not see it"),
        gql("INTERNAL_SERVER_ERROR", ["contacts", "nodes", 2], "boom"),
        gql("FORBIDDEN", ["viewer"], "who are you"),
    ]
    body = {"data": nodes({"id": "1"}, {"id": "2", "email": None}, None, {"id": "4"}), "errors": errors}
    (page,) = pages(bench.source(bench.server(script(Reply(200, body))), QUERY % ""))
    assert [record.get("id") for record in page.records] == ["1", "2", None, "4"]
    assert {index: error.code for index, error in page.defects.items()} == {1: "PERMISSION_DENIED", 2: "UNKNOWN"}
    assert page.defects[1].message == "the source could not tell 'contacts.nodes.email': may not see it"
    assert "who are you" in caplog.text


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"data": {"upsert": {"userErrors": [{"field": ["input", "email"], "message": "is there", "code": "TAKEN"}]}}},
         "DUPLICATE_RECORD", "email"),
        ({"data": {"upsert": {"__typename": "UserError", "message": "age must be a number"}}}, "INVALID_FORMAT", "age"),
        ({"data": {"upsert": None}, "errors": [gql("NOT_FOUND", ["upsert"])]}, "RECORD_NOT_FOUND", None),
        ({"data": None, "errors": [gql("BAD_USER_INPUT", message="email is required")]},
         "REQUIRED_FIELD_MISSING", "email"),
        ({"data": {"upsert": None}, "errors": [gql("E_4711", ["upsert"])]}, "RECORD_REJECTED", None),
        ({"data": None, "errors": [gql("INTERNAL_SERVER_ERROR", message="invalid input syntax for type int")]},
         "INVALID_FORMAT", None),
    ],
)  # fmt: skip
def test_a_graphql_write_that_is_refused_is_never_written(
    bench: Bench, body: Any, code: str, field: str | None
) -> None:
    verdicts = writer(bench, UPSERT, Reply(200, body), Reply(200, STORED)).write(people(2))
    assert codes(verdicts) == [code, None]
    assert isinstance(verdicts[0], RecordError)
    assert verdicts[0].field == field
    assert verdicts[0].answer
    assert verdicts[1] == Written("77")


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "GRAPHQL_VALIDATION_FAILED"])
def test_a_graphql_refusal_of_every_record_ends_the_write(bench: Bench, code: str) -> None:
    wire = bench.server(script(Reply(200, {"errors": [gql(code)]})))
    with pytest.raises(FluxError):
        bench.destination(wire, UPSERT).write(people(3))
    assert len(wire.calls) == 1


def test_a_graphql_write_that_was_done_counts_although_its_result_is_partial(bench: Bench) -> None:
    body = {"data": {"upsert": {"contact": {"id": "77", "owner": None}}},
            "errors": [gql("FORBIDDEN", ["upsert", "contact", "owner"])]}  # fmt: skip
    assert writer(bench, UPSERT, Reply(200, body)).write(people(1)) == [Written("77")]


@pytest.mark.parametrize(("declared", "code"), [(UPSERT, "UNREADABLE_ANSWER"), (INSERT, "OUTCOME_UNKNOWN")])
@pytest.mark.parametrize(
    "body",
    [
        {"data": {"upsert": None}, "errors": [gql("FORBIDDEN", ["upsert", "contact", "id"])]},
        {"ok": True},
    ],
)
def test_a_graphql_write_of_unknown_fate_is_said(bench: Bench, declared: str, code: str, body: Any) -> None:
    assert codes(writer(bench, declared, Reply(200, body)).write(people(1))) == [code]


def test_several_graphql_documents_in_one_request_have_a_verdict_each(bench: Bench) -> None:
    declared = """{path: /graphql, key: id, mode: upsert, batch: {item: {query: 'mutation { upsert { id } }',
        variables: {input: '{record}'}}}, results: {ok: {path: errors, empty: true}, id: data.upsert.id}}"""
    answers = [{"data": {"upsert": {"id": "1"}}}, {"data": {"upsert": None}, "errors": [gql("TAKEN", ["upsert"])]}]
    verdicts = writer(bench, declared, Reply(200, answers)).write(people(2))
    assert (verdicts[0], codes(verdicts)) == (Written("1"), [None, "DUPLICATE_RECORD"])


def test_an_insert_with_a_server_error_is_held_whatever_the_words(bench: Bench) -> None:
    declared = "{path: /contacts, mode: create, key: id}"
    with pytest.raises(OutcomeUnknown) as caught:
        writer(bench, declared, Reply(500, {"message": "email is required"})).write(people(1))
    assert caught.value.answer == '{"message": "email is required"}'


# --- rows of the flow come first ----------------------------------------------------------------


def test_a_row_of_the_flow_knows_better_than_words_and_status(bench: Bench) -> None:
    rows = "errors: [{status: 400, path: code, match: E17, code: REFERENCE_MISSING, field: about}]"
    declared = f"{ONE.removesuffix('}')}, {rows}}}"
    reply = Reply(400, {"code": "E17", "message": "Email is required", "about": "company"})
    (verdict,) = writer(bench, declared, reply).write(people(1))
    assert isinstance(verdict, RecordError)
    assert (verdict.code, verdict.field) == ("REFERENCE_MISSING", "company")
