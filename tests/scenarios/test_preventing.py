"""Errors are found before they happen: a test sync on a few records, a fix, and only then the full sync."""

from __future__ import annotations

from tests.scenarios.conftest import Desk
from tests.scenarios.systems import System, person


def test_a_test_sync_shows_the_error_and_writes_nothing(desk: Desk, crm: System) -> None:
    crm.put(person(1, phone="call me maybe"), *[person(number) for number in range(2, 8)])
    desk.do("test-sync").shows("test-sync")
    assert desk.rows() == {}
    desk.fix("phone-skip")
    assert desk.do("test-sync").code == 0
    assert desk.tick().run.state == "succeeded"
    assert len(desk.rows()) == 7


def test_transforms_and_fallbacks_take_care_of_variations(desk: Desk, crm: System) -> None:
    desk.fix("preventive")
    crm.put(person(1, name="  Ada ", email=" ADA@Example.com", phone="(415) 555-2671"))
    crm.put(person(2, name=None, phone=None))
    assert desk.tick().run.state == "succeeded"
    rows = desk.rows()
    assert (rows["c1"]["name"], rows["c1"]["email"], rows["c1"]["phone"]) == ("Ada", "ada@example.com", "+14155552671")
    assert (rows["c2"]["name"], rows["c2"]["phone"]) == ("unknown", "")


def test_the_health_of_a_flow_is_a_few_numbers(desk: Desk, crm: System) -> None:
    crm.put(*[person(number) for number in range(1, 4)], person(4, phone="call me maybe"))
    desk.tick()
    desk.fix("phone-skip")
    desk.do("retry-run")
    desk.do("metrics").shows("metrics")
    assert len(desk.rows()) == 4
