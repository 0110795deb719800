"""Answers that are no success, in words for people."""

from __future__ import annotations

import json
import re

import pytest

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.classify import DESTINATION, SOURCE, Row
from airflow_provider_flux.transport.failures import Judgement
from airflow_provider_flux.transport.masking import Masker
from airflow_provider_flux.transport.messages import Response

SECRET = "k3y-that-echoes"


def response(status: int, body: object, **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, named, content, "http://api/v1/x", "GET /v1/x")


def judgement(*rows: Row, outage: str = SOURCE) -> Judgement:
    return Judgement("crm", Masker([SECRET]), rows, outage)


def test_a_failure_says_connection_endpoint_status_and_the_vendors_sentence() -> None:
    error = judgement().failed(response(403, {"message": "scope contacts.read is missing"}))
    assert (error.code, error.message) == (
        "PERMISSION_DENIED",
        "connection 'crm': GET /v1/x answered HTTP 403: scope contacts.read is missing",
    )
    assert error.answer == '{"message": "scope contacts.read is missing"}'


def test_a_secret_that_the_server_echoes_is_masked_everywhere() -> None:
    error = judgement().failed(response(401, {"message": f"key {SECRET} is not valid", "you_sent": SECRET}))
    assert SECRET not in f"{error} {error.answer} {error.next_step} {error!r}"
    assert "key *** is not valid" in error.message


def test_a_throttle_carries_the_wait() -> None:
    error = judgement().failed(response(429, {}, retry_after="90"))
    assert (error.code, error.retry_after, error.transient) == ("RATE_LIMIT_EXCEEDED", 90.0, True)


def test_a_server_error_is_an_outage_of_its_side() -> None:
    assert judgement().failed(response(500, b"oops")).code == "SOURCE_OUTAGE"
    assert judgement(outage=DESTINATION).failed(response(500, b"oops")).code == "DESTINATION_OUTAGE"


def test_rows_are_asked_before_the_status() -> None:
    row = Row("RATE_LIMIT_EXCEEDED", path="[0].errorCode", pattern=re.compile("REQUEST_LIMIT"))
    body = [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    assert judgement(row).failed(response(403, body)).code == "RATE_LIMIT_EXCEEDED"


def test_an_error_inside_a_success_is_found_by_its_row() -> None:
    row = Row("PERMISSION_DENIED", status=frozenset({200}), path="errors[0].message", pattern=re.compile("denied"))
    with pytest.raises(FluxError) as caught:
        judgement(row).value(response(200, {"data": None, "errors": [{"message": "access denied"}]}))
    assert caught.value.code == "PERMISSION_DENIED"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the answer is empty"),
        (b"<!doctype html><title>Sign in</title>", "a page for people came instead of data: Sign in"),
        (b'{"data": [1, 2', "the answer is not JSON"),
    ],
)
def test_what_is_not_json_is_an_unreadable_answer(body: bytes, reason: str) -> None:
    with pytest.raises(FluxError, match=reason) as caught:
        judgement().value(response(200, body))
    assert caught.value.code == "UNREADABLE_ANSWER"
    assert caught.value.answer == body.decode()


@pytest.mark.parametrize("status", [200, 201, 204, 207])
def test_a_success_passes(status: int) -> None:
    judgement().check(response(status, {}))


@pytest.mark.parametrize("status", [199, 300, 304, 400])
def test_anything_else_does_not(status: int) -> None:
    with pytest.raises(FluxError):
        judgement().check(response(status, {}))
