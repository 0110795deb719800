"""What is written is there, in every mode; a batch is one transaction."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_flux.connectors.contract import WriteItem, Written
from airflow_provider_flux.errors import FluxError, RecordError

Person = Callable[..., WriteItem]


def codes(verdicts: list[Any]) -> list[str]:
    return [verdict.code if isinstance(verdict, RecordError) else "written" for verdict in verdicts]


@pytest.mark.parametrize("mode", ["upsert", "create"])
def test_new_records_are_committed(people: Any, person: Person, mode: str) -> None:
    verdicts = people.write([person(1), person(2)], table="people", mode=mode)
    assert verdicts == [Written(), Written()]
    assert people.rows("SELECT id, name FROM people ORDER BY id") == [(1, "Person 1"), (2, "Person 2")]


def test_upsert_replaces_what_is_given_and_keeps_the_rest(people: Any, person: Person) -> None:
    people.write([person(1), person(2)], table="people")
    changed = [WriteItem({"id": 1, "name": "Ada"}), WriteItem({"id": 2, "name": "Bob", "age": None})]
    assert codes(people.write(changed, table="people")) == ["written", "written"]
    assert people.rows("SELECT id, name, age, email FROM people ORDER BY id") == [
        (1, "Ada", 30, "person1@example.com"),
        (2, "Bob", None, "person2@example.com"),
    ]


def test_upsert_of_nothing_but_the_key_keeps_the_row(place: Any) -> None:
    place.run("CREATE TABLE tags (id INTEGER PRIMARY KEY)")
    for _ in range(2):
        assert codes(place.write([WriteItem({"id": 1})], table="tags")) == ["written"]
    assert place.rows("SELECT id FROM tags") == [(1,)]


def test_update_changes_rows_and_names_those_that_are_not_there(people: Any, person: Person) -> None:
    people.write([person(1)], table="people")
    items = [WriteItem({"id": 1, "name": "Ada"}), WriteItem({"id": 2, "name": "Bob"})]
    written, missing = people.write(items, table="people", mode="update")
    assert written == Written()
    assert (missing.code, missing.field) == ("RECORD_NOT_FOUND", "id")
    assert "id=2" in missing.message
    assert people.rows("SELECT id, name FROM people") == [(1, "Ada")]


def test_update_of_nothing_but_the_key_tells_who_is_there(people: Any, person: Person) -> None:
    people.write([person(1)], table="people")
    items = [WriteItem({"id": 1}), WriteItem({"id": 2})]
    assert codes(people.write(items, table="people", mode="update")) == ["written", "RECORD_NOT_FOUND"]


def test_insert_of_what_is_there_is_a_duplicate_of_its_own(people: Any, person: Person) -> None:
    people.write([person(2)], table="people")
    verdicts = people.write([person(1), person(2, email=None), person(3)], table="people", mode="create")
    assert codes(verdicts) == ["written", "DUPLICATE_RECORD", "written"]
    assert verdicts[1].field == "id"
    assert people.rows("SELECT count(*) FROM people") == [(3,)]


def test_a_column_filled_by_the_database_may_be_left_out(place: Any) -> None:
    number = "SERIAL" if place.dialect == "postgresql" else "INTEGER"
    place.run(f"CREATE TABLE notes (id {number} PRIMARY KEY, kind TEXT NOT NULL DEFAULT 'note', body TEXT)")
    items = [WriteItem({"body": "a"}), WriteItem({"body": "b"})]
    assert codes(place.write(items, table="notes", mode="create", key=None)) == ["written", "written"]
    assert place.rows("SELECT id, kind, body FROM notes ORDER BY id") == [(1, "note", "a"), (2, "note", "b")]


def test_deletes_take_the_key_from_the_record_or_from_the_link(people: Any, person: Person) -> None:
    people.write([person(n) for n in range(1, 5)], table="people")
    items = [
        WriteItem({"id": 1}, deleted=True),
        WriteItem({}, deleted=True, destination_key="[2]"),
        WriteItem({"id": 99}, deleted=True),
        WriteItem({}, deleted=True),
        person(5),
    ]
    verdicts = people.write(items, table="people", deletes="delete")
    assert codes(verdicts) == ["written", "written", "written", "REQUIRED_FIELD_MISSING", "written"]
    assert people.rows("SELECT id FROM people ORDER BY id") == [(3,), (4,), (5,)]


def test_a_delete_is_refused_where_the_flow_ignores_deletes(people: Any, person: Person) -> None:
    people.write([person(1)], table="people")
    with pytest.raises(FluxError) as caught:
        people.write([WriteItem({"id": 1}, deleted=True)], table="people")
    assert caught.value.code == "BAD_REQUEST"
    assert people.rows("SELECT count(*) FROM people") == [(1,)]


def test_of_two_records_with_one_key_both_are_written_and_the_last_one_stays(people: Any, person: Person) -> None:
    items = [person(1, name="first"), person(2), person("1", name="second"), person(1, name="third", email=None)]
    assert codes(people.write(items, table="people")) == ["written"] * 4
    assert people.rows("SELECT id, name FROM people ORDER BY id") == [(1, "third"), (2, "Person 2")]


def test_a_delete_and_an_upsert_of_one_key_keep_their_order(people: Any, person: Person) -> None:
    gone = WriteItem({"id": 1}, deleted=True)
    assert codes(people.write([person(1), gone], table="people", deletes="delete")) == ["written", "written"]
    assert people.rows("SELECT id FROM people") == []
    assert codes(people.write([person(1), gone, person(1)], table="people", deletes="delete")) == ["written"] * 3
    assert people.rows("SELECT id FROM people") == [(1,)]


def test_a_key_of_several_columns(place: Any) -> None:
    place.run("CREATE TABLE prices (sku TEXT, zone INTEGER, price NUMERIC(8, 2), PRIMARY KEY (sku, zone))")
    options = {"table": "prices", "key": ["sku", "zone"], "deletes": "delete"}
    items = [WriteItem({"sku": "a", "zone": n, "price": n}) for n in (1, 2, 3)]
    assert codes(place.write(items, **options)) == ["written"] * 3
    again = [
        WriteItem({"sku": "a", "zone": 1, "price": 9}),
        WriteItem({}, deleted=True, destination_key='["a", 2]'),
        WriteItem({"sku": "b"}, deleted=True),
    ]
    assert codes(place.write(again, **options)) == ["written", "written", "REQUIRED_FIELD_MISSING"]
    assert place.rows("SELECT sku, zone, price FROM prices ORDER BY zone") == [("a", 1, 9), ("a", 3, 3)]


def test_names_are_quoted(place: Any) -> None:
    place.run('CREATE TABLE "Order ""x""" ("select" INTEGER PRIMARY KEY, "Größe \\:a %" TEXT)')
    items = [WriteItem({"select": 1, "Größe :a %": "XL"})]
    options = {"table": 'Order "x"', "key": "select"}
    assert codes(place.write(items, **options)) == ["written"]
    assert codes(place.write(items, mode="update", **options)) == ["written"]
    assert place.rows('SELECT * FROM "Order ""x"""') == [(1, "XL")]


def test_a_table_in_a_schema(pg_place: Any) -> None:
    pg_place.run('CREATE SCHEMA "Crm"; CREATE TABLE "Crm".people (id INTEGER PRIMARY KEY, name TEXT)')
    assert codes(pg_place.write([WriteItem({"id": 1, "name": "a"})], table="Crm.people")) == ["written"]
    assert pg_place.rows('SELECT * FROM "Crm".people') == [(1, "a")]


def test_text_survives_whatever_characters_it_holds(place: Any) -> None:
    place.run("CREATE TABLE texts (id INTEGER PRIMARY KEY, body TEXT)")
    bodies = ["a\tb", "a\nb\r\n", "\\N", "\\.", "back\\slash", "", "NULL", "'; DROP TABLE texts; --", "😀é", "\x01\x7f"]
    items = [WriteItem({"id": n, "body": body}) for n, body in enumerate(bodies)]
    items.append(WriteItem({"id": 100, "body": None}))
    assert codes(place.write(items, table="texts")) == ["written"] * len(items)
    assert [body for (body,) in place.rows("SELECT body FROM texts ORDER BY id")] == [*bodies, None]


def test_values_of_json_become_the_types_of_the_columns(people: Any, person: Person) -> None:
    items = [
        person(1, age="41", salary=12, score=3, active="yes", updated_at="2026-01-01T12:00:00.25+02:00"),
        person(2, age=41.0, salary="1e2", score="0.25", active=0, updated_at="2026-01-01"),
    ]
    assert codes(people.write(items, table="people")) == ["written", "written"]
    rows = people.rows("SELECT age, salary, score, active, updated_at FROM people ORDER BY id")
    assert [(age, Decimal(salary), score, bool(active)) for age, salary, score, active, _ in rows] == [
        (41, 12, 3.0, True),
        (41, 100, 0.25, False),
    ]
    assert [str(row[4])[:22] for row in rows] in (
        ["2026-01-01 10:00:00.25", "2026-01-01 00:00:00"],
        ["2026-01-01 10:00:00.25", "2026-01-01 00:00:00.00"],
    )


def test_the_types_of_postgresql(pg_place: Any) -> None:
    pg_place.run(
        "CREATE TYPE mood AS ENUM ('sad', 'happy');"
        "CREATE TABLE t (id UUID PRIMARY KEY, mood mood, doc JSONB, tags TEXT[], raw BYTEA, day DATE, span INTERVAL,"
        " at TIMESTAMPTZ, ip INET)"
    )
    number = "0b7a1e3c-0000-4000-8000-000000000001"
    data = {
        "id": number.upper(),
        "mood": "happy",
        "doc": {"a": [1, None, "\\\t"]},
        "tags": ["x", 'q"\\', None],
        "raw": "AP8=",
        "day": "2026-01-01T23:30:00-05:00",
        "span": "1 day",
        "at": "2026-01-01 10:00:00",
        "ip": "10.0.0.1",
    }
    assert codes(pg_place.write([WriteItem(data)], table="t")) == ["written"]
    query = "SELECT id::text, mood::text, doc, tags, raw, day::text, span::text, at AT TIME ZONE 'UTC', host(ip) FROM t"
    ((found, mood, doc, tags, raw, day, span, at, ip),) = pg_place.rows(query)
    assert (found, mood, doc, tags, bytes(raw)) == (number, "happy", data["doc"], data["tags"], b"\x00\xff")
    assert (day, span, str(at), ip) == ("2026-01-02", "1 day", "2026-01-01 10:00:00", "10.0.0.1")
    refused = {"mood": "angry", "tags": "x", "raw": "%", "day": "01/02/2026", "ip": "home", "id": "7"}
    for column, value in refused.items():
        (error,) = pg_place.write([WriteItem({**data, column: value})], table="t")
        assert (error.code, error.field) == ("INVALID_FORMAT", column)


@pytest.mark.parametrize(
    ("declared", "good", "bad"),
    [
        ("TIMESTAMPTZ", "2026-01-01T10:00:00Z", "soon"),
        ("timestamp with time zone", "2026-01-01T10:00:00Z", "soon"),
        ("BIGINT UNSIGNED", 7, "n/a"),
        ("int8", "7", "n/a"),
        ("JSONB", {"a": 1}, {"a": float("nan")}),
        ("DECIMAL(5, 2)", "1.25", "n/a"),
        ("POINT", "1,2", {}),
        ("INTERVAL", "1 day", []),
        ("MONEY", "EUR 5", "\x00"),
        ("", "anything", {}),
    ],
)
def test_declared_types_of_sqlite_mean_what_they_say(sqlite_place: Any, declared: str, good: Any, bad: Any) -> None:
    sqlite_place.run(f"CREATE TABLE t (id INTEGER PRIMARY KEY, x {declared})")
    written, refused = sqlite_place.write([WriteItem({"id": 1, "x": good}), WriteItem({"id": 2, "x": bad})], table="t")
    assert written == Written()
    assert (refused.field, refused.code) in {("x", "INVALID_FORMAT"), ("x", "INVALID_ENCODING")}
    assert sqlite_place.rows("SELECT id FROM t") == [(1,)]


@pytest.mark.parametrize(("mode", "expected"), [("upsert", True), ("update", True), ("create", False)])
def test_upsert_and_update_may_be_sent_twice_and_all_may_be_asked(people: Any, mode: str, expected: bool) -> None:
    destination = people.destination(table="people", mode=mode)
    assert destination.idempotent is expected
    assert destination.can_find
    destination.close()
    blind = people.destination(table="people", mode="create", key=None)
    assert not blind.can_find
    blind.close()


def test_find_tells_which_records_are_there(people: Any, person: Person) -> None:
    people.write([person(n) for n in range(250)], table="people")
    destination = people.destination(table="people", mode="create")
    items = [person(n) for n in (0, 249, 250)] + [person("7"), person("n/a"), person(None)]
    assert destination.find(items) == ["[0]", "[249]", None, '["7"]', None, None]
    destination.close()


def test_find_by_a_key_of_several_columns(place: Any) -> None:
    place.run("CREATE TABLE prices (sku TEXT, zone INTEGER, PRIMARY KEY (sku, zone))")
    options = {"table": "prices", "key": ["sku", "zone"], "mode": "create"}
    place.write([WriteItem({"sku": "ä", "zone": 1})], **options)
    destination = place.destination(**options)
    items = [WriteItem({"sku": "ä", "zone": 1}), WriteItem({"sku": "ä", "zone": 2})]
    assert destination.find(items) == ['["ä", 1]', None]
    destination.close()


def test_sixteen_threads_write_every_record_once(people: Any, person: Person) -> None:
    items = [person(number) for number in range(2000)]
    verdicts = people.write(items, table="people", batch_size=50, in_flight=16)
    assert codes(verdicts) == ["written"] * 2000
    assert people.rows("SELECT count(*), count(DISTINCT id) FROM people") == [(2000, 2000)]
