"""HubSpot's error bodies, taken apart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_flux.connectors.contract import WriteItem
from airflow_provider_flux.connectors.hubspot.faults import context_values, missing_scopes, problems, refusal
from airflow_provider_flux.transport.masking import Masker

SEEN = {
    "status": "error",
    "message": (
        'Property values were not valid: [{"isValid":false,"message":"Property \\"segment_group_id\\" does not exist",'
        '"error":"PROPERTY_DOESNT_EXIST","name":"segment_group_id"}]'
    ),
    "correlationId": "ef6f8b25-0000-0000-0000-000000000000",
    "category": "VALIDATION_ERROR",
}
"""As a live account answered it."""


def refused(body: Any, **data: Any) -> tuple[str, str | None, str]:
    error = refusal(body, WriteItem(data), Masker(()))
    return error.code, error.field, error.message


def test_the_list_inside_the_message_is_read() -> None:
    assert refused(SEEN) == (
        "FIELD_NOT_FOUND",
        "segment_group_id",
        'HubSpot refused the record: Property "segment_group_id" does not exist',
    )


def test_what_is_valid_in_the_list_is_no_problem() -> None:
    listed = [{"isValid": True, "name": "email"}, {"isValid": False, "error": "INVALID_EMAIL", "name": "email"}]
    body = {"message": f"Property values were not valid: {json.dumps(listed)}", "category": "VALIDATION_ERROR"}
    assert [one.get("error") for one in problems(body)] == ["INVALID_EMAIL"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("INVALID_OPTION", "INVALID_FORMAT"),
        ("INVALID_DATE", "INVALID_FORMAT"),
        ("LEADING_TRAILING_WHITESPACE", "INVALID_FORMAT"),
        ("INVALID_EMAIL", "INVALID_EMAIL"),
        ("REQUIRED_FIELD", "REQUIRED_FIELD_MISSING"),
        ("CONFLICTING_UNIQUE_VALUE", "DUPLICATE_RECORD"),
        ("READ_ONLY_VALUE", "CONSTRAINT_VIOLATED"),
        ("SOMETHING_NEW", "RECORD_REJECTED"),
    ],
)
def test_codes_of_properties(code: str, expected: str) -> None:
    listed = [{"isValid": False, "message": "no", "error": code, "name": "x"}]
    inside = {"message": f"Property values were not valid: {json.dumps(listed)}", "category": "VALIDATION_ERROR"}
    beside = {"message": "no", "category": "VALIDATION_ERROR", "errors": [{"message": "no", "code": code, "in": "x"}]}
    for body in (inside, beside):
        found, field, _ = refused(body, x="value")
        assert (found, field) == (expected, "x" if expected != "RECORD_REJECTED" else None)


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("CONFLICT", "DUPLICATE_RECORD"),
        ("OBJECT_ALREADY_EXISTS", "DUPLICATE_RECORD"),
        ("OBJECT_NOT_FOUND", "RECORD_NOT_FOUND"),
        ("ANYTHING", "RECORD_REJECTED"),
    ],
)
def test_categories(category: str, expected: str) -> None:
    assert refused({"category": category, "message": "no"})[0] == expected


@pytest.mark.parametrize(
    "body",
    [None, 7, [], "a page", {}, {"message": 7}, {"message": "[{broken]"}, {"message": "[{}]"}, {"errors": [7]},
     {"errors": {}}, {"context": 7}, {"errors": [{"context": {"propertyName": 7}}]}],
)  # fmt: skip
def test_bodies_of_any_shape_are_a_refusal_that_nobody_knows(body: Any) -> None:
    assert refused(body)[0] == "RECORD_REJECTED"
    assert missing_scopes(body) == ()
    assert context_values(body) == set()


def test_the_scopes_that_are_missing() -> None:
    detail = {"context": {"requiredGranularScopes": ["a.read", "b.read"]}}
    body = {"errors": [detail], "context": {"missingScopes": ["c"]}}
    assert missing_scopes(body) == ("c", "a.read", "b.read")


def test_the_value_at_fault_is_shown() -> None:
    error = refusal(SEEN, WriteItem({"segment_group_id": 7}), Masker(()), 400, "POST /x")
    assert (error.value, error.status) == ("7", 400)
    assert "(POST /x, HTTP 400)" in error.message
