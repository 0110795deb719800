"""A run failed and no record was processed: the trace names the stage, the stage names the remedy, Retry delivers."""

from __future__ import annotations

from tests.scenarios.conftest import Desk
from tests.scenarios.systems import System, person


def test_a_read_failure_sends_people_to_the_source_connection(desk: Desk, crm: System) -> None:
    crm.put(person(1))
    desk.connect("crm", conn_type="flux_rest", host="http://127.0.0.1:9", password=crm.key, extra={"retry_budget": 0.1})
    desk.tick()
    desk.do("look").shows("read-failed")
    desk.connect_system("crm", crm.url, crm.key)
    desk.clear("scheduled__1")
    assert set(desk.rows()) == {"c1"}


def test_a_transform_failure_names_the_rule(desk: Desk, crm: System) -> None:
    desk.change_flow("errors: {strategy: fail_fast}")
    desk.change_mapping("[{expression: record.name + 1, to: name}]")
    crm.put(person(1), person(2))
    report = desk.tick()
    assert (report.run.state, report.run.written) == ("failed", 0)
    desk.do("look").shows("transform-failed")
    desk.fix("failing-rule")
    assert desk.clear("scheduled__1").run.state == "succeeded"
    assert set(desk.rows()) == {"c1", "c2"}
    assert desk.states() == {"c1": "resolved"}


def test_later_ticks_of_a_flow_that_fails_fast_wait_for_a_person(desk: Desk, crm: System) -> None:
    desk.change_flow("errors: {strategy: fail_fast}")
    crm.put(person(1, phone="call me maybe"), person(2))
    desk.tick()
    desk.tick()
    desk.do("look-2").shows("waiting")
    desk.fix("phone-skip")
    desk.do("retry-run")
    assert desk.tick().run.state == "succeeded"
    assert set(desk.rows()) == {"c1", "c2"}
    assert desk.states() == {"c1": "resolved"}


def test_a_write_failure_shows_what_the_destination_said(desk: Desk, crm: System, billing: System) -> None:
    desk.change_mapping("[{from: mail, to: email}]")
    crm.put(person(1), person(2))
    report = desk.tick("customers")
    assert (report.run.written, report.run.failed) == (0, 2)
    desk.do("look").shows("write-refused")
    desk.fix("email-mapped")
    desk.do("retry-run")
    assert {key: customer["email"] for key, customer in billing.contacts.items()} == {
        "c1": "person1@example.com",
        "c2": "person2@example.com",
    }
    assert set(desk.states("customers").values()) == {"resolved"}


def test_a_table_that_does_not_exist_fails_the_write(desk: Desk, crm: System) -> None:
    desk.change_flow("destination: {table: contact}")
    crm.put(person(1))
    desk.tick()
    desk.do("look").shows("no-table")
    desk.fix("right-table")
    desk.clear("scheduled__1")
    assert set(desk.rows()) == {"c1"}
