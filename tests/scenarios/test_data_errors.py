"""The page's table of data errors: each cause, and each of its solutions."""

from __future__ import annotations

from tests.scenarios.conftest import Desk
from tests.scenarios.systems import System, person

# --- Required field missing: add a default, or fix the source (the rest is in test_common_errors) ----


def test_a_required_field_takes_a_default(desk: Desk, crm: System) -> None:
    desk.change_mapping("[{from: name, to: name, required: true}]")
    crm.put(person(1), person(2, name=None))
    desk.tick()
    desk.do("look").shows("required-field")
    desk.fix("required-default")
    desk.do("retry-run")
    assert desk.rows()["c2"]["name"] == "unknown"
    assert desk.states() == {"c2": "resolved"}


def test_a_required_field_filled_at_the_source_arrives_with_the_next_tick(desk: Desk, crm: System) -> None:
    desk.change_mapping("[{from: name, to: name, required: true}]")
    crm.put(person(1), person(2, name=None))
    desk.tick()
    crm.change("c2", name="Ada")
    desk.tick()
    assert desk.rows()["c2"]["name"] == "Ada"
    assert desk.states() == {"c2": "resolved"}


# --- Invalid format -----------------------------------------------------------------------------------


def test_a_value_of_another_form_is_brought_into_form_by_a_transform(any_desk: Desk, crm: System) -> None:
    desk = any_desk
    desk.sql("ALTER TABLE contacts ADD COLUMN born DATE")
    desk.change_mapping("[{from: born, to: born}]")
    crm.put(person(1, born="1815-12-10"), person(2, born="10.12.1815"))
    desk.tick()
    desk.do("look").shows("invalid-format")
    desk.fix("format-transform")
    desk.do("retry-run")
    assert {str(row["born"]) for row in desk.rows().values()} == {"1815-12-10"}
    assert desk.states() == {"c2": "resolved"}


def test_a_value_of_another_form_mended_at_the_source_arrives(any_desk: Desk, crm: System) -> None:
    desk = any_desk
    desk.sql("ALTER TABLE contacts ADD COLUMN born DATE")
    desk.change_mapping("[{from: born, to: born}]")
    crm.put(person(2, born="10.12.1815"))
    desk.tick()
    crm.change("c2", born="1815-12-10")
    desk.tick()
    assert str(desk.rows()["c2"]["born"]) == "1815-12-10"
    assert desk.states() == {"c2": "resolved"}


# --- Value too long -----------------------------------------------------------------------------------


def test_a_value_that_is_too_long_for_its_column_is_truncated(any_desk: Desk, crm: System) -> None:
    desk = any_desk
    crm.put(person(1), person(2, name="N" * 50))
    desk.tick()
    desk.do("look").shows("too-long")
    desk.fix("truncate")
    desk.do("retry-run")
    assert desk.rows()["c2"]["name"] == "N" * 40
    assert desk.states() == {"c2": "resolved"}


def test_a_value_that_an_api_finds_too_long_is_truncated(desk: Desk, crm: System, billing: System) -> None:
    crm.put(person(1), person(2, name="N" * 50))
    desk.tick("customers")
    desk.do("look").shows("too-long-api")
    desk.fix("truncate")
    desk.do("retry-run")
    assert billing.contacts["c2"]["name"] == "N" * 40
    assert desk.states("customers") == {"c2": "resolved"}


# --- Invalid email ------------------------------------------------------------------------------------


def test_an_invalid_email_is_left_out_and_the_record_arrives(desk: Desk, crm: System) -> None:
    crm.put(person(1), person(2, email="ada(at)example.com"))
    desk.tick()
    desk.do("look").shows("invalid-email")
    desk.fix("email-skip")
    desk.do("retry-run")
    assert desk.rows()["c2"]["email"] is None
    assert desk.states() == {"c2": "resolved"}


def test_an_email_that_the_destination_refuses_is_validated_before(desk: Desk, crm: System, billing: System) -> None:
    desk.change_mapping("[{from: email, to: email}]")
    billing.wants_valid_email = True
    crm.put(person(1), person(2, email="ada(at)example.com"))
    desk.tick("customers")
    desk.do("look").shows("email-refused-by-form")
    desk.fix("email-validate")
    desk.do("retry-run").shows("email-validated")
    crm.change("c2", email="ada@example.com")
    desk.tick("customers")
    assert billing.contacts["c2"]["email"] == "ada@example.com"
    assert desk.states("customers")["c2"] == "resolved"
