"""Faults that systems put into words: each row with bodies that it knows, and with ones that it must leave alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.errors import CATALOGUE, Disposition
from airflow_provider_flux.transport.classify import DESTINATION, Finding
from airflow_provider_flux.transport.complaints import Complaint, complaints
from airflow_provider_flux.transport.graphql import judge
from airflow_provider_flux.transport.wordings import CALLER_ROWS, RECORD_ROWS, caller_fault, record_fault

Known = tuple[int | None, Any, str, str | None]

KNOWN: list[Known] = [
    (409, {"message": "A contact with this email already exists"}, "DUPLICATE_RECORD", None),
    (422, {"errors": {"email": ["has already been taken"]}}, "DUPLICATE_RECORD", "email"),
    (400, [{"message": "duplicate value found", "errorCode": "DUPLICATE_VALUE", "fields": ["Ext__c"]}],
     "DUPLICATE_RECORD", "Ext__c"),
    (500, "E11000 duplicate key error collection: crm.contacts", "DUPLICATE_RECORD", None),
    (500, {"error": 'duplicate key value violates unique constraint "people_email"'}, "DUPLICATE_RECORD", None),
    (422, {"message": "insert violates foreign key constraint"}, "REFERENCE_MISSING", None),
    (400, {"message": "parent account not found"}, "REFERENCE_MISSING", None),
    (500, {"message": 'new row for relation "people" violates check constraint "people_email_check"'},
     "CONSTRAINT_VIOLATED", None),
    (400, {"message": "The field type has changed since the mapping was made"}, "OBJECT_TYPE_CHANGED", None),
    (500, {"message": "The type of field 'age' was changed from text to number"}, "OBJECT_TYPE_CHANGED", None),
    (500, 'column "age" is of type integer but expression is of type text', "OBJECT_TYPE_CHANGED", "age"),
    (400, {"message": "Email address kim@ is invalid", "category": "VALIDATION_ERROR"}, "INVALID_EMAIL", None),
    (400, [{"errorCode": "INVALID_EMAIL_ADDRESS", "message": "Email: invalid address: kim@", "fields": ["Email"]}],
     "INVALID_EMAIL", "Email"),
    (422, {"errors": [{"field": "email", "message": "is not a valid email"}]}, "INVALID_EMAIL", "email"),
    (400, {"message": "Email is required"}, "REQUIRED_FIELD_MISSING", "Email"),
    (400, {"email": ["This field is required."]}, "REQUIRED_FIELD_MISSING", "email"),
    (422, {"errors": {"name": ["can't be blank"]}}, "REQUIRED_FIELD_MISSING", "name"),
    (422, {"detail": [{"loc": ["body", "name"], "msg": "Field required", "type": "value_error.missing"}]},
     "REQUIRED_FIELD_MISSING", "name"),
    (400, [{"errorCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [LastName]",
            "fields": ["LastName"]}], "REQUIRED_FIELD_MISSING", "LastName"),
    (500, {"error": 'null value in column "email" of relation "people"'}, "REQUIRED_FIELD_MISSING", "email"),
    (400, {"error": {"message": "must have required property 'name'"}}, "REQUIRED_FIELD_MISSING", "name"),
    (422, {"error": {"code": "too_long", "message": "name is too long", "field": "name"}}, "VALUE_TOO_LONG", "name"),
    (400, {"message": "name must have at most 40 characters"}, "VALUE_TOO_LONG", "name"),
    (500, "value too long for type character varying(40)", "VALUE_TOO_LONG", None),
    (422, {"message": "age is out of range"}, "VALUE_OUT_OF_RANGE", "age"),
    (422, {"detail": [{"loc": ["body", "age"], "msg": "Input should be less than or equal to 150", "input": "x"}]},
     "VALUE_OUT_OF_RANGE", "age"),
    (400, {"message": 'Property "colour" does not exist'}, "FIELD_NOT_FOUND", "colour"),
    (400, {"message": "Unknown field: colour"}, "FIELD_NOT_FOUND", None),
    (422, {"detail": [{"loc": ["body", "shoe"], "msg": "Extra inputs are not permitted", "type": "extra_forbidden"}]},
     "FIELD_NOT_FOUND", "shoe"),
    (400, {"message": "Contact 17 does not exist"}, "RECORD_NOT_FOUND", None),
    (400, [{"errorCode": "ENTITY_IS_DELETED", "message": "entity is deleted"}], "RECORD_NOT_FOUND", None),
    (500, {"message": "invalid type: string \"abc\", expected i64"}, "INVALID_FORMAT", None),
    (500, 'Cannot deserialize value of type `int` from String "abc": not a valid `int` value', "INVALID_FORMAT", None),
    (500, {"error": 'invalid input syntax for type integer: "abc"'}, "INVALID_FORMAT", None),
    (500, 'column "age" cannot be cast automatically to type integer', "INVALID_FORMAT", None),
    (400, {"message": '"abc" was not one of the allowed options', "context": {"propertyName": ["stage"]}},
     "INVALID_FORMAT", "stage"),
    (400, {"errors": [{"source": {"pointer": "/data/attributes/phone"}, "title": "is not valid"}]},
     "INVALID_FORMAT", "phone"),
    (422, {"detail": [{"loc": ["body", "age"], "msg": "Input should be a valid integer", "type": "int_parsing"}]},
     "INVALID_FORMAT", "age"),
    (None, {"success": False, "error": "phone must be a valid number"}, "INVALID_FORMAT", "phone"),
    (200, {"errors": [{"field": "phone", "message": "is not valid"}]}, "INVALID_FORMAT", "phone"),
]  # fmt: skip

PAGE = "<html><title>500</title><body>Invalid type. Email is required, record already exists.</body></html>"

LEFT_ALONE: list[tuple[int, Any]] = [
    (500, PAGE),
    (503, {"message": "record already exists"}),  # a proxy's statuses are outages whatever they say
    (502, "invalid type"),
    (500, {"message": "Internal Server Error"}),
    (500, {"message": "The server encountered an invalid response from upstream; a value is required"}),
    (500, {"message": "IndexError: list index out of range"}),
    (500, {"message": "the query took too long and was cancelled"}),
    (500, {"message": "a database connection is required"}),
    (500, "java.lang.ClassCastException: class A cannot be cast to class B"),
    (400, {"message": "user not found"}),
    (500, {"message": "user not found in cache"}),
    (400, {"message": "Authentication is required"}),
    (400, {"message": "the request took too long"}),
    (400, {"message": "an API key is required"}),
    (400, {"message": "Bad Request", "path": "/api/already exists"}),
    (400, {"message": "Bad Request", "request": {"body": {"note": "email is required"}}}),  # an echo of what was sent
    (400, {"message": "you may not do this today"}),
    (400, None),
    (400, []),
]


@pytest.mark.parametrize(("status", "body", "code", "field"), KNOWN)
def test_a_data_fault_is_known_by_its_words(status: int | None, body: Any, code: str, field: str | None) -> None:
    assert record_fault(status, body) == Finding(code, field)


@pytest.mark.parametrize(("status", "body"), LEFT_ALONE)
def test_what_only_sounds_alike_is_left_to_its_status(status: int, body: Any) -> None:
    assert record_fault(status, body) is None


def test_every_row_has_an_example_and_a_permanent_code() -> None:
    for row in RECORD_ROWS:
        assert row.pattern is not None and row.status is not None
        assert CATALOGUE[row.code].disposition is Disposition.FIX
        assert any(
            (422 if status is None or status < 400 else status) in row.status
            and any(row.pattern.search(complaint.text) for complaint in complaints(body))
            for status, body, code, _ in KNOWN
            if code == row.code
        ), row


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (403, {"message": "API rate limit exceeded for 10.0.0.1"}, "RATE_LIMIT_EXCEEDED"),
        (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "no"}], "RATE_LIMIT_EXCEEDED"),
        (400, {"message": "You have exceeded your daily request limit"}, "RATE_LIMIT_EXCEEDED"),
        (400, {"error": "invalid_grant"}, "AUTHENTICATION_FAILED"),
        (403, {"message": "The access token has expired"}, "AUTHENTICATION_FAILED"),
        (400, {"message": "API key is missing"}, "AUTHENTICATION_FAILED"),
    ],
)  # fmt: skip
def test_a_refusal_of_the_caller_is_known_under_another_status(status: int, body: Any, code: str) -> None:
    finding = caller_fault(status, body)
    assert finding is not None
    assert finding.code == code


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"message": "the property rate_limit is not valid"}),
        (403, {"message": "scope contacts.write is missing"}),
        (500, {"message": "rate limit exceeded while asking another service"}),
        (400, {"message": "token is too long"}),
        (403, PAGE),
    ],
)
def test_other_refusals_are_not_the_callers(status: int, body: Any) -> None:
    assert caller_fault(status, body) is None


def test_every_row_of_a_caller_has_a_code_of_the_connection() -> None:
    assert {CATALOGUE[row.code].category.value for row in CALLER_ROWS} == {"connection"}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("plain", [Complaint("plain")]),
        ({"message": "a", "errors": [{"detail": "b", "field": "x"}, "c"]},
         [Complaint("a"), Complaint("b", "x"), Complaint("c")]),
        ({"errors": {"email": ["a", "b"], "name": "c"}},
         [Complaint("a", "email"), Complaint("b", "email"), Complaint("c", "name")]),
        ({"email": ["a"], "name": ["b"]}, [Complaint("a", "email"), Complaint("b", "name")]),
        ({"status": 400, "path": "/v1/x", "error": "Bad Request"}, [Complaint("Bad Request")]),
        ({"data": {"message": "an echo"}, "ok": False}, []),
        (PAGE, []),
        (5, []),
    ],
)  # fmt: skip
def test_complaints_are_read_where_systems_put_them(value: Any, found: list[Complaint]) -> None:
    assert complaints(value) == found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["message", "errors", "field", "path", "data", "code", "x"]), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, st.none() | st.sampled_from([200, 400, 403, 409, 422, 500]))
def test_any_body_is_judged(value: Any, status: int | None) -> None:
    for finding in (record_fault(status, value), caller_fault(status or 400, value)):
        assert finding is None or finding.code in CATALOGUE
    if (answer := judge(value)) is not None:
        for error in (*answer.errors, *answer.refusals):
            error.finding(200, outage=DESTINATION, record=True)
        answer.refusal(), answer.doubt(), answer.of_list("data.x")


def test_a_body_without_end_is_not_read_to_the_end() -> None:
    deep: Any = "bottom"
    for _ in range(1000):
        deep = {"errors": [deep]}
    assert complaints(deep) == []
    assert len(complaints({"errors": ["no"] * 10_000})) == 50
    assert len(complaints("x" * 100_000)[0].text) == 1000
