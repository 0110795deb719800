"""Collections: results in the order of the request, locks, duplicates, and every refusal by its name."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_flux.connectors.contract import WriteItem, Written
from airflow_provider_flux.errors import BatchRejected, FluxError, RecordError
from tests.contracts.salesforce.conftest import Org, contact
from tests.contracts.servers.wire import Call, Reply
from tests.contracts.suite.account import verdicts
from tests.contracts.vendors.salesforce import problem, refused

PATH = "/services/data/v63.0/composite/sobjects"
ID = "003000000000009AAA"


def result(error: dict[str, Any]) -> Reply:
    return Reply(200, [{"success": False, "errors": [error]}])


def test_an_upsert_is_one_call_for_two_hundred_records_by_the_external_id(org: Org) -> None:
    destination = org.writes()
    assert destination.batch_size == 200
    found = destination.write([contact(f"p{number}@example.com") for number in range(200)])
    assert all(isinstance(verdict, Written) and verdict.key for verdict in found)
    assert org.calls() == [f"PATCH {PATH}/Contact/Email__c"]
    body = org.vendor.calls[-1].json()
    assert body["allOrNone"] is False
    assert org.vendor.count() == 200


def test_the_key_of_a_written_record_is_its_id(org: Org) -> None:
    (verdict,) = org.writes().write([contact("ada@example.com")])
    assert isinstance(verdict, Written)
    assert verdict.key == org.vendor.stored()["ada@example.com"]["id"]


def test_what_has_the_same_external_id_is_never_sent_in_one_call(org: Org) -> None:
    """Salesforce refuses both; and it compares without regard to case."""
    items = [contact("ada@example.com", "One"), contact("bob@example.com"), contact("ADA@example.com", "Two")]
    assert all(isinstance(verdict, Written) for verdict in org.writes().write(items))
    assert org.calls() == [f"PATCH {PATH}/Contact/Email__c"] * 2
    assert org.vendor.count() == 2
    assert org.vendor.stored()["ADA@example.com"]["name"] == "Two"


def test_a_record_that_was_delivered_before_is_changed_by_its_id(org: Org) -> None:
    (made,) = org.writes().write([contact("ada@example.com")])
    assert isinstance(made, Written)
    moved = replace(contact("ada@king.example", "Ada King"), destination_key=made.key)
    assert isinstance(org.writes().write([moved])[0], Written)
    assert org.vendor.count() == 1
    assert org.calls()[-1] == f"PATCH {PATH}"


def test_a_link_to_a_record_that_is_gone_falls_back_to_the_external_id(org: Org) -> None:
    (made,) = org.writes().write([contact("ada@example.com")])
    assert isinstance(made, Written)
    org.vendor.records["Contact"][str(made.key)]["IsDeleted"] = True
    (again,) = org.writes().write([replace(contact("ada@example.com"), destination_key=made.key)])
    assert isinstance(again, Written)
    assert again.key != made.key


def test_a_locked_record_is_sent_again_and_no_other(org: Org) -> None:
    org.vendor.locked["bob@example.com"] = 1
    found = org.writes().write([contact("ada@example.com"), contact("bob@example.com")])
    assert all(isinstance(verdict, Written) for verdict in found)
    bodies = [call.json()["records"] for call in org.vendor.calls if call.method == "PATCH"]
    sent = [[record["Email__c"] for record in body] for body in bodies]
    assert sent == [["ada@example.com", "bob@example.com"], ["bob@example.com"]]


def test_a_record_that_stays_locked_is_for_the_retry_and_costs_no_other(org: Org) -> None:
    org.vendor.locked["bob@example.com"] = 1000
    destination = org.writes(org.credentials(retry_budget=0.15))
    ada, bob = destination.write([contact("ada@example.com"), contact("bob@example.com")])
    assert isinstance(ada, Written)
    assert isinstance(bob, RecordError)
    assert bob.code == "RECORD_LOCKED"
    assert "unable to obtain exclusive access" in bob.message


def test_a_lock_that_is_told_for_the_whole_request_is_waited_for_too(org: Org) -> None:
    locked = refused(500, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records: 0035c")
    org.vendor.faults.append(locked)
    (verdict,) = org.writes().write([contact("ada@example.com")])
    assert isinstance(verdict, Written)


def test_a_duplicate_value_is_told_with_the_field_and_the_id_from_its_text(org: Org) -> None:
    """`fields` is empty there."""
    org.writes().write([contact("ada@example.com")])
    known = org.vendor.stored()["ada@example.com"]["id"]
    (verdict,) = org.writes(mode="create").write([contact("ada@example.com")])
    assert isinstance(verdict, RecordError)
    assert (verdict.code, verdict.field, verdict.value) == ("DUPLICATE_RECORD", "Email__c", "ada@example.com")
    assert known in verdict.message


def test_an_upsert_that_another_writer_was_faster_than_is_done_again(org: Org) -> None:
    """Two upserts of a new external id at once: the slower one is a DUPLICATE_VALUE of that very field."""
    text = f"duplicate value found: Email__c duplicates value on record with id: {ID}"
    org.vendor.faults.append(result(problem("DUPLICATE_VALUE", text)))
    (verdict,) = org.writes().write([contact("ada@example.com")])
    assert isinstance(verdict, Written)


def test_a_value_that_is_too_long_stands_in_the_answer_and_not_in_the_message(org: Org) -> None:
    secret = "private words of a customer " * 5
    (verdict,) = org.writes().write([contact("ada@example.com", secret)])
    assert isinstance(verdict, RecordError)
    assert (verdict.code, verdict.field) == ("VALUE_TOO_LONG", "LastName")
    assert verdict.message == (
        "the destination refused the record: STRING_TOO_LONG: `LastName` takes at most 80 characters"
    )
    assert secret in str(verdict.answer)


@pytest.mark.parametrize(
    ("error", "code", "field"),
    [
        (problem("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", "LastName"),
         "REQUIRED_FIELD_MISSING", "LastName"),
        (problem("INVALID_EMAIL_ADDRESS", "Email: invalid email address: kim@", "Email"), "INVALID_EMAIL", "Email"),
        (problem("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Phone or e-mail, please"), "CONSTRAINT_VIOLATED", None),
        (problem("DUPLICATES_DETECTED", "Use one of these records?"), "DUPLICATE_RECORD", None),
        (problem("DUPLICATE_EXTERNAL_ID", "Email__c: more than one record found for external id field: [003a, 003b]"),
         "DUPLICATE_RECORD", None),
        (problem("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "bad value for restricted picklist field: x", "Stage__c"),
         "INVALID_FORMAT", "Stage__c"),
        (problem("MALFORMED_ID", "Record ID: id value of incorrect type: x", "AccountId"), "INVALID_FORMAT",
         "AccountId"),
        (problem("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", "AccountId"), "REFERENCE_MISSING",
         "AccountId"),
        (problem("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"), "RECORD_NOT_FOUND", None),
        (problem("ENTITY_IS_DELETED", "entity is deleted"), "RECORD_NOT_FOUND", None),
        (problem("NUMBER_OUTSIDE_VALID_RANGE", "Score: value outside of valid range", "Score__c"),
         "VALUE_OUT_OF_RANGE", "Score__c"),
        (problem("MISSING_ARGUMENT", "Email__c not specified"), "REQUIRED_FIELD_MISSING", "Email__c"),
        (problem("SOMETHING_NEW", "who knows"), "RECORD_REJECTED", None),
    ],
)  # fmt: skip
def test_each_refusal_of_a_record_has_its_name(
    org: Org, error: dict[str, Any], code: str, field: str | None
) -> None:
    org.vendor.faults.append(result(error))
    (verdict,) = org.writes().write([contact("ada@example.com")])
    assert isinstance(verdict, RecordError)
    assert (verdict.code, verdict.field) == (code, field)
    assert error["statusCode"] in verdict.message
    assert json.loads(str(verdict.answer))["errors"] == [error]


def test_results_stand_in_the_order_of_the_request(org: Org) -> None:
    items = [contact(f"p{number}@example.com", "x" * (81 if number % 3 == 1 else 5)) for number in range(9)]
    found = org.writes().write(items)
    assert [isinstance(verdict, Written) for verdict in found] == [number % 3 != 1 for number in range(9)]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (refused(400, "INVALID_FIELD", "No such column 'Emial__c' on sobject of type Contact"), "FIELD_NOT_FOUND"),
        (result(problem("INVALID_FIELD", "No such column 'Emial__c' on sobject of type Contact")), "FIELD_NOT_FOUND"),
        (result(problem("INVALID_TYPE", "sObject type 'Contacts' is not supported.")), "NOT_FOUND"),
        (refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), "QUOTA_EXHAUSTED"),
        (refused(403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization."),
         "PERMISSION_DENIED"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_every_record_ends_the_write(org: Org, reply: Reply, code: str) -> None:
    org.vendor.faults.append(reply)
    with pytest.raises(FluxError) as caught:
        org.writes().write([contact("ada@example.com")])
    assert not isinstance(caught.value, BatchRejected)
    assert caught.value.code == code
    assert len(org.calls()) == 1


def test_a_request_that_is_refused_for_one_record_is_halved_until_that_one_stands_alone(org: Org) -> None:
    def picky(call: Call) -> Reply | None:
        org.vendor.faults.append(picky)
        if b"bad@" in call.body:
            return refused(400, "JSON_PARSER_ERROR", "Cannot deserialize instance of date from VALUE_STRING value x")
        return None

    org.vendor.faults.append(picky)
    items = [contact("ada@example.com"), contact("bad@example.com"), contact("bob@example.com")]
    found = verdicts(org.writes(), items)
    assert [getattr(verdict, "code", None) for verdict in found] == [None, "INVALID_FORMAT", None]


def test_several_records_with_the_external_id_are_a_duplicate(org: Org) -> None:
    org.vendor.faults.append(Reply(300, [f"{PATH}/Contact/003a", f"{PATH}/Contact/003b"]))
    (verdict,) = verdicts(org.writes(), [contact("ada@example.com")])
    assert isinstance(verdict, RecordError)
    assert verdict.code == "DUPLICATE_RECORD"


def test_a_session_that_expired_is_renewed_once(org: Org) -> None:
    destination = org.writes()
    destination.write([contact("ada@example.com")])
    org.vendor.tokens.clear()
    assert isinstance(destination.write([contact("bob@example.com")])[0], Written)
    assert len(org.vendor.grants) == 2


def test_an_update_by_salesforces_own_id(org: Org) -> None:
    org.vendor.seed(1)
    item = WriteItem({"Id": "003000000000000SED", "LastName": "Changed"})
    bad = WriteItem({"Id": "no id", "LastName": "Changed"})
    done, wrong = org.writes(mode="update", key="Id").write([item, bad])
    assert isinstance(done, Written)
    assert org.vendor.stored()["person0@example.com"]["name"] == "Changed"
    assert isinstance(wrong, RecordError)
    assert wrong.code == "INVALID_FORMAT"
    assert org.queries() == [], "no look-up comes before"


def test_one_record_that_two_keys_lead_to_is_changed_twice_in_its_order(org: Org) -> None:
    """The same Id twice in a call would be refused, too."""
    org.vendor.seed(1)
    org.vendor.records["Contact"]["003000000000000SED"]["Phone"] = "+1"
    destination = org.writes(fallback_keys=[["Phone"]])
    found = destination.write([contact("person0@example.com", "One"), contact("new@example.com", "Two", Phone="+1")])
    assert all(isinstance(verdict, Written) for verdict in found)
    assert org.vendor.count() == 1
    assert org.vendor.stored()["new@example.com"]["name"] == "Two"


def test_what_is_there_is_found_by_its_id_and_what_is_no_id_is_not_asked_for(org: Org) -> None:
    org.vendor.seed(1)
    destination = org.writes(mode="update", key="Id")
    ids = ("003000000000000SED", "003000000000009SED", "no id")
    assert destination.find([WriteItem({"Id": key}) for key in ids]) == ["003000000000000SED", None, None]
    (query,) = org.queries()
    assert "no id" not in query


def test_a_standard_field_is_a_key_by_look_up(org: Org) -> None:
    """Only fields of an org's own can be external ids."""
    destination = org.writes(key="Phone")
    items = [WriteItem({"Phone": "+1", "LastName": "One"}), WriteItem({"Phone": "+2", "LastName": "Two"})]
    destination.write(items)
    destination.write([WriteItem({"Phone": "+1", "LastName": "Changed"})])
    assert sorted(one["LastName"] for one in org.vendor.records["Contact"].values()) == ["Changed", "Two"]
    assert org.queries()[0] == "SELECT Id, Phone FROM Contact WHERE Phone IN ('+1', '+2')"


def test_several_records_that_a_look_up_finds_are_a_duplicate_with_their_ids(org: Org) -> None:
    org.vendor.seed(2)
    for record in org.vendor.records["Contact"].values():
        record["Phone"] = "+1"
    (verdict,) = org.writes(key="Phone").write([WriteItem({"Phone": "+1", "LastName": "One"})])
    assert isinstance(verdict, RecordError)
    assert verdict.code == "DUPLICATE_RECORD"
    assert "003000000000000SED, 003000000000001SED" in verdict.message


def test_a_key_of_several_fields_is_looked_up_whole(org: Org) -> None:
    org.vendor.seed(2)
    org.vendor.records["Contact"]["003000000000001SED"]["Score__c"] = 7.0
    item = WriteItem({"LastName": "Person 1", "Score__c": 7, "Phone": "+7"})
    (verdict,) = org.writes(mode="update", key=["LastName", "Score__c"]).write([item])
    assert isinstance(verdict, Written)
    assert org.queries() == [
        "SELECT Id, LastName, Score__c FROM Contact WHERE ((LastName = 'Person 1' AND Score__c = 7))"
    ]


def test_an_archived_record_is_in_the_recycle_bin(org: Org) -> None:
    org.vendor.seed(2)
    gone = WriteItem({"Email__c": "person1@example.com"}, deleted=True)
    (verdict,) = org.writes(deletes="archive").write([gone])
    assert isinstance(verdict, Written)
    assert org.vendor.stored()["person1@example.com"]["archived"]
    assert org.calls()[-1] == f"DELETE {PATH}"


def test_two_hundred_deletes_are_one_call(org: Org) -> None:
    org.vendor.seed(200)
    keys = list(org.vendor.records["Contact"])
    gone = [WriteItem({}, deleted=True, destination_key=key) for key in keys]
    assert all(isinstance(verdict, Written) for verdict in org.writes(deletes="archive").write(gone))
    assert org.vendor.count() == 0
    assert len(org.calls()) == 1


def test_a_related_record_is_named_by_its_external_id(org: Org) -> None:
    """`Account.Key__c` as a target of the mapping is an object in the body."""
    seen: list[Any] = []

    def note(call: Call) -> Reply:
        seen.extend(call.json()["records"])
        return Reply(200, [{"id": ID, "success": True, "errors": [], "created": True}])

    org.vendor.faults.append(note)
    org.writes().write([contact("ada@example.com", Account={"Key__c": "acme"})])
    (sent,) = seen
    assert (sent["attributes"], sent["Account"]) == ({"type": "Contact"}, {"Key__c": "acme"})


def test_a_value_that_json_cannot_hold_costs_its_record_alone(org: Org) -> None:
    bad, good = org.writes().write([contact("ada@example.com", Score__c=complex(1)), contact("bob@example.com")])
    assert isinstance(bad, RecordError)
    assert bad.code == "INVALID_FORMAT"
    assert isinstance(good, Written)


def test_a_key_that_no_record_can_have_is_not_asked_for(org: Org) -> None:
    (verdict,) = org.writes(mode="update", key="Phone").write([WriteItem({"Phone": b"\x00", "LastName": "Ada"})])
    assert isinstance(verdict, RecordError)
    assert verdict.code == "RECORD_NOT_FOUND"
    assert org.queries() == []
