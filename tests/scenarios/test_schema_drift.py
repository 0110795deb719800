"""The source adds, removes or renames a field; so does the destination."""

from __future__ import annotations

from tests.scenarios.conftest import Desk
from tests.scenarios.systems import System, person


def renamed(number: int, **fields: object) -> dict[str, object]:
    """A contact in the CRM's new shape: `phone` is called `phone_number`."""
    contact = person(number, **fields)
    contact["phone_number"] = contact.pop("phone")
    return contact


def test_a_renamed_field_is_read_in_both_shapes(desk: Desk, crm: System) -> None:
    desk.change_mapping("[{from: phone, to: phone, transforms: [{phone_e164: {country: US}}], required: true}]")
    crm.put(person(1), renamed(2))
    desk.tick()
    desk.do("look").shows("renamed")
    desk.fix("both-shapes")
    desk.do("retry-run")
    crm.put(person(3, updated_at="2026-03-02T00:00:00Z"), renamed(4, updated_at="2026-03-02T00:00:00Z"))
    assert desk.tick().run.state == "succeeded"
    assert {key: row["phone"] for key, row in desk.rows().items()} == {
        f"c{number}": f"+1415555{number:04d}" for number in (1, 2, 3, 4)
    }
    assert desk.states() == {"c2": "resolved"}


def test_a_renamed_field_is_told_with_the_rule_that_it_breaks(desk: Desk, crm: System) -> None:
    desk.change_mapping("[{from: phone, to: phone, transforms: [{phone_e164: {country: US}}], required: true}]")
    crm.put(*(person(number) for number in range(1, 13)))
    desk.tick()
    for day in ("02", "03"):  # the first of them still reads old records, by the lookback
        crm.put(*(renamed(number, updated_at=f"2026-03-{day}T00:00:00Z") for number in range(13, 25)))
        desk.tick()
    desk.do("drift").shows("drift")


def test_a_flow_that_pins_the_old_version_is_moved_to_the_new_one(desk: Desk, crm: System) -> None:
    desk.change_mapping("[{from: phone, to: phone, required: true}]")
    desk.change_flow("mapping: contacts@1")
    crm.put(renamed(2))
    desk.tick()
    desk.fix("both-shapes")
    desk.fix("unpin")
    desk.do("retry-run")
    assert set(desk.rows()) == {"c2"}


def test_an_added_field_harms_nothing(desk: Desk, crm: System) -> None:
    crm.put(person(1, nickname="P"))
    assert desk.tick().run.state == "succeeded"
    assert set(desk.rows()) == {"c1"}


def test_a_removed_field_that_is_required_takes_a_default(desk: Desk, crm: System) -> None:
    desk.change_mapping("[{from: name, to: name, required: true}]")
    contact = person(2)
    del contact["name"]
    crm.put(person(1), contact)
    desk.tick()
    desk.do("look").shows("required-field")
    desk.fix("required-default")
    desk.do("retry-run")
    assert desk.rows()["c2"]["name"] == "unknown"
    assert desk.states() == {"c2": "resolved"}
