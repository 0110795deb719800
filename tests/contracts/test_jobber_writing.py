"""Writing to a Jobber account: look-ups by a search, edits by differences, archives, jobs at a property."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from airflow_provider_flux.connectors.contract import Verdict, WriteItem, Written
from airflow_provider_flux.errors import FluxError, OutcomeUnknown, RecordError
from tests.contracts.jobber_account import JobberAccount, account, written
from tests.contracts.servers.wire import Call, Reply

ADA = {"email": "ada@example.com", "firstName": "Ada", "lastName": "Lovelace", "phone": "+1 415 555 0101"}


@pytest.fixture
def crm() -> Iterator[JobberAccount]:
    with account() as crm:
        yield crm


def refused(verdict: Verdict) -> tuple[str, str | None]:
    assert isinstance(verdict, RecordError), verdict
    return verdict.code, verdict.field


def key_of(verdict: Verdict) -> str:
    assert isinstance(verdict, Written), verdict
    assert verdict.key is not None
    return verdict.key


def addresses(client: dict[str, Any]) -> dict[str, bool]:
    return {entry["address"]: entry["primary"] for entry in client["emails"]}


# --- e-mails and phones ---------------------------------------------------------------------------------


def test_a_new_client_has_its_email_and_phone_as_lists_of_one(crm: JobberAccount) -> None:
    key = key_of(crm.write(ADA)[0])
    assert crm.inputs("clientCreate") == [
        {
            "firstName": "Ada", "lastName": "Lovelace",
            "emails": [{"address": "ada@example.com", "primary": True}],
            "phones": [{"number": "+1 415 555 0101", "primary": True}],
        }
    ]  # fmt: skip
    assert addresses(crm.vendor.clients[key]) == {"ada@example.com": True}


def test_an_edit_sends_differences_only_and_doubles_no_email(crm: JobberAccount) -> None:
    destination = crm.destination()
    key = key_of(written(destination, [ADA])[0])
    edit = {**ADA, "email": "ADA@example.com", "lastName": "King", "phone": "(415) 555-0101"}
    assert key_of(written(destination, [edit], key)[0]) == key
    assert crm.inputs("clientEdit") == [{"firstName": "Ada", "lastName": "King"}]
    assert addresses(crm.vendor.clients[key]) == {"ada@example.com": True}


def test_a_changed_email_takes_the_place_of_the_primary_one_and_keeps_the_others(crm: JobberAccount) -> None:
    ada = crm.vendor.add_client("ada@example.com", lastName="Lovelace")
    ada["emails"].append({"id": "e2", "address": "work@example.com", "description": "Work", "primary": False})
    destination = crm.destination()
    written(destination, [{"email": "ada@king.example"}], ada["id"])
    assert addresses(ada) == {"ada@king.example": True, "work@example.com": False}
    written(destination, [{"email": "work@example.com"}], ada["id"])
    assert addresses(ada) == {"ada@king.example": False, "work@example.com": True}


@pytest.mark.parametrize(
    ("lists", "left"),
    [
        ("merge", {"ada@example.com": True, "by.hand@example.com": False, "new@example.com": False}),
        ("replace", {"ada@example.com": True, "new@example.com": False}),
    ],
)
def test_emails_that_the_record_does_not_have_are_kept_or_deleted(
    crm: JobberAccount, lists: str, left: dict[str, bool]
) -> None:
    ada = crm.vendor.add_client("ada@example.com")
    ada["emails"].append({"id": "e2", "address": "by.hand@example.com", "description": "Work", "primary": False})
    emails = [{"address": "ada@example.com", "primary": True}, {"address": "new@example.com", "description": "WORK"}]
    record = {"email": "ada@example.com", "emails": emails}
    for _ in range(2):
        assert isinstance(crm.write(record, lists=lists)[0], Written)
    assert addresses(ada) == left
    assert len(crm.inputs("clientEdit")) == 1, "the second time nothing differs"


# --- looking up -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "record"),
    [
        ({"key": "email"}, {"email": "ADA@Example.com"}),
        ({"key": "phone"}, {"phone": "+14155550101"}),
        ({"key": ["firstName", "lastName"]}, {"firstName": "ada", "lastName": "LOVELACE"}),
        ({"key": "companyName"}, {"companyName": "Engines Ltd"}),
        ({"key": "email", "fallback_keys": ["phone"]}, {"email": "new@example.com", "phone": "415.555.0101"}),
        ({"key": "email", "fallback_keys": ["phone"]}, {"email": None, "phone": "415.555.0101"}),
    ],
)
def test_a_client_is_found_by_what_the_search_finds_and_we_compare(
    crm: JobberAccount, options: dict[str, Any], record: dict[str, Any]
) -> None:
    phone = {"id": "p1", "number": record.get("phone", "4155550101"), "description": "Main", "primary": True}
    ada = crm.vendor.add_client(
        "ada@example.com", firstName="Ada", lastName="Lovelace", companyName="Engines Ltd",
        phones=[{**phone, "smsAllowed": False}],
    )  # fmt: skip
    crm.vendor.add_client("ada@example.com.au", lastName="Ada Lovelace & Sons", companyName="Engines Ltd Holding")
    assert key_of(crm.write({**record, "role": "CTO"}, **options)[0]) == ada["id"]
    assert len(crm.vendor.clients) == 2


def test_two_clients_with_one_email_are_told_by_their_ids_and_left_alone(crm: JobberAccount) -> None:
    twins = [crm.vendor.add_client("ada@example.com")["id"] for _ in range(2)]
    (verdict,) = crm.write(ADA)
    assert refused(verdict) == ("DUPLICATE_RECORD", "email")
    assert isinstance(verdict, RecordError)
    assert all(twin in verdict.message for twin in twins)
    assert "clientEdit" not in crm.asked()


def test_a_client_that_the_search_does_not_know_yet_is_not_made_twice(crm: JobberAccount) -> None:
    """Two source records with one e-mail in one batch, and one that another process has just made."""
    moment = crm.vendor.add_client("bob@example.com")
    moment["createdAt"] = moment["updatedAt"]
    crm.vendor.search_is_late = True
    verdicts = crm.write(ADA, {**ADA, "lastName": "King"}, {"email": "bob@example.com", "lastName": "Moran"})
    assert len({key_of(verdict) for verdict in verdicts}) == 2
    assert sorted(client["lastName"] for client in crm.vendor.clients.values()) == ["King", "Moran"]


def test_a_create_in_doubt_is_looked_up_among_the_newest_clients(crm: JobberAccount) -> None:
    def lost(call: Call) -> Reply | None:
        if b"clientCreate" not in call.body:
            crm.vendor.faults.append(lost)
            return None
        crm.vendor.handle(call)
        for client in crm.vendor.clients.values():
            client["createdAt"] = client["updatedAt"]
        return Reply(reset=True)

    crm.vendor.search_is_late = True
    destination = crm.destination(mode="create", one_try=True)
    crm.vendor.faults.append(lost)
    with pytest.raises(OutcomeUnknown):
        written(destination, [ADA])
    (found,) = destination.find([WriteItem(ADA)])
    assert found in crm.vendor.clients


def test_a_client_that_no_search_could_find_again_is_not_made(crm: JobberAccount) -> None:
    (verdict,) = written(crm.destination(), [{"email": None, "lastName": "Nobody"}])
    assert refused(verdict)[:2] == ("REQUIRED_FIELD_MISSING", "email")
    assert crm.vendor.clients == {}


def test_an_edit_in_doubt_is_computed_anew(crm: JobberAccount) -> None:
    def lost(call: Call) -> Reply | None:
        if b"clientEdit" not in call.body:
            crm.vendor.faults.append(lost)
            return None
        crm.vendor.handle(call)
        return Reply(reset=True)

    ada = crm.vendor.add_client("ada@example.com")
    record = {"email": "ada@example.com", "emails": [{"address": "new@example.com"}]}
    destination = crm.destination(one_try=True)
    crm.vendor.faults.append(lost)
    with pytest.raises(FluxError) as raised:
        written(destination, [record])
    assert raised.value.transient
    assert isinstance(written(destination, [record])[0], Written)
    assert addresses(ada) == {"ada@example.com": True, "new@example.com": False}


# --- archives -------------------------------------------------------------------------------------------


def test_a_client_is_archived_and_an_upsert_brings_it_back(crm: JobberAccount) -> None:
    destination = crm.destination(deletes="archive")
    key = key_of(written(destination, [ADA])[0])
    assert isinstance(written(destination, [{"email": ADA["email"], "deleted": True}], key)[0], Written)
    assert crm.vendor.clients[key]["isArchived"]
    assert key_of(written(destination, [{**ADA, "lastName": "King"}], key)[0]) == key
    assert (crm.vendor.clients[key]["isArchived"], crm.vendor.clients[key]["lastName"]) == (False, "King")


def test_to_an_update_an_archived_client_is_not_there(crm: JobberAccount) -> None:
    crm.vendor.add_client("ada@example.com", isArchived=True, lastName="Lovelace")
    (verdict,) = crm.write(ADA, mode="update")
    assert refused(verdict)[0] == "RECORD_NOT_FOUND"
    assert isinstance(verdict, RecordError)
    assert "is archived" in verdict.message


def test_the_client_that_is_not_archived_is_the_one(crm: JobberAccount) -> None:
    crm.vendor.add_client("ada@example.com", isArchived=True)
    ada = crm.vendor.add_client("ada@example.com")
    assert key_of(crm.write(ADA)[0]) == ada["id"]


# --- errors ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "code", "field"),
    [
        ({"email": "ada"}, "INVALID_EMAIL", "email"),
        ({"email": "ada@example.com", "emails": [{"address": "x"}]}, "INVALID_EMAIL", "emails.address"),
        ({"email": "ada@example.com", "loyalty": "gold"}, "FIELD_NOT_FOUND", "loyalty"),
        ({"email": "ada@example.com", "title": "Lady"}, "INVALID_FORMAT", "title"),
    ],
)
def test_errors_have_a_code_and_the_field_as_the_record_spells_it(
    crm: JobberAccount, record: dict[str, Any], code: str, field: str
) -> None:
    bad, good = crm.write(record, {"email": "bob@example.com"})
    assert refused(bad) == (code, field)
    assert isinstance(good, Written)
    assert len(crm.vendor.clients) == 1


# --- jobs -----------------------------------------------------------------------------------------------


def test_a_job_is_made_at_the_only_property_of_its_client(crm: JobberAccount) -> None:
    ada = crm.vendor.add_client("ada@example.com", properties=[{"id": "p1"}])
    options = {"name": "jobs", "key": "jobNumber"}
    by_email, by_id = crm.write(
        {"clientEmail": "ada@example.com", "title": "Lawn", "jobNumber": 17},
        {"clientId": ada["id"], "title": "House", "jobNumber": 18, "invoicing": {"invoicingType": "VISIT_BASED",
         "invoicingSchedule": "PER_VISIT"}},
        **options,
    )  # fmt: skip
    assert {key_of(by_email), key_of(by_id)} == set(crm.vendor.jobs)
    first, second = crm.inputs("jobCreate")
    assert first == {
        "title": "Lawn", "jobNumber": 17, "propertyId": "p1",
        "invoicing": {"invoicingType": "FIXED_PRICE", "invoicingSchedule": "ON_COMPLETION"},
    }  # fmt: skip
    assert second["invoicing"]["invoicingType"] == "VISIT_BASED"


def test_a_job_is_found_by_its_number_and_changed_in_what_can_be_changed(crm: JobberAccount) -> None:
    ada = crm.vendor.add_client("ada@example.com", properties=[{"id": "p1"}])
    jobs = [crm.vendor.add_job(ada, title, jobNumber=number) for title, number in (("Lawn", 17), ("House 17", 170))]
    record = {"clientEmail": "ada@example.com", "title": "Lawn, big", "jobNumber": 17, "jobType": "ONE_OFF"}
    assert key_of(crm.write(record, name="jobs", key="jobNumber")[0]) == jobs[0]["id"]
    assert crm.inputs("jobEdit") == [{"title": "Lawn, big", "jobNumber": 17}]
    assert len(crm.vendor.jobs) == 2


@pytest.mark.parametrize(
    ("record", "code", "field", "said"),
    [
        ({}, "REQUIRED_FIELD_MISSING", "propertyId", "or `clientId` or `clientEmail`"),
        ({"clientEmail": "nobody@example.com"}, "REFERENCE_MISSING", "clientEmail", "no clients have this e-mail"),
        ({"clientEmail": "bob@example.com"}, "REFERENCE_MISSING", "clientEmail", "has several properties"),
        ({"clientEmail": "cyd@example.com"}, "REFERENCE_MISSING", "clientEmail", "has no properties"),
        ({"clientId": "gone"}, "REFERENCE_MISSING", "clientId", "is not there"),
        ({"propertyId": "gone"}, "REFERENCE_MISSING", "propertyId", "Property not found"),
    ],
)
def test_a_job_without_one_property_is_told_why(
    crm: JobberAccount, record: dict[str, Any], code: str, field: str, said: str
) -> None:
    crm.vendor.add_client("bob@example.com", properties=[{"id": "p1"}, {"id": "p2"}])
    crm.vendor.add_client("cyd@example.com")
    (verdict,) = crm.write({"title": "Lawn", "jobNumber": 17, **record}, name="jobs", key="jobNumber")
    assert refused(verdict) == (code, field)
    assert isinstance(verdict, RecordError)
    assert said in verdict.message


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"key": "balance"}, "clients are not found by balance, but by email, phone,"),
        ({"name": "jobs", "key": "title"}, "jobs are not found by title, but by jobNumber or id"),
        ({"deletes": "delete"}, "deletes: delete` is not possible here; possible are ignore, archive"),
        ({"name": "jobs", "key": "id", "deletes": "archive"}, "possible are ignore"),
        ({"lists": "keep"}, "lists"),
    ],
)
def test_what_is_not_possible_is_refused_when_the_flow_is_checked(
    crm: JobberAccount, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        crm.destination(options.pop("name", "clients"), **options)
