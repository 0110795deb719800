"""The promises of docs/write-modes.md that differ from mode to mode, kept by databases, too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from airflow_provider_flux.connectors.contract import Verdict, WriteItem, Written
from airflow_provider_flux.connectors.sql.options import SqlDestinationOptions
from airflow_provider_flux.errors import FluxError, RecordError

Person = Callable[..., WriteItem]
KEPT = Written(kept=True)


def codes(verdicts: list[Verdict]) -> list[str]:
    return [verdict.code if isinstance(verdict, RecordError) else "written" for verdict in verdicts]


def gone(number: int) -> WriteItem:
    return WriteItem({"id": number}, deleted=True)


# --- create_if_missing ------------------------------------------------------------------------


def test_create_if_missing_makes_new_rows_and_leaves_the_others_as_they_are(people: Any, person: Person) -> None:
    people.write([person(1), person(2)], table="people")
    before = people.rows("SELECT * FROM people ORDER BY id")
    items = [person(1, name="New", email="new@example.com"), person(3), person(2, age=99)]
    assert people.write(items, table="people", mode="create_if_missing") == [KEPT, Written(), KEPT]
    assert people.rows("SELECT * FROM people WHERE id < 3 ORDER BY id") == before
    assert people.rows("SELECT id, name FROM people WHERE id = 3") == [(3, "Person 3")]
    assert people.write(items, table="people", mode="create_if_missing") == [KEPT] * 3


def test_create_if_missing_of_one_key_twice_in_a_batch_keeps_the_first(people: Any, person: Person) -> None:
    items = [person(1), person(1, name="Second"), person(2)]
    verdicts = people.write(items, table="people", mode="create_if_missing")
    assert verdicts == [Written(), KEPT, Written()]
    assert people.rows("SELECT name FROM people ORDER BY id") == [("Person 1",), ("Person 2",)]


def test_create_if_missing_tells_bad_records_from_those_that_are_there(people: Any, person: Person) -> None:
    people.write([person(1)], table="people")
    items = [person(1, age=-5), person(2, age=-5), person(3, email="person1@example.com"), person(4), person(5)]
    verdicts = people.write(items, table="people", mode="create_if_missing")
    assert verdicts[0] == KEPT
    assert codes(verdicts[1:]) == ["CONSTRAINT_VIOLATED", "DUPLICATE_RECORD", "written", "written"]
    assert people.rows("SELECT id FROM people ORDER BY id") == [(1,), (4,), (5,)]


def test_create_if_missing_by_a_key_of_several_columns(place: Any) -> None:
    place.run("CREATE TABLE prices (sku VARCHAR(9), zone INTEGER, price NUMERIC(9, 2), PRIMARY KEY (sku, zone))")
    options = {"table": "prices", "key": ["sku", "zone"], "mode": "create_if_missing"}
    first = [WriteItem({"sku": "a", "zone": zone, "price": "1.50"}) for zone in (1, 2)]
    assert place.write(first, **options) == [Written()] * 2
    again = [WriteItem({"sku": "a", "zone": 2, "price": "9"}), WriteItem({"sku": "b", "zone": 2, "price": "3"})]
    assert place.write(again, **options) == [KEPT, Written()]
    assert [row[0] for row in place.rows("SELECT price FROM prices WHERE sku = 'a' AND zone = 2")] == [1.5]


def test_a_key_without_a_unique_index_is_told(place: Any) -> None:
    place.run("CREATE TABLE loose (id INTEGER, name VARCHAR(20))")
    with pytest.raises(FluxError, match=r"(?i)unique|conflict"):
        place.write([WriteItem({"id": 1, "name": "a"})], table="loose", mode="create_if_missing")


# --- updates and deletes, in whatever order -----------------------------------------------------


def test_an_update_after_the_delete_is_refused_and_an_upsert_makes_the_row_again(people: Any, person: Person) -> None:
    people.write([person(1)], table="people", deletes="delete")
    assert people.write([gone(1)], table="people", deletes="delete") == [Written()]
    assert people.rows("SELECT id FROM people") == []
    assert codes(people.write([person(1)], table="people", mode="update", deletes="delete")) == ["RECORD_NOT_FOUND"]
    assert people.write([person(1, name="Again")], table="people", deletes="delete") == [Written()]
    assert people.rows("SELECT id, name FROM people") == [(1, "Again")]


def test_the_delete_of_what_is_not_there_is_done(people: Any) -> None:
    assert people.write([gone(7), gone(7)], table="people", deletes="delete") == [Written()] * 2


# --- archive ----------------------------------------------------------------------------------

ARCHIVE = {"deletes": "archive", "archive": {"updated_at": "{now}", "active": False}}


def test_an_archived_row_keeps_everything_but_what_the_flow_sets(people: Any, person: Person) -> None:
    people.write([person(1), person(2)], table="people")
    start = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    items = [gone(1), gone(9), WriteItem({}, deleted=True, destination_key="[1]"), person(3)]
    assert people.write(items, table="people", **ARCHIVE) == [Written()] * 4
    [row] = people.rows("SELECT id, name, age, updated_at FROM people WHERE NOT active")
    assert row[:3] == (1, "Person 1", 30)
    moment = row[3] if isinstance(row[3], datetime) else datetime.fromisoformat(row[3])
    assert moment.replace(tzinfo=None) >= start
    assert people.rows("SELECT id FROM people WHERE active ORDER BY id") == [(2,), (3,)]


def test_an_upsert_after_the_archive_changes_the_row_that_is_there(people: Any, person: Person) -> None:
    people.write([person(1)], table="people")
    people.write([gone(1)], table="people", **ARCHIVE)
    back = WriteItem({"id": 1, "name": "Back", "active": True})
    assert people.write([back], table="people", **ARCHIVE) == [Written()]
    # What the mapping does not write stays as the archive left it.
    assert people.rows("SELECT id, name, age FROM people WHERE active") == [(1, "Back", 30)]


@pytest.mark.parametrize(
    ("archive", "code", "message"),
    [
        ({"gone": True}, "FIELD_NOT_FOUND", "no such column"),
        ({"age": "old"}, "INVALID_FORMAT", "`archive` cannot set column 'age'"),
    ],
)
def test_an_archive_that_the_table_does_not_take_is_told(
    people: Any, archive: dict[str, Any], code: str, message: str
) -> None:
    with pytest.raises(FluxError, match=message) as caught:
        people.write([gone(1)], table="people", deletes="archive", archive=archive)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"key": "id", "deletes": "archive"}, "needs `archive`"),
        ({"key": "id", "deletes": "archive", "archive": {"id": 1}}, "a column of `key`"),
        ({"mode": "create", "deletes": "archive", "archive": {"gone": True}}, "needs `key`"),
        ({"mode": "create_if_missing"}, "needs `key`"),
    ],
)
def test_options_that_cannot_work_are_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SqlDestinationOptions.model_validate({"connector": "sql", "connection": "db", "table": "people", **more})


# --- fallback keys ----------------------------------------------------------------------------

CLIENTS = """
CREATE TABLE clients (
    email VARCHAR(80) PRIMARY KEY, phone VARCHAR(20), name VARCHAR(20) NOT NULL, zip INTEGER, gone BOOLEAN
)
"""
BY_PHONE = {"table": "clients", "key": "email", "fallback_keys": ["phone", ["name", "zip"]]}


def client(name: str, /, **values: Any) -> WriteItem:
    return WriteItem({"email": f"{name}@example.com", "phone": f"1-{name}", "name": name, "zip": 1010} | values)


@pytest.fixture
def clients(place: Any) -> Any:
    place.run(CLIENTS)
    place.write([client("ada"), client("bob")], table="clients", key="email")
    return place


def test_a_row_that_a_fallback_key_finds_is_changed_and_gets_the_new_key(clients: Any) -> None:
    items = [client("ada", email="ada@king.example"), client("cyd"), client("bob", zip=2020)]
    assert clients.write(items, **BY_PHONE) == [Written()] * 3
    assert clients.rows("SELECT email, phone, zip FROM clients ORDER BY phone") == [
        ("ada@king.example", "1-ada", 1010),
        ("bob@example.com", "1-bob", 2020),
        ("cyd@example.com", "1-cyd", 1010),
    ]


def test_fallback_keys_are_asked_in_order_and_none_of_which_a_part_is_empty(clients: Any) -> None:
    items = [client("ada", email="a@x", phone=None), client("bob", email="b@x", phone=None, zip=None)]
    assert clients.write(items, **BY_PHONE) == [Written()] * 2
    assert clients.rows("SELECT email FROM clients ORDER BY email") == [("a@x",), ("b@x",), ("bob@example.com",)]


def test_a_key_that_the_record_does_not_have_stays_as_it_is(clients: Any) -> None:
    assert clients.write([client("ada", email=None, zip=7)], mode="update", **BY_PHONE) == [Written()]
    assert clients.rows("SELECT email, zip FROM clients WHERE zip = 7") == [("ada@example.com", 7)]


def test_create_if_missing_looks_for_the_fallback_keys_too(clients: Any) -> None:
    items = [client("ada", email="other@x", name="Other"), client("cyd")]
    assert clients.write(items, mode="create_if_missing", **BY_PHONE) == [KEPT, Written()]
    assert clients.rows("SELECT name FROM clients WHERE phone = '1-ada'") == [("ada",)]


def test_several_rows_with_a_fallback_key_are_named_and_none_is_changed(clients: Any) -> None:
    clients.run("UPDATE clients SET phone = '1-same'")
    before = clients.rows("SELECT * FROM clients ORDER BY email")
    several, fine = clients.write([client("eve", phone="1-same", email="e@x"), client("cyd")], **BY_PHONE)
    assert isinstance(several, RecordError)
    assert (several.code, several.field) == ("DUPLICATE_RECORD", "phone")
    assert "ada@example.com" in several.message
    assert "bob@example.com" in several.message
    assert fine == Written()
    assert clients.rows("SELECT * FROM clients WHERE name <> 'cyd' ORDER BY email") == before


def test_a_bad_record_that_was_found_changes_nothing_and_costs_no_other(clients: Any) -> None:
    clients.run("CREATE UNIQUE INDEX one_name ON clients (name)")
    items = [
        client("ada", email="new@x", zip="many"),  # refused before it is sent
        client("bob", email="b@x", name="ada"),  # refused by the database
        client("cyd"),
    ]
    assert codes(clients.write(items, **BY_PHONE)) == ["INVALID_FORMAT", "DUPLICATE_RECORD", "written"]
    assert clients.rows("SELECT email FROM clients ORDER BY email") == [
        ("ada@example.com",), ("bob@example.com",), ("cyd@example.com",),
    ]  # fmt: skip


def test_deletes_find_their_row_by_a_fallback_key(clients: Any) -> None:
    gone = WriteItem({"email": "unknown@x", "phone": "1-ada"}, deleted=True)
    assert clients.write([gone], deletes="archive", archive={"gone": True}, **BY_PHONE) == [Written()]
    assert clients.rows("SELECT email FROM clients WHERE gone") == [("ada@example.com",)]
    assert clients.write([gone, gone], deletes="delete", **BY_PHONE) == [Written()] * 2
    assert clients.rows("SELECT email FROM clients") == [("bob@example.com",)]


def test_fallback_keys_that_cannot_work_are_refused(clients: Any) -> None:
    with pytest.raises(FluxError, match="`fallback_keys` name 'fone'") as caught:
        clients.write([client("ada")], table="clients", key="email", fallback_keys=["fone"])
    assert caught.value.code == "FIELD_NOT_FOUND"
    with pytest.raises(ValidationError, match="looks nothing up"):
        clients.destination(mode="create", **BY_PHONE)
