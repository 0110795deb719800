"""GraphQL answers: what their errors mean, and which records they concern."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_flux.errors import CATALOGUE
from airflow_provider_flux.transport.classify import DESTINATION, SOURCE
from airflow_provider_flux.transport.graphql import CODES, GraphqlAnswer, is_request, judge


def answer(value: Any) -> GraphqlAnswer:
    found = judge(value)
    assert found is not None
    return found


def coded(code: str, message: str = "no", **more: Any) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}, **more}


@pytest.mark.parametrize(
    ("error", "request_code", "record_code"),
    [
        (coded("UNAUTHENTICATED"), "AUTHENTICATION_FAILED", "AUTHENTICATION_FAILED"),
        (coded("invalid-jwt"), "AUTHENTICATION_FAILED", "AUTHENTICATION_FAILED"),
        (coded("FORBIDDEN"), "PERMISSION_DENIED", "PERMISSION_DENIED"),
        (coded("ACCESS_DENIED"), "PERMISSION_DENIED", "PERMISSION_DENIED"),
        (coded("NOT_FOUND"), "NOT_FOUND", "RECORD_NOT_FOUND"),
        (coded("BAD_USER_INPUT"), "PAYLOAD_MISMATCH", "INVALID_FORMAT"),
        (coded("BAD_USER_INPUT", "email is required"), "PAYLOAD_MISMATCH", "REQUIRED_FIELD_MISSING"),
        (coded("GRAPHQL_VALIDATION_FAILED"), "PAYLOAD_MISMATCH", "PAYLOAD_MISMATCH"),
        (coded("THROTTLED"), "RATE_LIMIT_EXCEEDED", "RATE_LIMIT_EXCEEDED"),
        (coded("RATE_LIMITED"), "RATE_LIMIT_EXCEEDED", "RATE_LIMIT_EXCEEDED"),
        (coded("INTERNAL_SERVER_ERROR"), "SOURCE_OUTAGE", "DESTINATION_OUTAGE"),
        (coded("INTERNAL_SERVER_ERROR", "duplicate key value"), "SOURCE_OUTAGE", "DUPLICATE_RECORD"),
        ({"message": "no", "extensions": {"classification": "NOT_FOUND"}}, "NOT_FOUND", "RECORD_NOT_FOUND"),
        ({"message": "no", "type": "RATE_LIMITED"}, "RATE_LIMIT_EXCEEDED", "RATE_LIMIT_EXCEEDED"),
        ({"message": "API key is invalid"}, "AUTHENTICATION_FAILED", "AUTHENTICATION_FAILED"),
        ({"message": "An error occurred (logged with hash 0f3)"}, None, None),
        (coded("E_4711"), None, None),
        ({"message": 'Cannot query field "x" on type "Query".'}, "PAYLOAD_MISMATCH", "PAYLOAD_MISMATCH"),
        ({"message": 'Variable "$id" is not defined by operation "q".'}, "PAYLOAD_MISMATCH", "PAYLOAD_MISMATCH"),
    ],
)  # fmt: skip
def test_an_error_is_known_by_its_code_or_its_sentence(
    error: dict[str, Any], request_code: str | None, record_code: str | None
) -> None:
    (found,) = answer({"errors": [error]}).errors
    request = found.finding(200, outage=SOURCE, record=False)
    record = found.finding(200, outage=DESTINATION, record=True)
    assert (request and request.code, record and record.code) == (request_code, record_code)


@pytest.mark.parametrize(
    ("message", "code", "field"),
    [
        ('Variable "$input" got invalid value {...}; Field "email" of required type "String!" was not provided.',
         "REQUIRED_FIELD_MISSING", "email"),
        ('Variable "$input" got invalid value null at "input.email"; Expected non-nullable type "String!".',
         "REQUIRED_FIELD_MISSING", "email"),
        ('Variable "$input" got invalid value {...}; Field "shoe" is not defined by type "ContactInput".',
         "FIELD_NOT_FOUND", "shoe"),
        ('Variable "$input" got invalid value "abc" at "input.age"; Int cannot represent non-integer value: "abc"',
         "INVALID_FORMAT", "age"),
        ('Variable "$input" got invalid value "x" at "input.address.zip"; Expected type "Int".',
         "INVALID_FORMAT", "address.zip"),
        # graphql-core 3.2, then graphql-core 3.3 and graphql-js 17.
        ("Variable '$input' got invalid value {}; Field 'email' of required type 'String!' was not provided.",
         "REQUIRED_FIELD_MISSING", "email"),
        ("Variable '$input' got invalid value None at 'input.email'; Expected non-nullable type 'String!' not to be "
         "None.", "REQUIRED_FIELD_MISSING", "email"),
        ("Variable '$input' got invalid value {'shoe': 2}; Field 'shoe' is not defined by type 'ContactInput'.",
         "FIELD_NOT_FOUND", "shoe"),
        ("Variable '$input' has invalid value: Expected value of type 'ContactInput' to include required field 'email',"
         " found: {}.", "REQUIRED_FIELD_MISSING", "email"),
        ("Variable '$input' has invalid value at .email: Expected value of non-null type 'String!' not to be None.",
         "REQUIRED_FIELD_MISSING", "email"),
        ("Variable '$input' has invalid value: Expected value of type 'ContactInput' not to include unknown field "
         "'shoe'. Found: {'shoe': 2}.", "FIELD_NOT_FOUND", "shoe"),
        ("Variable '$input' has invalid value at .age: Int cannot represent non-integer value: 'abc'",
         "INVALID_FORMAT", "age"),
    ],
)  # fmt: skip
def test_a_variable_that_does_not_fit_names_its_field(message: str, code: str, field: str) -> None:
    (found,) = answer({"errors": [coded("BAD_USER_INPUT", message)]}).errors
    finding = found.finding(200, outage=DESTINATION, record=True)
    assert finding is not None
    assert (finding.code, finding.field) == (code, field)
    request = found.finding(200, outage=SOURCE, record=False)
    assert request is not None and request.code == "PAYLOAD_MISMATCH"


def test_every_meaning_is_in_the_catalogue() -> None:
    for code, meaning in CODES.items():
        assert code == code.upper()
        assert {meaning.request, meaning.record} - {None, "OUTAGE"} <= set(CATALOGUE), code


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        ({"create": {"userErrors": [{"field": ["input", "email"], "message": "is there", "code": "TAKEN"}]}},
         "DUPLICATE_RECORD", "email"),
        ({"create": {"userErrors": [{"path": ["input", "name"], "message": "is too long"}], "contact": None}},
         "VALUE_TOO_LONG", "name"),
        ({"create": {"errors": [{"message": "can't be blank", "field": "email"}]}}, "REQUIRED_FIELD_MISSING", "email"),
        ({"create": {"__typename": "NotFoundError", "message": "gone"}}, "RECORD_NOT_FOUND", None),
        ({"create": {"__typename": "UserError", "message": "email is required"}}, "REQUIRED_FIELD_MISSING", "email"),
    ],
)  # fmt: skip
def test_a_refusal_typed_into_the_data_is_found(data: dict[str, Any], code: str, field: str | None) -> None:
    refusal = answer({"data": data}).refusal()
    assert refusal is not None
    finding = refusal.finding(200, outage=DESTINATION, record=True)
    assert finding is not None
    assert (finding.code, finding.field) == (code, field)


@pytest.mark.parametrize(
    "data",
    [
        {"create": {"userErrors": [], "contact": {"id": "1"}}},
        {"create": {"__typename": "Contact", "message": "hello"}},
        {"create": {"contact": {"errors": [{"message": "a field of the record"}]}}},
        {"create": {"errors": None}},
        {"create": [1]},
    ],
)
def test_data_without_a_refusal_has_none(data: dict[str, Any]) -> None:
    assert answer({"data": data}).refusal() is None


NULL = {"create": None}


@pytest.mark.parametrize(
    ("value", "refused", "in_doubt"),
    [
        ({"data": None, "errors": [{"message": "a"}]}, True, False),
        ({"errors": [{"message": "a"}]}, True, False),
        ({"data": NULL, "errors": [{"message": "a", "path": ["create"]}]}, True, False),
        # The mutation was done; what it made could not be told.
        ({"data": NULL, "errors": [{"message": "a", "path": ["create", "contact", "id"]}]}, False, True),
        ({"data": None, "errors": [{"message": "a", "path": ["create", "contact", "id"]}]}, False, True),
        ({"data": {"create": {"id": 1, "owner": None}}, "errors": [{"message": "a", "path": ["create", "owner"]}]},
         False, False),
    ],
)  # fmt: skip
def test_whether_a_mutation_was_done(value: Any, refused: bool, in_doubt: bool) -> None:
    found = answer(value)
    assert (found.refusal() is not None, found.doubt() is not None) == (refused, in_doubt)


@pytest.mark.parametrize(
    ("path", "item", "whole"),
    [
        (["contacts", "nodes", 3, "email"], 3, False),
        (["contacts", "nodes", 0], 0, False),
        (["contacts", "nodes"], None, True),
        (["contacts"], None, True),
        (None, None, True),
        (["contacts", "total"], None, False),
        (["viewer"], None, False),
    ],
)
def test_an_error_belongs_to_a_record_to_the_list_or_to_neither(path: Any, item: int | None, whole: bool) -> None:
    found = answer({"data": {"contacts": None}, "errors": [{"message": "a", "path": path}]})
    items, missing = found.of_list("data.contacts.nodes")
    assert (list(items), bool(missing)) == ([] if item is None else [item], whole)


@pytest.mark.parametrize(
    "value",
    [None, [], {}, "x", {"data": [1]}, {"data": None}, {"errors": [{"detail": "JSON:API"}]}, {"errors": "no"},
     {"message": "x", "errors": [{"message": "a"}]}],
)  # fmt: skip
def test_what_is_no_graphql_answer_is_not_taken_for_one(value: Any) -> None:
    assert judge(value) is None


def test_further_members_are_overlooked_where_graphql_was_asked() -> None:
    assert judge({"data": {"a": 1}, "status": "ok"}) is None
    assert judge({"data": {"a": 1}, "status": "ok"}, asked=True) is not None


def test_a_request_with_a_document_is_graphql() -> None:
    assert is_request({"query": "query { a }", "variables": {}})
    assert not any(map(is_request, [None, {}, {"query": "rotterdam"}, {"query": {"a": 1}}, "query { a }"]))
