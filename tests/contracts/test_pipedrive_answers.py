"""What Pipedrive answers when it does not do what it is asked: two kinds of 429, refusals, successes that are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from airflow_provider_flux.connectors.contract import WriteItem, Written
from airflow_provider_flux.connectors.pipedrive import Pipedrive
from airflow_provider_flux.connectors.pipedrive.answers import advise
from airflow_provider_flux.errors import FluxError, OutcomeUnknown, RecordError
from airflow_provider_flux.transport.advice import Advice
from airflow_provider_flux.transport.messages import Response
from tests.contracts.pipedrive_company import Company, company, written
from tests.contracts.servers.wire import Call, Reply
from tests.contracts.suite.account import window
from tests.contracts.vendors.pipedrive_api import refusal

ADA = {"email": "ada@example.com", "name": "Ada Lovelace"}
_DAILY = {"x-daily-ratelimit-token-limit": "30000", "x-daily-ratelimit-token-remaining": "0", "Retry-After": "1"}


@pytest.fixture
def crm() -> Iterator[Company]:
    with company() as crm:
        yield crm


def answer_to(crm: Company, method: str, reply: Reply, times: int = 1) -> None:
    """The next calls of that method get this answer; others pass."""
    left = [times]

    def fault(call: Call) -> Reply | None:
        matches = call.method == method
        left[0] -= matches
        if left[0] > 0 or not matches:
            crm.vendor.faults.append(fault)
        return reply if matches else None

    crm.vendor.faults.append(fault)


def read(crm: Company) -> object:
    return list(crm.source("persons").read(window()))


def write(crm: Company) -> object:
    return written(crm.destination(), ADA)


def refused(crm: Company) -> RecordError:
    [found] = written(crm.destination(mode="create"), ADA)
    assert isinstance(found, RecordError), found
    return found


def test_a_burst_is_waited_for_as_long_as_its_window_says(crm: Company) -> None:
    burst = {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "0.1"}
    answer_to(crm, "POST", refusal(429, headers=burst), times=2)
    assert len(written(crm.destination(), ADA)) == 1
    assert len(crm.records()) == 1
    assert crm.calls.count("POST persons") == 3


@pytest.mark.parametrize(
    ("headers", "advice"),
    [
        ({"x-ratelimit-reset": "2"}, Advice(True, 2.0)),
        ({"x-ratelimit-reset": "2", "retry-after": "5"}, Advice(True, 5.0)),
        ({"x-ratelimit-reset": "86400"}, Advice(True, 10.0)),  # no burst window is that long
        ({"x-ratelimit-reset": "soon"}, None),
        ({}, None),  # every header is optional
        ({"x-daily-requests-left": "0"}, None),
        ({"x-daily-ratelimit-token-remaining": "0", "x-ratelimit-reset": "2"}, Advice(False)),
        ({"x-daily-ratelimit-token-remaining": "29990"}, None),
    ],
)
def test_what_the_headers_of_a_429_advise(headers: dict[str, str], advice: Advice | None) -> None:
    body = b'{"success":false,"error":"request over limit"}'
    assert advise(Response(429, headers, body, "https://api.pipedrive.com/api/v2/persons", "GET /persons")) == advice
    assert advise(Response(200, headers, b"{}", "https://api.pipedrive.com/api/v2/persons", "GET /persons")) is None


@pytest.mark.parametrize("act", [read, write])
def test_a_used_up_daily_budget_is_asked_once_and_stops_the_flow(
    crm: Company, act: Callable[[Company], object]
) -> None:
    """Its `Retry-After` is useless: the budget is back at midnight of the company's server."""
    answer_to(crm, "GET", refusal(429, headers=_DAILY), times=9)
    with pytest.raises(FluxError) as caught:
        act(crm)
    assert caught.value.code == "QUOTA_EXHAUSTED"
    assert not caught.value.transient
    assert len(crm.calls) == 1


@pytest.mark.parametrize(
    ("reply", "code", "field"),
    [
        (refusal(400, "Name must be given.", data=None, additional_data=None), "REQUIRED_FIELD_MISSING", "name"),
        (refusal(400, '"title" is required.', data=None), "REQUIRED_FIELD_MISSING", "title"),
        (refusal(400, "Invalid field(s) in the payload: shoe_size"), "FIELD_NOT_FOUND", "shoe_size"),
        (refusal(400, "emails must be array", code="ERR_SCHEMA_VALIDATION_FAILED"), "INVALID_FORMAT", "emails"),
        (refusal(400, "name length must be less than or equal to 255 characters long"), "VALUE_TOO_LONG", "name"),
        (refusal(400, "Organization 77 does not exist"), "REFERENCE_MISSING", None),
        (refusal(400, "Bad request"), "RECORD_REJECTED", None),
        (refusal(413), "VALUE_TOO_LONG", None),
        # HTTP 200, and yet not stored.
        (Reply(200, {"success": False, "error": "Name must be given."}), "REQUIRED_FIELD_MISSING", "name"),
        (Reply(200, {"success": False, "error": "Something else"}), "RECORD_REJECTED", None),
    ],
)
def test_a_refused_record_is_told_by_its_code_and_field(
    crm: Company, reply: Reply, code: str, field: str | None
) -> None:
    answer_to(crm, "POST", reply)
    found = refused(crm)
    assert found.code == code, found
    assert (found.field or "").lower() == (field or "")
    assert reply.body["error"].rstrip(".") in found.message
    assert found.answer
    assert crm.records() == {}


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "AUTHENTICATION_FAILED"), (402, "PERMISSION_DENIED"), (403, "PERMISSION_DENIED"), (404, "NOT_FOUND")],
)
@pytest.mark.parametrize("act", [read, write])
def test_what_refuses_everything_stops_the_flow(
    crm: Company, act: Callable[[Company], object], status: int, code: str
) -> None:
    answer_to(crm, "GET", refusal(status), times=9)
    with pytest.raises(FluxError) as caught:
        act(crm)
    assert caught.value.code == code
    assert not caught.value.transient


def test_a_block_of_calls_that_went_on_after_429_is_a_page_for_people(crm: Company) -> None:
    page = b"<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head></html>"
    answer_to(crm, "GET", Reply(403, page, {"Content-Type": "text/html"}), times=9)
    with pytest.raises(FluxError, match="Attention Required!") as caught:
        read(crm)
    assert caught.value.code == "PERMISSION_DENIED"


def test_a_list_that_says_success_false_is_no_empty_list(crm: Company) -> None:
    answer_to(crm, "GET", Reply(200, {"success": False, "error": "no luck", "data": []}))
    with pytest.raises(FluxError, match="no luck") as caught:
        read(crm)
    assert caught.value.code == "BAD_REQUEST"


def test_a_search_that_cannot_be_read_makes_no_record(crm: Company) -> None:
    answer_to(crm, "GET", Reply(200, {"success": True, "data": None}))
    with pytest.raises(FluxError) as caught:
        write(crm)
    assert caught.value.code == "UNREADABLE_ANSWER"
    assert crm.records() == {}


@pytest.mark.parametrize("body", [{"success": True}, {"success": True, "data": {"id": "x"}}, {}])
def test_a_create_without_an_id_in_its_answer_is_in_doubt(crm: Company, body: object) -> None:
    answer_to(crm, "POST", Reply(201, body))
    with pytest.raises(OutcomeUnknown) as caught:
        crm.destination(mode="create").write([_item()])
    assert "holds no `data.id`" in caught.value.message


@pytest.mark.parametrize("status", [404, 410])
def test_a_record_that_is_gone_at_a_change_is_not_found(crm: Company, status: int) -> None:
    answer_to(crm, "PATCH", refusal(status, "Person not found"))
    [found] = written(crm.destination(mode="update"), {"name": "Ada"}, key=7)
    assert isinstance(found, RecordError)
    assert found.code == "RECORD_NOT_FOUND"


@pytest.mark.parametrize("status", [404, 410])
def test_a_record_that_is_gone_at_a_delete_is_deleted(crm: Company, status: int) -> None:
    answer_to(crm, "DELETE", refusal(status))
    [found] = crm.destination(deletes="delete").write([_item(deleted=True, key="7")])
    assert isinstance(found, Written)


def test_a_key_that_is_no_id_of_pipedrive_leads_nowhere_else(crm: Company) -> None:
    """`../organizations/1` as the id of a person."""
    crm.have("organizations", name="Acme")
    [found] = crm.destination(deletes="delete").write([_item(deleted=True, key="../organizations/1")])
    assert isinstance(found, Written)
    assert len(crm.records("organizations")) == 1


def test_the_connection_is_tested_by_a_call_that_every_token_may_make(crm: Company) -> None:
    assert "/v1/users/me" in Pipedrive.test(crm.credentials())
    assert [call.path for call in crm.vendor.calls] == ["/v1/users/me"]


def _item(*, deleted: bool = False, key: str | None = None) -> WriteItem:
    return WriteItem(dict(ADA), deleted=deleted, destination_key=key)
