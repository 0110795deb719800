"""Bad records among good ones: the good ones arrive, each bad one is an error of its own, named by field and code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_flux.connectors.contract import WriteItem, Written
from airflow_provider_flux.errors import RecordError

Person = Callable[..., WriteItem]

POISON: dict[str, tuple[str, Any, str]] = {
    # name: (column, value, code)
    "null key": ("id", None, "REQUIRED_FIELD_MISSING"),
    "letters in a number": ("age", "n/a", "INVALID_FORMAT"),
    "integer beyond bigint": ("id", 2**63, "VALUE_OUT_OF_RANGE"),
    "integer of 5,000 digits": ("age", 10**5000, "VALUE_OUT_OF_RANGE"),
    "NUL byte in text": ("name", "a\x00b", "INVALID_ENCODING"),
    "1 MB of text": ("email", "x" * 2**20, "VALUE_TOO_LONG"),
    "half of a surrogate pair": ("name", "caf\ud83d", "INVALID_ENCODING"),
    "duplicate unique value": ("email", "person0@example.com", "DUPLICATE_RECORD"),
    "NaN": ("score", float("nan"), "INVALID_ENCODING"),
    "NaN in an exact number": ("salary", float("nan"), "INVALID_ENCODING"),
    "infinite number": ("score", float("inf"), "INVALID_ENCODING"),
    "object where a text was": ("name", {"first": "Ada"}, "INVALID_FORMAT"),
    "list where a number was": ("age", [1, 2], "INVALID_FORMAT"),
    "no such day": ("updated_at", "2026-02-30T10:00:00Z", "INVALID_FORMAT"),
    "too many digits": ("salary", 10**8, "VALUE_OUT_OF_RANGE"),
    "neither true nor false": ("active", "maybe", "INVALID_FORMAT"),
    "missing value": ("name", None, "REQUIRED_FIELD_MISSING"),
    "check of the table": ("age", -1, "CONSTRAINT_VIOLATED"),
}
TOTAL = 1000


def poisoned(person: Person, bad: dict[int, str]) -> list[WriteItem]:
    """TOTAL good records, but for those that `bad` names."""
    items = [person(number) for number in range(TOTAL)]
    for number, name in bad.items():
        column, value, _ = POISON[name]
        items[number].data[column] = value
    return items


def check(people: Any, items: list[WriteItem], verdicts: list[Any], bad: dict[int, str]) -> None:
    """Exactly the good records are there, and each bad one says its field and code."""
    failed = {number: verdict for number, verdict in enumerate(verdicts) if isinstance(verdict, RecordError)}
    assert {number: (error.field, error.code) for number, error in failed.items()} == {
        number: (POISON[name][0], POISON[name][2]) for number, name in bad.items()
    }
    assert [verdict for number, verdict in enumerate(verdicts) if number not in bad] == [Written()] * (TOTAL - len(bad))
    there = {number for (number,) in people.rows("SELECT id FROM people")}
    assert there == {items[number].data["id"] for number in range(TOTAL) if number not in bad}


@pytest.mark.parametrize("in_flight", [1, 16])
@pytest.mark.parametrize("mode", ["upsert", "create"])
@pytest.mark.parametrize("name", POISON)
def test_one_in_a_thousand(people: Any, person: Person, name: str, mode: str, in_flight: int) -> None:
    # The duplicate stands in the batch of the record that it doubles: across batches either may come first.
    bad = {33 if name == "duplicate unique value" else 777: name}
    items = poisoned(person, bad)
    verdicts = people.write(items, table="people", mode=mode, batch_size=60, in_flight=in_flight)
    check(people, items, verdicts, bad)


@pytest.mark.parametrize("in_flight", [1, 16])
@pytest.mark.parametrize("batch_size", [50, 1000])
def test_five_percent_at_once(people: Any, person: Person, batch_size: int, in_flight: int) -> None:
    kinds = [name for name in POISON if name != "duplicate unique value"]
    bad = {number: kinds[number // 20 % len(kinds)] for number in range(7, TOTAL, 20)}
    bad[49] = "duplicate unique value"
    items = poisoned(person, bad)
    verdicts = people.write(items, table="people", batch_size=batch_size, in_flight=in_flight)
    check(people, items, verdicts, bad)


def test_of_records_that_share_a_unique_value_in_batches_in_flight_one_arrives(people: Any, person: Person) -> None:
    # In opposite orders, so that transactions wait for one another and PostgreSQL has deadlocks to end.
    size, batches = 50, 16
    items = []
    for batch in range(batches):
        order = range(size) if batch % 2 else reversed(range(size))
        items += [person(batch * size + n, email=f"shared{n}@example.com") for n in order]
    verdicts = people.write(items, table="people", batch_size=size, in_flight=batches)
    codes = [verdict.code for verdict in verdicts if isinstance(verdict, RecordError)]
    assert codes == ["DUPLICATE_RECORD"] * (size * (batches - 1))
    arrived = {item.data["id"] for item, verdict in zip(items, verdicts, strict=True) if verdict == Written()}
    assert {number for (number,) in people.rows("SELECT id FROM people")} == arrived
    assert people.rows("SELECT count(DISTINCT email) FROM people") == [(size,)]


@pytest.mark.parametrize("name", ["duplicate unique value", "check of the table"])
def test_five_percent_that_only_the_database_can_refuse(people: Any, person: Person, name: str) -> None:
    bad = dict.fromkeys(range(19, TOTAL, 20), name)
    items = poisoned(person, bad)
    verdicts = people.write(items, table="people", batch_size=1000)
    check(people, items, verdicts, bad)


def test_a_whole_batch_of_bad_records(people: Any, person: Person) -> None:
    bad = dict.fromkeys(range(1, TOTAL), "duplicate unique value")
    items = poisoned(person, bad)
    verdicts = people.write(items, table="people", batch_size=1000)
    check(people, items, verdicts, bad)


def test_an_error_shows_the_value_shortened(people: Any, person: Person) -> None:
    (error,) = people.write([person(1, email="x" * 2**20)], table="people")
    assert len(error.value) < 300
    assert "1048576" in error.value
    assert error.message == "column 'email': 1048576 characters, the column takes 80"


def test_a_refusal_of_the_database_keeps_its_answer(people: Any, person: Person) -> None:
    _, error = people.write([person(1), person(2, email="person1@example.com")], table="people")
    assert error.value == "person1@example.com"
    assert "unique" in error.answer.lower()


def test_a_record_that_leaves_out_a_required_column(people: Any, person: Person) -> None:
    item = person(1)
    del item.data["name"]
    error, written = people.write([item, person(2)], table="people")
    assert (error.code, error.field, written) == ("REQUIRED_FIELD_MISSING", "name", Written())


def test_a_missing_reference(place: Any) -> None:
    place.run(
        "CREATE TABLE firms (id INTEGER PRIMARY KEY);"
        "CREATE TABLE staff (id INTEGER PRIMARY KEY, firm INTEGER REFERENCES firms (id));"
        "INSERT INTO firms VALUES (1)"
    )
    items = [WriteItem({"id": n, "firm": 1 if n % 10 else 99}) for n in range(1, 101)]
    verdicts = place.write(items, table="staff")
    assert [n for n, verdict in enumerate(verdicts, 1) if isinstance(verdict, RecordError)] == list(range(10, 101, 10))
    assert {verdict.code for verdict in verdicts if isinstance(verdict, RecordError)} == {"REFERENCE_MISSING"}
    (error,) = place.write([WriteItem({"id": 1}, deleted=True)], table="firms", deletes="delete")
    assert error.code in ("CONSTRAINT_VIOLATED", "REFERENCE_MISSING")
    assert place.rows("SELECT count(*) FROM staff") == [(90,)]


def test_what_a_trigger_refuses(place: Any) -> None:
    place.run("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)")
    if place.dialect == "sqlite":
        with place.engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER no_bob BEFORE INSERT ON t WHEN NEW.name = 'Bob' "
                "BEGIN SELECT RAISE(ABORT, 'no Bob here'); END"
            )
    else:
        with place.engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE FUNCTION no_bob() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "IF NEW.name = 'Bob' THEN RAISE EXCEPTION 'no Bob here'; END IF; RETURN NEW; END $$"
            )
            connection.exec_driver_sql("CREATE TRIGGER no_bob BEFORE INSERT ON t EXECUTE FUNCTION no_bob()".replace(
                "ON t EXECUTE", "ON t FOR EACH ROW EXECUTE"))  # fmt: skip
    verdicts = place.write([WriteItem({"id": n, "name": "Bob" if n == 5 else "Ada"}) for n in range(10)], table="t")
    assert [n for n, verdict in enumerate(verdicts) if isinstance(verdict, RecordError)] == [5]
    assert (verdicts[5].code, verdicts[5].message) == ("RECORD_REJECTED", "no Bob here")


def test_a_domain_of_postgresql_names_row_and_column(pg_place: Any) -> None:
    pg_place.run(
        "CREATE DOMAIN plz AS TEXT CHECK (VALUE ~ '^[0-9]{5}$'); CREATE TABLE t (id INTEGER PRIMARY KEY, zip plz)"
    )
    items = [WriteItem({"id": n, "zip": "x" if n in (3, 70) else "12345"}) for n in range(100)]
    verdicts = pg_place.write(items, table="t")
    failed = {n: v for n, v in enumerate(verdicts) if isinstance(v, RecordError)}
    assert {n: (v.code, v.field, v.value) for n, v in failed.items()} == dict.fromkeys(
        (3, 70), ("CONSTRAINT_VIOLATED", "zip", "x")
    )


def test_keys_that_only_the_database_holds_equal(place: Any) -> None:
    place.run("CREATE TABLE t (id NUMERIC PRIMARY KEY, n INTEGER)")
    items = [WriteItem({"id": "1", "n": 1}), WriteItem({"id": "2", "n": 2}), WriteItem({"id": "1.0", "n": 3})]
    assert place.write(items, table="t") == [Written()] * 3
    assert place.rows("SELECT n FROM t ORDER BY id") == [(3,), (2,)]
