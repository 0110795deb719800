"""A record is missing in the destination: where it was lost, and how it is fetched."""

from __future__ import annotations

import sqlalchemy
from sqlalchemy import text
from sqlalchemy.pool import NullPool

from tests.scenarios.conftest import Desk
from tests.scenarios.systems import System, person


def test_a_record_that_the_filter_leaves_out(desk: Desk, crm: System) -> None:
    desk.change_flow("filter: record.name != 'Person 2'")
    crm.put(person(1), person(2))
    desk.tick()
    desk.do("look").shows("filtered")
    desk.fix("filter")
    desk.do("backfill-window")
    assert set(desk.rows()) == {"c1", "c2"}


def test_a_record_that_came_too_late_for_the_window_is_fetched_by_a_small_backfill(desk: Desk, crm: System) -> None:
    crm.put(person(1, updated_at="2026-03-01T12:00:00Z"))
    desk.tick()
    crm.put(person(2, updated_at="2026-03-01T11:00:00Z"))  # imported with an old time of change
    desk.tick()
    assert set(desk.rows()) == {"c1"}
    desk.do("look-2").shows("window")
    desk.do("backfill-window")
    assert set(desk.rows()) == {"c1", "c2"}


def test_a_record_that_failed_is_found_by_its_key(desk: Desk, crm: System) -> None:
    crm.put(person(1), person(2, phone="call me maybe"))
    desk.tick()
    desk.do("by-key").shows("by-key")
    desk.fix("phone-skip")
    desk.do("retry-run")
    assert set(desk.rows()) == {"c1", "c2"}


def test_records_that_somebody_deleted_in_the_destination_are_fetched_by_their_ids(desk: Desk, crm: System) -> None:
    desk.fix("item")
    crm.put(*[person(number) for number in range(1, 10)])
    desk.tick()
    desk.sql("DELETE FROM contacts WHERE id IN ('c2', 'c3')")
    calls = crm.calls
    desk.do("backfill-ids")
    assert set(desk.rows()) == {f"c{number}" for number in range(1, 10)}
    assert crm.calls - calls <= 4


def test_a_range_of_ids_is_fetched_from_a_database(any_desk: Desk) -> None:
    desk = any_desk
    desk.take("flows/accounts.yaml", "mappings/accounts/v1.yaml")
    database = f"sqlite:///{desk.folder / 'crm.db'}"
    (desk.folder / "crm.db").touch()
    desk.connect("crm_db", conn_type="flux_sql", extra={"url": database})
    engine = sqlalchemy.create_engine(database, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT, updated_at TIMESTAMP)"))
        for number in range(50, 250):
            values = f"({number}, 'Account {number}', '2026-03-01 00:00:00')"
            connection.execute(text(f"INSERT INTO accounts VALUES {values}"))
    desk.sql("CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT)")
    desk.tick("accounts")
    desk.sql("DELETE FROM accounts WHERE id BETWEEN 150 AND 300")
    desk.do("backfill-range")
    assert set(desk.rows("accounts")) == set(range(50, 201))
