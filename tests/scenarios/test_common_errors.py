"""The errors that everybody meets: each solution of the page, tried until the record has arrived."""

from __future__ import annotations

from tests.scenarios.conftest import Desk
from tests.scenarios.systems import System, person

# --- Invalid phone number format ------------------------------------------------------------------


def test_a_phone_number_is_brought_into_form_by_a_transform(desk: Desk, crm: System, billing: System) -> None:
    desk.change_mapping("[{from: phone, to: phone}]")
    crm.put(person(1), person(2, phone="(415) 555-2671"))
    desk.tick("customers")
    desk.do("look").shows("phone-refused")
    desk.fix("phone-transform")
    desk.do("retry-run")
    assert billing.contacts["c2"]["phone"] == "+14155552671"
    assert desk.states("customers") == {"c2": "resolved"}


def test_an_invalid_phone_number_is_left_out_and_the_record_arrives(desk: Desk, crm: System) -> None:
    crm.put(person(1), person(2, phone="(555) ABC-1234"), person(3, phone="call me maybe"))
    desk.tick()
    desk.do("look").shows("phone-letters")
    desk.do("phone-show").shows("phone-show")
    desk.fix("phone-skip")
    desk.do("retry-run")
    assert {key: row["phone"] for key, row in desk.rows().items()} == {"c1": "+14155550001", "c2": None, "c3": None}
    assert desk.states() == {"c2": "resolved", "c3": "resolved"}


def test_a_phone_number_mended_at_the_source_arrives_with_the_next_tick(desk: Desk, crm: System) -> None:
    crm.put(person(1), person(2, phone="call me maybe"))
    desk.tick()
    crm.change("c2", phone="+1 415 555 2671")
    desk.tick()
    assert desk.rows()["c2"]["phone"] == "+14155552671"
    desk.do("phone-gone").shows("phone-gone")
    assert desk.states() == {"c2": "resolved"}


# --- Email is required ------------------------------------------------------------------------------


def test_a_record_without_an_email_arrives_when_the_rule_does_not_require_it(desk: Desk, crm: System) -> None:
    crm.put(person(1), person(2, email=None))
    desk.tick()
    desk.do("look").shows("email-required")
    desk.fix("email-optional")
    desk.do("retry-run")
    assert desk.rows()["c2"]["email"] is None
    assert desk.states() == {"c2": "resolved"}


def test_a_default_stands_in_where_the_destination_requires_an_email(
    desk: Desk, crm: System, billing: System
) -> None:
    desk.change_mapping("[{from: email, to: email}]")
    crm.put(person(1), person(2, email=None))
    desk.tick("customers")
    desk.do("look").shows("email-refused")
    desk.fix("email-default")
    desk.do("retry-run")
    assert billing.contacts["c2"]["email"] == "unknown+c2@example.com"
    assert desk.states("customers") == {"c2": "resolved"}


def test_records_without_an_email_are_filtered_out_of_the_sync(desk: Desk, crm: System) -> None:
    crm.put(person(1), person(2, email=None))
    desk.tick()
    desk.fix("email-filter")
    crm.put(person(3), person(4, email=""))
    report = desk.tick()
    assert (report.run.state, report.run.failed) == ("succeeded", 0)
    desk.do("retry-run")
    assert set(desk.rows()) == {"c1", "c3"}
    assert desk.states() == {"c2": "superseded"}


# --- Record not found -------------------------------------------------------------------------------

UPDATE = "destination: {mode: update}"


def test_a_record_deleted_in_the_destination_is_made_again_by_an_upsert(
    desk: Desk, crm: System, billing: System
) -> None:
    desk.change_flow(UPDATE, "customers")
    crm.put(person(1), person(2))
    billing.put(person(1))
    desk.tick("customers")
    desk.do("look").shows("record-not-found")
    desk.fix("upsert", "customers")
    desk.do("retry-run")
    assert set(billing.contacts) == {"c1", "c2"}
    assert desk.states("customers") == {"c2": "resolved"}


def test_deletes_of_the_source_are_ignored_so_that_later_changes_find_their_record(
    desk: Desk, crm: System, billing: System
) -> None:
    desk.change_flow(
        "{source: {deleted: {field: archived}},"
        " destination: {mode: update, deletes: delete, delete: {path: '/customers/{key}'}}}",
        "customers",
    )
    crm.put(person(1))
    billing.put(person(1))
    desk.tick("customers")
    crm.change("c1", minute=1, archived=True)
    desk.tick("customers")
    assert "c1" not in billing.contacts
    crm.change("c1", minute=2, archived=False, name="Person One")
    desk.tick("customers")
    desk.do("look-3").shows("record-deleted")
    desk.fix("ignore-deletes", "customers")
    billing.put(person(1))  # restored by a person
    desk.do("record-deleted-retry")
    assert billing.contacts["c1"]["name"] == "Person One"
    assert desk.states("customers") == {"c1": "resolved"}
    crm.change("c1", minute=3, archived=True)
    desk.tick("customers")
    crm.change("c1", minute=4, archived=False, name="Person I")
    assert desk.tick("customers").run.state == "succeeded"
    assert billing.contacts["c1"]["name"] == "Person I"


def test_an_update_that_overtook_its_delete_is_settled_by_the_delete(
    desk: Desk, crm: System, billing: System
) -> None:
    desk.change_flow(
        "{source: {deleted: {field: archived}},"
        " destination: {mode: update, deletes: delete, delete: {path: '/customers/{key}'}}}",
        "customers",
    )
    crm.put(person(1), person(2))
    billing.put(person(1))  # c2 is deleted there already; the CRM says so a moment later
    desk.tick("customers")
    assert desk.states("customers") == {"c2": "open"}
    crm.change("c2", archived=True)
    desk.tick("customers")
    assert desk.states("customers") == {"c2": "resolved"}
    assert set(billing.contacts) == {"c1"}


# --- Duplicate key violation ------------------------------------------------------------------------


def test_a_record_that_exists_is_changed_by_an_upsert(any_desk: Desk, crm: System) -> None:
    desk = any_desk
    desk.change_flow("destination: {mode: create}")
    desk.sql("INSERT INTO contacts (id, name) VALUES ('c2', 'Old name')")
    crm.put(person(1), person(2))
    desk.tick()
    desk.do("look").shows("duplicate-key")
    desk.fix("upsert")
    desk.do("retry-run")
    assert desk.rows()["c2"]["name"] == "Person 2"
    assert desk.states() == {"c2": "resolved"}


def test_a_record_is_matched_by_the_field_that_tells_records_apart(any_desk: Desk, crm: System) -> None:
    desk = any_desk
    desk.sql("INSERT INTO contacts (id, name, email) VALUES ('imported-7', 'Old name', 'person2@example.com')")
    crm.put(person(1), person(2))
    desk.tick()
    desk.do("look").shows("duplicate-email")
    desk.fix("match-by-email")
    desk.do("retry-run")
    assert desk.rows()["c2"]["name"] == "Person 2"
    assert "imported-7" not in desk.rows()
    assert desk.states() == {"c2": "resolved"}


def test_a_duplicate_at_the_source_arrives_when_it_is_a_record_of_its_own(any_desk: Desk, crm: System) -> None:
    desk = any_desk
    crm.put(person(1), person(2, email="person1@example.com"))
    desk.tick()
    desk.do("look").shows("duplicate-source")
    crm.change("c2", email="person2@example.com")
    desk.tick()
    assert desk.rows()["c2"]["email"] == "person2@example.com"
    assert desk.states() == {"c2": "resolved"}
