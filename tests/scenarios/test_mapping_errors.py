"""The page's table of mapping errors."""

from __future__ import annotations

from tests.scenarios.conftest import Desk
from tests.scenarios.systems import System, person


def test_a_target_field_that_no_longer_exists(any_desk: Desk, crm: System) -> None:
    desk = any_desk
    crm.put(person(1))
    desk.sql("ALTER TABLE contacts RENAME COLUMN phone TO phone_number")
    desk.tick()
    desk.do("look").shows("field-not-found")
    desk.fix("current-fields")
    desk.clear("scheduled__1")
    assert desk.rows()["c1"]["phone_number"] == "+14155550001"
    assert desk.states() == {}


def test_an_expression_that_cannot_handle_a_value_is_mended(desk: Desk, crm: System) -> None:
    desk.change_mapping("""[{expression: "record.name.split(' ')[1]", to: name}]""")
    crm.put(person(1), person(2, name=["Ada", "Lovelace"]))
    desk.tick()
    desk.do("look").shows("transform-failed-record")
    desk.fix("expression")
    desk.do("retry-run")
    assert {key: row["name"] for key, row in desk.rows().items()} == {"c1": "1", "c2": "Lovelace"}
    assert desk.states() == {"c2": "resolved"}


def test_a_value_that_a_transform_cannot_handle_is_mended_in_the_source(desk: Desk, crm: System) -> None:
    desk.change_mapping("""[{expression: "record.name.split(' ')[1]", to: name, required: true}]""")
    crm.put(person(1), person(2, name=7))
    desk.tick()
    crm.change("c2", name="Ada Lovelace")
    desk.tick()
    assert desk.rows()["c2"]["name"] == "Lovelace"
    assert desk.states() == {"c2": "resolved"}


def test_a_type_that_changed_in_the_destination_is_looked_at_anew(desk: Desk, crm: System, billing: System) -> None:
    billing.wants_phone_object = True
    crm.put(person(1))
    desk.tick("customers")
    desk.do("look").shows("type-changed")
    assert desk.do("verify-billing").code == 0
    desk.fix("object-target")
    desk.do("retry-run")
    assert billing.contacts["c1"]["phone"] == {"mobile": "+14155550001"}
    assert desk.states("customers") == {"c1": "resolved"}


def test_a_field_that_became_an_object_in_the_source_is_read_by_its_new_path(desk: Desk, crm: System) -> None:
    crm.put(person(1), person(2, phone={"mobile": "(415) 555-2671"}))
    desk.tick()
    desk.do("look").shows("object-changed")
    desk.fix("both-types")
    desk.do("retry-run")
    assert desk.rows()["c2"]["phone"] == "+14155552671"
    assert desk.states() == {"c2": "resolved"}
