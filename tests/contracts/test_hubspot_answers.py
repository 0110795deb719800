"""What HubSpot says instead of doing it, how one signs in, and what it tells of its objects."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from airflow_provider_flux.connectors.contract import Window, Written
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.declare import FieldInfo
from airflow_provider_flux.connectors.hubspot import Hubspot
from airflow_provider_flux.connectors.hubspot.options import HubspotSourceOptions
from airflow_provider_flux.errors import CATALOGUE, Disposition, FluxError
from airflow_provider_flux.store import open_store
from airflow_provider_flux.transport.shared import Shared
from tests.contracts.hubspot_account import Account, account, error, written
from tests.contracts.servers.wire import Call, Reply
from tests.contracts.vendors.hubspot_crm import CORRELATION, refused

ADA = {"email": "ada@example.com", "firstname": "Ada"}


@pytest.fixture
def hubspot() -> Iterator[Account]:
    with account() as hubspot:
        yield hubspot


# --- about one record -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "record", "code", "field"),
    [
        ("contacts", {**ADA, "segment_group_id": "7"}, "FIELD_NOT_FOUND", "segment_group_id"),
        ("contacts", {**ADA, "lifecyclestage": "friend"}, "INVALID_FORMAT", "lifecyclestage"),
        ("contacts", {**ADA, "languages": ["de", "fr"]}, "INVALID_FORMAT", "languages"),
        ("contacts", {**ADA, "email": "ada at example"}, "INVALID_EMAIL", "email"),
        ("contacts", {**ADA, "age": "old"}, "INVALID_FORMAT", "age"),
        ("contacts", {**ADA, "firstname": "x" * 65_537}, "VALUE_TOO_LONG", "firstname"),
        ("contacts", {**ADA, "createdate": "2026-01-01"}, "CONSTRAINT_VIOLATED", "createdate"),
        ("tickets", {"subject": "Help"}, "REQUIRED_FIELD_MISSING", "hs_pipeline_stage"),
        ("2-1234567", {"colour": "red"}, "REQUIRED_FIELD_MISSING", "plate"),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_what_is_wrong_with_a_record_has_a_name_and_its_field(
    hubspot: Account, name: str, record: dict[str, Any], code: str, field: str, whole: bool
) -> None:
    hubspot.crm.whole = whole
    bad = error(written(hubspot.destination(name, mode="create"), record)[0])
    assert (bad.code, bad.field, bad.status) == (code, field, 400 if whole else 207)
    assert CATALOGUE[bad.code].disposition is Disposition.FIX
    assert "isValid" not in bad.message  # the JSON inside HubSpot's message is read, not shown
    assert "VALIDATION_ERROR" in str(bad.answer)
    assert hubspot.crm.objects[name] == {}


def test_two_faults_of_one_record_are_both_told(hubspot: Account) -> None:
    (bad,) = written(hubspot.destination(), {**ADA, "nickname": "A", "age": "old"})
    assert (error(bad).code, error(bad).field) == ("FIELD_NOT_FOUND", "nickname")
    assert "does not exist" in error(bad).message and "not a valid long" in error(bad).message


def test_a_conflict_as_hubspot_words_it_elsewhere(hubspot: Account) -> None:
    """Seen of the contacts API since 2024: another category, and the property in `errors`."""
    said = "A contact with email ada@example.com already exists. Existing ID: 2926551"
    reply = refused(409, "Contact already exists. Existing ID: 2926551", "OBJECT_ALREADY_EXISTS", errors=[
        {"message": said, "in": "email"}
    ])  # fmt: skip
    hubspot.vendor.faults.append(reply)
    bad = error(written(hubspot.destination(mode="create"), ADA)[0])
    assert (bad.code, bad.field, bad.value) == ("DUPLICATE_RECORD", "email", "ada@example.com")
    assert "2926551" in bad.message


def test_a_refusal_that_nobody_knows_keeps_the_raw_answer(hubspot: Account) -> None:
    hubspot.vendor.faults.append(refused(400, "The moon is in the wrong place"))
    bad = error(written(hubspot.destination(), ADA)[0])
    assert bad.code == "RECORD_REJECTED"
    assert "The moon is in the wrong place" in bad.message and CORRELATION in str(bad.answer)


# --- about the whole request ------------------------------------------------------------------------------------------


def limited(policy: str) -> Reply:
    """HubSpot's 429: the same for a span of ten seconds and for the day."""
    body = {
        "status": "error",
        "message": f"You have reached your {policy.lower()} limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": CORRELATION,
        "policyName": policy,
    }
    return Reply(429, body)


def test_the_limit_of_ten_seconds_is_waited_for(hubspot: Account) -> None:
    hubspot.vendor.faults.append(limited("TEN_SECONDLY_ROLLING"))
    assert isinstance(written(hubspot.destination(), ADA)[0], Written)
    assert len(hubspot.calls) == 2


@pytest.mark.parametrize("told_by", ["policy", "message", "header"])
def test_the_limit_of_the_day_is_asked_once_and_ends_the_run(hubspot: Account, told_by: str) -> None:
    """Any of the three is enough: with OAuth there is no header for the day."""
    reply = limited("DAILY")
    if told_by != "policy":
        del reply.body["policyName"]
    if told_by != "message":
        reply.body["message"] = "You have reached your limit."
    if told_by == "header":
        reply.headers |= {"X-HubSpot-RateLimit-Daily": "250000", "X-HubSpot-RateLimit-Daily-Remaining": "0"}
    hubspot.vendor.faults.append(reply)
    with pytest.raises(FluxError) as caught:
        written(hubspot.destination(), ADA)
    assert caught.value.code == "QUOTA_EXHAUSTED"
    assert not caught.value.transient
    assert len(hubspot.calls) == 1


def test_the_headers_of_the_limit_are_optional_and_obeyed(hubspot: Account) -> None:
    told = {
        "X-HubSpot-RateLimit-Interval-Milliseconds": "500",
        "X-HubSpot-RateLimit-Max": "100",
        "X-HubSpot-RateLimit-Remaining": "0",
    }

    used_up_at: list[float] = []

    def used_up(call: Call) -> Reply:
        used_up_at.append(time.monotonic())
        reply = hubspot.vendor.handle(call)
        return Reply(reply.status, reply.body, told)

    def too_early(call: Call) -> Reply | None:
        return limited("DAILY") if time.monotonic() < used_up_at[0] + 0.05 else None

    hubspot.vendor.faults += [used_up, too_early]
    destination = hubspot.destination()
    for _ in range(2):
        assert isinstance(written(destination, ADA)[0], Written)


def test_missing_scopes_are_named(hubspot: Account) -> None:
    hubspot.vendor.faults.append(hubspot.vendor.failure(403))
    with pytest.raises(FluxError) as caught:
        written(hubspot.destination(), ADA)
    assert caught.value.code == "PERMISSION_DENIED"
    assert "crm.objects.contacts.write" in caught.value.message
    assert "crm.objects.contacts.write" in caught.value.next_step


@pytest.mark.parametrize("category", ["EXPIRED_AUTHENTICATION", "INVALID_AUTHENTICATION"])
def test_a_token_that_is_not_good_is_an_error_of_the_connection(hubspot: Account, category: str) -> None:
    hubspot.vendor.faults.append(refused(401, "The OAuth token used to make this call expired", category))
    with pytest.raises(FluxError, match="connection 'crm'") as caught:
        hubspot.read()
    assert caught.value.code == "AUTHENTICATION_FAILED"
    assert len(hubspot.calls) == 1


def test_an_object_that_does_not_exist_is_named(hubspot: Account) -> None:
    with pytest.raises(FluxError, match="'p_unicorn'") as caught:
        hubspot.read(name="p_unicorn")
    assert caught.value.code == "NOT_FOUND"
    assert "2-1234567" in caught.value.next_step
    with pytest.raises(FluxError, match="'widgets'") as caught:
        Hubspot.describe(hubspot.credentials(), object_name="widgets")
    assert caught.value.code == "NOT_FOUND"


# --- signing in -------------------------------------------------------------------------------------------------------


def app(hubspot: Account, store: Any) -> Credentials:
    """The connection of a public app."""
    extra = {"client_id": "app-1", "client_secret": "s3cret-app", "refresh_token": "r-0001", "limit": "none"}
    doors = Shared(tokens=store, pace=store)
    return Credentials("crm", "flux_hubspot", host=hubspot.url, extra=extra, shared=doors)


def test_a_public_app_signs_in_with_its_refresh_token(
    hubspot: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", Fernet.generate_key().decode())
    hubspot.vendor.seed(1)
    data = {"connector": "hubspot", "connection": "crm", "object": "contacts"}
    options = HubspotSourceOptions.model_validate(data)
    with open_store(f"sqlite:///{tmp_path}/flux.db") as store:
        for _ in range(2):
            source = Hubspot.source(options, app(hubspot, store))
            assert len([record for page in source.read(Window()) for record in page.records]) == 1
            source.close()
        assert hubspot.vendor.refreshed == 1  # the second run took the token that the first had kept
        token = next(call for call in hubspot.vendor.calls if call.path == "/oauth/v1/token")
        assert b"grant_type=refresh_token" in token.body and b"client_id=app-1" in token.body
        hubspot.vendor.tokens = set()  # revoked: a 401 is answered by one new token
        source = Hubspot.source(options, app(hubspot, store))
        assert list(source.read(Window()))
        source.close()
        assert hubspot.vendor.refreshed == 2


def test_a_connection_is_tried_by_what_needs_no_scope_and_a_flow_by_its_object(hubspot: Account) -> None:
    assert "/account-info/v3/details" in Hubspot.test(hubspot.credentials())
    options = HubspotSourceOptions.model_validate({"connector": "hubspot", "connection": "crm", "object": "deals"})
    assert "/crm/v3/objects/deals" in Hubspot.test(hubspot.credentials(), options)
    assert hubspot.vendor.calls[-1].param("limit") == "1"


def test_the_declared_limits_and_the_one_of_searches() -> None:
    assert [(limit.calls, limit.seconds, limit.path) for limit in Hubspot.profile.limits] == [
        (100, 10, ""), (5, 1, "/search"),
    ]  # fmt: skip


# --- what HubSpot tells of its objects --------------------------------------------------------------------------------


def described(hubspot: Account, name: str) -> dict[str, FieldInfo]:
    found = Hubspot.describe(hubspot.credentials(), object_name=name)
    assert found is not None and found.complete and found.object == name
    return {field.name: field for field in found.fields}


def test_the_properties_of_contacts(hubspot: Account) -> None:
    fields = described(hubspot, "contacts")
    assert fields["lifecyclestage"].enum == ("lead", "customer")
    assert fields["languages"].enum == ()  # several of them, separated by `;`
    assert (fields["age"].type, fields["age"].custom, fields["email"].custom) == ("number", True, False)
    assert fields["createdate"].read_only and not fields["email"].read_only
    assert fields["id"].read_only and fields["updatedAt"].type == "datetime"
    assert hubspot.calls == ["GET /crm/v3/properties/contacts"]


def test_what_a_new_record_must_have(hubspot: Account) -> None:
    def required(name: str) -> list[str]:
        return [field.name for field in described(hubspot, name).values() if field.required]

    assert required("2-1234567") == ["plate"]
    assert required("tickets") == ["hs_pipeline_stage"]
    assert required("contacts") == []


def test_a_schema_that_the_app_may_not_read_leaves_the_properties(hubspot: Account) -> None:
    def no_schema(call: Call) -> Reply | None:
        hubspot.vendor.faults.append(no_schema)
        return hubspot.vendor.failure(403) if "/schemas/" in call.path else None

    hubspot.vendor.faults.append(no_schema)
    assert not described(hubspot, "2-1234567")["plate"].required


def test_no_error_holds_the_token(hubspot: Account) -> None:
    secret = str(hubspot.credentials().password)
    hubspot.vendor.faults.append(refused(400, f"bad token {secret}"))
    bad = error(written(hubspot.destination(), ADA)[0])
    assert secret not in json.dumps([bad.message, bad.answer, bad.value])
    assert "bad token" in bad.message
