"""MariaDB, through PyMySQL: the statements of any dialect, and what the server says to bad records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from airflow_provider_flux.connectors.contract import Verdict, Window, WriteItem, Written
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.cursor import canonical
from airflow_provider_flux.connectors.sql import Sql
from airflow_provider_flux.errors import FluxError, RecordError
from tests.contracts.sql.conftest import Place
from tests.servers.mariadb import MariaDb

pytest.importorskip("pymysql", reason="PyMySQL is not installed (extra `mysql`)")

KEPT = Written(kept=True)

PEOPLE = """
CREATE TABLE teams (id BIGINT PRIMARY KEY);
CREATE TABLE people (
    id         BIGINT PRIMARY KEY,
    email      VARCHAR(80) UNIQUE,
    name       VARCHAR(40) NOT NULL,
    age        INTEGER CHECK (age >= 0),
    salary     NUMERIC(10, 2),
    active     BOOLEAN,
    team       BIGINT REFERENCES teams (id),
    more       JSON,
    updated_at DATETIME(6)
)
"""


@pytest.fixture(scope="module")
def database(mariadb: MariaDb) -> Iterator[Place]:
    name = mariadb.new_database()
    credentials = Credentials(
        "db", "mysql", host=mariadb.host, port=mariadb.port, login=mariadb.user, password=mariadb.password, schema=name
    )
    place = Place(credentials, sa.create_engine(mariadb.url(name), future=True), "mysql")
    place.run(PEOPLE)
    yield place
    place.engine.dispose()


@pytest.fixture
def people(database: Place) -> Place:
    database.run("DELETE FROM people; DELETE FROM teams; INSERT INTO teams VALUES (1)")
    return database


def person(number: int, **values: Any) -> WriteItem:
    good = {
        "id": number,
        "email": f"person{number}@example.com",
        "name": f"Person {number}",
        "age": 30,
        "salary": "1234.50",
        "active": True,
        "team": 1,
        "more": '{"tags": ["a", 1]}',  # JSON is a name for LONGTEXT in MariaDB: text, and read as text
        "updated_at": f"2026-03-01T00:{number // 60:02d}:{number % 60:02d}Z",
    }
    return WriteItem(good | values)


def codes(verdicts: list[Verdict]) -> list[str]:
    return [verdict.code if isinstance(verdict, RecordError) else "written" for verdict in verdicts]


# --- reading ----------------------------------------------------------------------------------


def test_a_table_is_read_page_by_page_in_the_window_and_by_keys(people: Place) -> None:
    people.write([person(number) for number in range(250)], table="people")
    found = people.read(table="people", page_size=100)
    assert [record["id"] for page in found for record in page.records] == list(range(250))
    assert len(found[0].records) == 100
    first = found[0].records[1]
    assert (str(first["salary"]), first["active"], first["more"]) == ("1234.50", 1, '{"tags": ["a", 1]}')
    assert first["updated_at"] == datetime(2026, 3, 1, 0, 0, 1, tzinfo=UTC)

    cursor = {"field": "updated_at"}
    window = Window(*(canonical(f"2026-03-01T00:0{minute}:00Z", "timestamp") for minute in (1, 2)))
    inside = {record["id"] for record in people.records(window, table="people", cursor=cursor, page_size=25)}
    assert inside >= set(range(60, 120))
    assert len(inside) < 250

    source = people.source(table="people")
    again = [record["id"] for page in source.fetch([{"id": 7}, {"id": 9}, {"id": 999}]) for record in page.records]
    assert sorted(again) == [7, 9]
    now = source.now()
    assert now is not None
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=5)
    source.close()


# --- modes ------------------------------------------------------------------------------------


def test_upsert_updates_what_is_there_inserts_the_rest_and_keeps_other_columns(people: Place) -> None:
    assert people.write([person(1), person(2)], table="people") == [Written()] * 2
    changed = [WriteItem({"id": 1, "name": "Ada"}), WriteItem({"id": 3, "name": "New"})]
    assert people.write(changed, table="people") == [Written()] * 2
    assert people.rows("SELECT id, name, age FROM people ORDER BY id") == [
        (1, "Ada", 30), (2, "Person 2", 30), (3, "New", None),
    ]  # fmt: skip


def test_an_upsert_never_overwrites_another_row_that_shares_a_unique_value(people: Place) -> None:
    """ON DUPLICATE KEY UPDATE would: it obeys any unique index."""
    people.write([person(1)], table="people")
    assert codes(people.write([person(2, email="person1@example.com")], table="people")) == ["DUPLICATE_RECORD"]
    assert people.rows("SELECT id, name FROM people") == [(1, "Person 1")]


def test_update_names_what_is_not_there(people: Place) -> None:
    people.write([person(1)], table="people")
    items = [WriteItem({"id": 1, "name": "Ada"}), WriteItem({"id": 2, "name": "Bob"})]
    assert codes(people.write(items, table="people", mode="update")) == ["written", "RECORD_NOT_FOUND"]
    # The same values again: MySQL counts no changed row, and the row is there all the same.
    assert codes(people.write(items[:1], table="people", mode="update")) == ["written"]
    assert people.rows("SELECT id, name FROM people") == [(1, "Ada")]


def test_create_if_missing_leaves_rows_as_they_are(people: Place) -> None:
    people.write([person(1)], table="people")
    before = people.rows("SELECT * FROM people")
    items = [person(1, name="Other", age=1), person(2), person(2, name="Second")]
    assert people.write(items, table="people", mode="create_if_missing") == [KEPT, Written(), KEPT]
    assert people.rows("SELECT * FROM people WHERE id = 1") == before
    assert people.rows("SELECT name FROM people WHERE id = 2") == [("Person 2",)]


def test_create_of_what_is_there_is_a_duplicate_and_find_tells_what_is(people: Place) -> None:
    assert codes(people.write([person(1), person(2)], table="people", mode="create")) == ["written"] * 2
    assert codes(people.write([person(2), person(3)], table="people", mode="create")) == ["DUPLICATE_RECORD", "written"]
    destination = people.destination(table="people", mode="create")
    assert destination.find([person(1), person(9)]) == ["[1]", None]
    destination.close()


def test_rows_are_deleted_archived_and_come_back(people: Place) -> None:
    people.write([person(1), person(2)], table="people")
    gone = WriteItem({"id": 1}, deleted=True)
    archive = {"deletes": "archive", "archive": {"active": False, "updated_at": "{now}"}}
    assert people.write([gone], table="people", **archive) == [Written()]
    assert people.rows("SELECT id FROM people WHERE NOT active") == [(1,)]
    assert people.write([gone, gone], table="people", deletes="delete") == [Written()] * 2
    assert people.rows("SELECT id FROM people") == [(2,)]
    assert codes(people.write([person(1)], table="people", mode="update")) == ["RECORD_NOT_FOUND"]
    assert people.write([person(1)], table="people") == [Written()]


# --- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"name": "x" * 41}, "VALUE_TOO_LONG", "name"),
        ({"name": None}, "REQUIRED_FIELD_MISSING", "name"),
        ({"age": "many"}, "INVALID_FORMAT", "age"),
        ({"age": 2**40}, "VALUE_OUT_OF_RANGE", "age"),
        ({"salary": "123456789.00"}, "VALUE_OUT_OF_RANGE", "salary"),
        ({"age": -1}, "CONSTRAINT_VIOLATED", "age"),
        ({"team": 99}, "REFERENCE_MISSING", "team"),
        ({"email": "person1@example.com"}, "DUPLICATE_RECORD", "email"),
    ],
)
@pytest.mark.parametrize("mode", ["upsert", "create", "create_if_missing"])
def test_a_bad_record_costs_only_itself_and_names_its_field(
    people: Place, values: dict[str, Any], code: str, field: str, mode: str
) -> None:
    people.write([person(1)], table="people")
    found = people.write([person(2), person(3, **values), person(4)], table="people", mode=mode)
    assert codes(found) == ["written", code, "written"]
    bad = found[1]
    assert isinstance(bad, RecordError)
    assert bad.field == field
    assert people.rows("SELECT id FROM people ORDER BY id") == [(1,), (2,), (4,)]


def test_text_of_all_languages_arrives(people: Place) -> None:
    name = "Zoë 👩🏽‍🚀 'quoted' \\ 東京"
    people.write([person(1, name=name)], table="people")
    assert people.rows("SELECT name FROM people") == [(name,)]
    assert people.records(table="people")[0]["name"] == name


def test_keys_that_differ_in_case_only_are_one_where_the_collation_says_so(people: Place) -> None:
    people.write([person(1, email="Ada@Example.com")], table="people")
    options = {"table": "people", "key": "email"}
    lower = WriteItem({"id": 1, "email": "ada@example.com", "name": "Ada"})
    assert people.write([lower], **options) == [Written()]
    assert people.write([lower], mode="create_if_missing", **options) == [KEPT]
    assert people.rows("SELECT id, name FROM people") == [(1, "Ada")]


def test_what_concerns_every_record_stops_the_write(people: Place) -> None:
    for item, options, code, words in (
        (WriteItem({"id": 1, "name": "a", "nickname": "b"}), {"table": "people"}, "FIELD_NOT_FOUND", "nickname"),
        (person(1), {"table": "peeple"}, "NOT_FOUND", "peeple"),
    ):
        with pytest.raises(FluxError, match=words) as caught:
            people.write([item], **options)
        assert caught.value.code == code


def test_the_connection_is_tested_and_its_fields_are_named(people: Place, mariadb: MariaDb) -> None:
    assert "answers" in Sql.test(people.credentials)
    good = vars(people.credentials)
    for wrong, code, field in (
        ({"password": "wr0ng-pass"}, "AUTHENTICATION_FAILED", "login"),
        ({"schema": "nowhere"}, "CONNECTION_INVALID", "schema"),
        ({"port": 1}, "CONNECTION_TIMEOUT", "host"),
    ):
        with pytest.raises(FluxError) as caught:
            Sql.test(Credentials(**(good | wrong)))
        assert caught.value.code == code
        assert f"'{field}'" in caught.value.message
        assert "wr0ng-pass" not in f"{caught.value.message} {caught.value.answer}"
        assert mariadb.password not in f"{caught.value.message} {caught.value.answer}"
