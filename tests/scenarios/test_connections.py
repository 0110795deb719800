"""A connector is degraded: what is printed for each cause, and how the flow comes back by itself."""

from __future__ import annotations

from tests.contracts.servers.wire import Reply
from tests.scenarios.conftest import Desk
from tests.scenarios.systems import System, always, person


def test_a_new_key_in_the_connection_brings_the_flow_back_with_the_next_tick(desk: Desk, crm: System) -> None:
    crm.put(person(1))
    crm.key = "k-live-2"  # the old one was revoked
    desk.tick()
    desk.do("look").shows("authentication")
    desk.do("connector").shows("connector-auth")
    desk.connect_system("crm", crm.url, "k-live-2")
    assert desk.tick().run.state == "succeeded"
    assert set(desk.rows()) == {"c1"}
    desk.do("connector").shows("connector-active")


def test_a_new_key_can_be_tried_before_the_next_tick(desk: Desk, crm: System) -> None:
    crm.key = "k-live-2"
    desk.tick()
    desk.do("connectors").shows("connectors")
    desk.connect_system("crm", crm.url, "k-live-2")
    desk.do("verify").shows("verified")
    desk.do("connector").shows("connector-active")


def test_a_connection_that_stays_degraded_says_what_to_ask_of_the_system(desk: Desk, crm: System) -> None:
    crm.put(person(1))
    crm.trouble = always(403, {"error": {"message": "the app was revoked"}})
    desk.tick()
    desk.connect_system("crm", crm.url, "k-live-2")
    desk.do("verify").shows("still-degraded")
    crm.key, crm.trouble = "k-live-2", lambda call: None  # the app was approved again
    assert desk.tick().run.state == "succeeded"
    assert set(desk.rows()) == {"c1"}


def test_a_connection_that_a_person_switched_off_is_switched_on_again(desk: Desk, crm: System) -> None:
    crm.put(person(1))
    desk.type("connectors", "disable", "crm", "--reason", "audit")
    desk.tick()
    assert crm.calls == 0
    desk.do("look").shows("disabled")
    desk.do("enable")
    desk.tick()
    assert set(desk.rows()) == {"c1"}


def test_the_failed_run_is_made_good_by_clearing_its_task(desk: Desk, crm: System) -> None:
    crm.put(person(1))
    crm.key = "k-live-2"
    desk.tick()
    desk.connect_system("crm", crm.url, "k-live-2")
    assert desk.clear("scheduled__1").run.state == "succeeded"
    assert set(desk.rows()) == {"c1"}


def test_a_missing_scope_is_granted_in_the_system(desk: Desk, crm: System) -> None:
    crm.put(person(1))
    crm.trouble = always(403, {"error": {"message": "scope contacts.read is missing"}})
    desk.tick()
    desk.do("look").shows("permission")
    desk.do("connector").shows("connector-permission")
    crm.trouble = lambda call: None
    desk.tick()
    assert set(desk.rows()) == {"c1"}


def test_a_slow_system_gets_more_time(desk: Desk, crm: System) -> None:
    crm.put(person(1))
    desk.connect_system("crm", crm.url, crm.key, timeout=0.2)
    crm.trouble = lambda call: Reply(200, {"data": {"items": [person(1)]}}, delay=0.6)
    desk.tick()
    desk.do("look").shows("timeout")
    desk.do("connector").shows("connector-timeout")
    desk.fix("more-time")
    assert desk.clear("scheduled__1").run.state == "succeeded"
    assert set(desk.rows()) == {"c1"}


def test_an_outage_of_the_source_passes_without_anybody(desk: Desk, crm: System) -> None:
    crm.put(person(1))
    crm.trouble = always(503, {"error": "down for maintenance"})
    desk.tick()
    desk.do("look").shows("outage")
    desk.do("connector").shows("connector-outage")
    crm.trouble = lambda call: None
    desk.tick()
    assert set(desk.rows()) == {"c1"}


def test_an_outage_of_the_destination_leaves_every_record_unsent_and_loses_none(
    desk: Desk, crm: System, billing: System
) -> None:
    crm.put(*[person(number) for number in range(20)])
    billing.trouble = always(503, {"error": "down for maintenance"})
    report = desk.tick("customers")
    assert (report.run.state, report.run.unsent, report.run.failed) == ("failed", 20, 0)
    desk.do("look").shows("destination-outage")
    assert desk.states("customers") == {}
    billing.trouble = lambda call: None
    desk.clear("scheduled__1", "customers")
    assert len(billing.contacts) == 20


def test_a_page_for_people_in_place_of_data_is_an_outage_too(desk: Desk, crm: System) -> None:
    crm.put(person(1))
    page = b"<html><title>Maintenance</title></html>"
    crm.trouble = lambda call: Reply(200, page, {"Content-Type": "text/html"})
    desk.tick()
    desk.do("look").shows("page-for-people")
    crm.trouble = lambda call: None
    desk.tick()
    assert set(desk.rows()) == {"c1"}

