"""From an answer to a code of the catalogue, as a table."""

from __future__ import annotations

import re
from typing import Any

import pytest

from airflow_provider_flux.errors import CATALOGUE
from airflow_provider_flux.transport.classify import (
    DESTINATION,
    RECORD_CODES,
    REQUEST_CODES,
    SOURCE,
    Finding,
    Row,
    loosely,
    recognise,
    record_code,
    request_code,
    vendor_message,
)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "BAD_REQUEST"),
        (401, "AUTHENTICATION_FAILED"),
        (402, "PERMISSION_DENIED"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (405, "NOT_FOUND"),
        (408, "CONNECTION_TIMEOUT"),
        (409, "BAD_REQUEST"),
        (413, "BAD_REQUEST"),
        (422, "BAD_REQUEST"),
        (429, "RATE_LIMIT_EXCEEDED"),
        (302, "BAD_REQUEST"),
        (500, "SOURCE_OUTAGE"),
        (503, "SOURCE_OUTAGE"),
        (599, "SOURCE_OUTAGE"),
    ],
)
def test_the_code_of_a_request(status: int, code: str) -> None:
    assert request_code(status, SOURCE) == code


def test_an_outage_is_that_of_the_side_that_answered() -> None:
    assert request_code(502, DESTINATION) == "DESTINATION_OUTAGE"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (None, "RECORD_REJECTED"),
        (400, "RECORD_REJECTED"),
        (404, "RECORD_NOT_FOUND"),
        (409, "DUPLICATE_RECORD"),
        (412, "DUPLICATE_RECORD"),
        (413, "VALUE_TOO_LONG"),
        (422, "RECORD_REJECTED"),
        (429, "RATE_LIMIT_EXCEEDED"),
        (500, "DESTINATION_OUTAGE"),
    ],
)
def test_the_code_of_a_record(status: int | None, code: str) -> None:
    assert record_code(status) == code


def test_every_code_of_the_tables_is_in_the_catalogue() -> None:
    assert {*REQUEST_CODES.values(), *RECORD_CODES.values(), SOURCE, DESTINATION} <= set(CATALOGUE)


BODY = {"error": {"code": "too_long", "message": "name is too long", "field": "name"}}
TOO_LONG = Row("VALUE_TOO_LONG", path="error.code", pattern=re.compile("too_long"), field="error.field")


@pytest.mark.parametrize(
    ("row", "status", "value", "failed", "finding"),
    [
        (TOO_LONG, 422, BODY, True, Finding("VALUE_TOO_LONG", "name")),
        (TOO_LONG, None, BODY, True, Finding("VALUE_TOO_LONG", "name")),
        (TOO_LONG, 200, BODY, False, None),
        (TOO_LONG, 422, {"error": "text"}, True, None),
        (Row("RATE_LIMIT_EXCEEDED", status=frozenset({403})), 403, "limit", True, Finding("RATE_LIMIT_EXCEEDED")),
        (Row("RATE_LIMIT_EXCEEDED", status=frozenset({403})), 400, "limit", True, None),
        (
            Row("INVALID_FORMAT", pattern=re.compile(r"Property (?P<field>\w+) is invalid")),
            400,
            {"message": "Property phone is invalid"},
            True,
            Finding("INVALID_FORMAT", "phone"),
        ),
        (
            Row("SOURCE_OUTAGE", status=frozenset({200}), path="errors[0].message", pattern=re.compile("down")),
            200,
            {"errors": [{"message": "upstream is down"}]},
            False,
            Finding("SOURCE_OUTAGE"),
        ),
        (Row("UNKNOWN", path="error.field"), 400, BODY, True, Finding("UNKNOWN")),
        (Row("UNKNOWN", path="error.nope"), 400, BODY, True, None),
    ],
)
def test_rows_recognise_answers(
    row: Row, status: int | None, value: Any, failed: bool, finding: Finding | None
) -> None:
    assert recognise([row], status, value, failed=failed) == finding


def test_the_first_row_that_fits_decides() -> None:
    rows = [Row("UNKNOWN", path="zip"), TOO_LONG, Row("INVALID_FORMAT", path="error.code")]
    assert recognise(rows, 422, BODY, failed=True) == Finding("VALUE_TOO_LONG", "name")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"message": "no"}, "no"),
        ({"error": {"message": "no"}}, "no"),
        ({"error": "no"}, "no"),
        ({"errors": [{"detail": "no"}]}, "no"),
        ([{"message": "no", "errorCode": "X"}], "no"),
        ({"code": 5}, ""),
        (None, ""),
        ("<html><title>Down for\n maintenance</title><body>x</body></html>", "Down for maintenance"),
        ({"message": "a\x00\ud800b"}, "a\\x00\\ud800b"),
    ],
)
def test_the_sentence_of_the_vendor_is_found(value: Any, message: str) -> None:
    assert vendor_message(value) == message


def test_an_error_body_of_any_kind_is_read() -> None:
    assert loosely(b'{"a": NaN}', "") == {"a": "NaN"}
    assert loosely(b"gone \xff", "text/plain") == "gone �"
