"""Every row of a window is read, whatever stands in it and whatever happens meanwhile."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_flux.connectors.contract import Window
from airflow_provider_flux.connectors.cursor import canonical
from airflow_provider_flux.errors import FluxError

CURSOR = {"field": "updated_at"}


@pytest.fixture
def contacts(place: Any) -> Any:
    """25 contacts; five share each timestamp."""
    place.run("CREATE TABLE contacts (id INTEGER PRIMARY KEY, name TEXT, updated_at TIMESTAMP)")
    for number in range(1, 26):
        place.run(
            "INSERT INTO contacts VALUES (:id, :name, :at)",
            id=number,
            name=f"n{number}",
            at=f"2026-01-01 10:{(number - 1) // 5:02d}:00",
        )
    return place


def ids(records: list[dict[str, Any]]) -> list[Any]:
    return [record["id"] for record in records]


def inside(
    records: list[dict[str, Any]], window: Window, kind: str = "timestamp", name: str = "updated_at"
) -> list[Any]:
    """Ids of the records that the read stage would keep; those whose cursor says nothing it keeps always."""
    kept = []
    for record in records:
        try:
            cursor = canonical(record[name], kind)
        except ValueError:
            continue
        if cursor is None or (
            (window.start is None or cursor >= window.start) and (window.end is None or cursor < window.end)
        ):
            kept.append(record["id"])
    return sorted(kept)


def at(text: str) -> str:
    found = canonical(text, "timestamp")
    assert found is not None
    return found


@pytest.mark.parametrize("page_size", [1, 4, 5, 24, 25, 26, 1000])
def test_all_rows_are_read_once_in_pages(contacts: Any, page_size: int) -> None:
    pages = contacts.read(table="contacts", page_size=page_size)
    assert ids([record for page in pages for record in page.records]) == list(range(1, 26))
    assert max(len(page.records) for page in pages) == min(page_size, 25)


def test_an_empty_table_has_no_pages(place: Any) -> None:
    place.run("CREATE TABLE t (id INTEGER PRIMARY KEY, updated_at TIMESTAMP)")
    assert place.read(table="t") == []
    assert place.read(Window(start=at("2026-01-01"), end=at("2026-01-02")), table="t", cursor=CURSOR) == []


@pytest.mark.parametrize("page_size", [1, 3, 5, 100])
def test_a_window_is_half_open(contacts: Any, page_size: int) -> None:
    window = Window(at("2026-01-01T10:01:00Z"), at("2026-01-01T10:03:00Z"))
    records = contacts.records(window, table="contacts", cursor=CURSOR, page_size=page_size)
    assert inside(records, window) == list(range(6, 16))
    assert len(set(ids(records))) == len(records)
    if contacts.dialect == "postgresql":
        assert len(records) == 10, "the database itself selects the window"


@pytest.mark.parametrize("start", [None, "2026-01-01T10:00:00Z"])
def test_rows_that_change_while_they_are_read_are_not_lost(contacts: Any, start: str | None) -> None:
    window = Window(start and at(start), at("2026-01-01T11:00:00Z"))
    source = contacts.source(table="contacts", cursor=CURSOR, page_size=5)
    pages = source.read(window)
    seen = ids(next(pages).records)
    # One row read already and one to come are changed within the window, one is deleted, one is new.
    contacts.run("UPDATE contacts SET updated_at = '2026-01-01 10:30:00', name = 'new' WHERE id IN (1, 20)")
    contacts.run("DELETE FROM contacts WHERE id = 2")
    contacts.run("INSERT INTO contacts VALUES (99, 'late', '2026-01-01 10:30:00')")
    for page in pages:
        seen += ids(page.records)
    source.close()
    assert set(seen) == {*range(1, 26), 99}


def test_rows_without_a_cursor_value_are_read_from_the_beginning_only(contacts: Any) -> None:
    contacts.run("INSERT INTO contacts VALUES (50, 'never', NULL)")
    end = at("2027-01-01")
    assert 50 in ids(contacts.records(Window(None, end), table="contacts", cursor=CURSOR))
    assert 50 in ids(contacts.records(Window(), table="contacts", cursor=CURSOR))
    assert 50 not in ids(contacts.records(Window(at("2000-01-01"), end), table="contacts", cursor=CURSOR))


def test_rows_without_a_key_are_read_and_keys_may_repeat(place: Any) -> None:
    place.run("CREATE TABLE t (id TEXT, n INTEGER)")
    keys = ["a", "a", "a", "b", None, "c", None, "c"]
    for number, key in enumerate(keys):
        place.run("INSERT INTO t VALUES (:id, :n)", id=key, n=number)
    for page_size in (1, 2, 3, 100):
        records = place.records(table="t", page_size=page_size)
        assert sorted(record["n"] for record in records) == list(range(8))


@pytest.mark.parametrize("page_size", [1, 2, 100])
def test_a_key_of_several_columns_some_of_them_null(place: Any, page_size: int) -> None:
    place.run("CREATE TABLE t (region TEXT, no INTEGER, updated_at TIMESTAMP)")
    rows = [("eu", 1), ("eu", 2), ("us", 1), ("us", None), (None, 1), ("eu", 2)]
    for region, number in rows:
        place.run("INSERT INTO t VALUES (:r, :n, '2026-01-01 10:00:00')", r=region, n=number)
    for window in (Window(), Window(at("2026-01-01"), at("2026-01-02"))):
        records = place.records(window, table="t", key=["region", "no"], cursor=CURSOR, page_size=page_size)
        found = [(record["region"], record["no"]) for record in records]
        assert sorted(found, key=repr) == sorted(rows, key=repr)


def test_columns_a_condition_and_its_parameters(contacts: Any) -> None:
    records = contacts.records(
        table="contacts",
        columns=["id", "name"],
        where="name IN (:a, :b) OR id = :id",
        params={"a": "n3", "b": "n%", "id": 7},
    )
    assert records == [{"id": 3, "name": "n3"}, {"id": 7, "name": "n7"}]


def test_a_query_is_read_page_by_page(contacts: Any) -> None:
    query = """
        -- only even ones
        SELECT id * 10 AS id, name AS "Full name", updated_at FROM contacts WHERE id % :two = 0 ORDER BY name;
    """
    options = {"query": query, "params": {"two": 2}, "page_size": 5, "cursor": CURSOR}
    pages = contacts.read(**options)
    assert [len(page.records) for page in pages] == [5, 5, 2]
    records = contacts.records(Window(at("2026-01-01T10:04:00Z"), None), **options)
    assert [record["Full name"] for record in records if record["id"] > 200] == ["n22", "n24"]


@pytest.mark.parametrize(
    ("kind", "column"), [("integer", "BIGINT"), ("integer", "NUMERIC"), ("text", "TEXT"), ("integer", "TEXT")]
)
def test_cursors_that_are_no_timestamps(place: Any, kind: str, column: str) -> None:
    place.run(f"CREATE TABLE t (id INTEGER PRIMARY KEY, v {column})")
    values: list[Any] = [-5, 0, 9, 10, 100, 2**40] if kind == "integer" else ["", "B", "a", "a b", "b", "ä"]
    for number, value in enumerate(values):
        place.run("INSERT INTO t VALUES (:id, :v)", id=number, v=str(value) if column == "TEXT" else value)
    cursor = {"field": "v", "type": kind}
    for low in range(len(values)):
        window = Window(canonical(values[low], kind), canonical(values[-2], kind))
        records = place.records(window, table="t", cursor=cursor, page_size=2)
        everything = place.records(table="t", cursor=cursor)
        with_value = [record for record in everything if record["v"] != ""]
        read = [record for record in records if record["v"] != ""]
        assert inside(read, window, kind, "v") == inside(with_value, window, kind, "v")


def test_the_clock_of_the_database(place: Any) -> None:
    source = place.source(table="t")
    moment = source.now()
    source.close()
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 5


def test_the_session_of_the_database_does_not_shift_timestamps(pg_place: Any) -> None:
    pg_place.run(f"ALTER DATABASE {pg_place.engine.url.database} SET timezone TO 'America/New_York'")
    pg_place.engine.dispose()
    pg_place.run("CREATE TABLE t (id INTEGER PRIMARY KEY, naive TIMESTAMP, aware TIMESTAMPTZ)")
    pg_place.run("INSERT INTO t VALUES (1, '2026-01-01 10:00:00', '2026-01-01 10:00:00Z')")
    window = Window(at("2026-01-01T10:00:00Z"), at("2026-01-01T10:00:01Z"))
    for field in ("naive", "aware"):
        (record,) = pg_place.records(window, table="t", cursor={"field": field})
        assert record["naive"] == record["aware"] == datetime(2026, 1, 1, 10, tzinfo=UTC)
    pg_place.run(f"ALTER DATABASE {pg_place.engine.url.database} RESET timezone")
    pg_place.engine.dispose()


def test_a_date_column_as_cursor(pg_place: Any) -> None:
    pg_place.run("CREATE TABLE t (id INTEGER PRIMARY KEY, updated_at DATE)")
    pg_place.run("INSERT INTO t SELECT n, DATE '2026-01-01' + n FROM generate_series(1, 9) n")
    window = Window(at("2026-01-03T12:00:00Z"), at("2026-01-05T12:00:00Z"))
    assert inside(pg_place.records(window, table="t", cursor=CURSOR), window) == [3, 4]


def test_epochs_as_cursor(place: Any) -> None:
    place.run("CREATE TABLE t (id INTEGER PRIMARY KEY, updated_at BIGINT)")
    start = 1767225600
    for number in range(10):
        place.run("INSERT INTO t VALUES (:id, :at)", id=number, at=start + number)
        place.run("INSERT INTO t VALUES (:id, :at)", id=100 + number, at=(start + number) * 1000)
    window = Window(at("2026-01-01T00:00:03Z"), at("2026-01-01T00:00:05Z"))
    assert sorted(ids(place.records(window, table="t", cursor=CURSOR))) == [3, 4, 103, 104]


def _spellings(moment: datetime) -> list[Any]:
    """Ways in which a SQLite column may hold an instant."""
    local = moment.astimezone(datetime.strptime("+0530", "%z").tzinfo)
    return [
        moment.strftime("%Y-%m-%d %H:%M:%S.%f"),
        moment.strftime("%Y-%m-%d %H:%M:%S"),
        moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        moment.isoformat(),
        local.isoformat(),
        moment.strftime("%Y%m%dT%H%M%SZ"),
        moment.strftime("%G-W%V-%u"),
        moment.strftime("%Y-%m-%d"),
        int(moment.timestamp()),
        int(moment.timestamp() * 1000),
        moment.timestamp(),
        str(int(moment.timestamp())),
    ]


moments = st.datetimes(datetime(2025, 12, 25), datetime(2026, 1, 10), timezones=st.just(UTC))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(moments, st.integers(0, 11)), min_size=1, max_size=40),
    edges=st.tuples(st.none() | moments, st.none() | moments),
    declared=st.sampled_from(["TEXT", "DATETIME", "INTEGER", ""]),
    page_size=st.integers(1, 10),
)
def test_no_spelling_of_a_timestamp_in_sqlite_is_lost(
    sqlite_place: Any, rows: list[Any], edges: tuple[Any, Any], declared: str, page_size: int
) -> None:
    sqlite_place.run(f"DROP TABLE IF EXISTS t; CREATE TABLE t (id INTEGER PRIMARY KEY, updated_at {declared})")
    for number, (moment, spelling) in enumerate(rows):
        sqlite_place.run("INSERT INTO t VALUES (:id, :at)", id=number, at=_spellings(moment)[spelling])
    window = Window(*(edge and canonical(edge, "timestamp") for edge in edges))
    options = {"table": "t", "cursor": CURSOR, "page_size": page_size}
    read = sqlite_place.records(window, **options)
    assert len(set(ids(read))) == len(read)
    assert inside(read, window) == inside(sqlite_place.records(**options), window)


def test_the_values_of_sqlite(sqlite_place: Any) -> None:
    sqlite_place.run(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME, yes BOOLEAN, doc JSON, raw BLOB, x REAL);"
        "INSERT INTO t VALUES (1, '2026-01-01 10:00:00', 1, '{\"a\"\\: [1]}', x'00FF', 1.5);"
        "INSERT INTO t VALUES (2, 'soon', 7, 'no json', NULL, 9e999)"
    )
    (page,) = sqlite_place.read(table="t")
    first, second = page.records
    assert (first["at"], first["yes"]) == (datetime(2026, 1, 1, 10, tzinfo=UTC), True)
    assert (first["doc"], first["raw"], first["x"]) == ({"a": [1]}, b"\x00\xff", 1.5)
    assert (second["at"], second["yes"], second["doc"], second["x"]) == ("soon", 7, "no json", "inf")
    assert {index: (error.code, error.source_path) for index, error in page.defects.items()} == {
        1: ("INVALID_ENCODING", "x")
    }


def test_the_values_of_postgresql(pg_place: Any) -> None:
    pg_place.run(
        "CREATE TABLE t (id UUID PRIMARY KEY, n NUMERIC(30, 0), d NUMERIC, f DOUBLE PRECISION, day DATE,"
        " naive TIMESTAMP, doc JSONB, tags TEXT[], times TIMESTAMP[], raw BYTEA, span INTERVAL, t TIME, ip INET,"
        " yes BOOLEAN)"
    )
    number = UUID("0b7a1e3c-0000-4000-8000-000000000001")
    pg_place.run(
        "INSERT INTO t VALUES (:id, 123456789012345678901234567890, 1.10, 0.1, '2026-01-01', '2026-01-01 10:00',"
        " '{\"a\"\\: 1}', '{a,NULL}', '{2026-01-01 10\\:00}', '\\x00ff', '90 min', '10\\:30', '10.0.0.1', true)",
        id=str(number),
    )
    (page,) = pg_place.read(table="t")
    (record,) = page.records
    assert UUID(str(record.pop("id"))) == number
    assert record == {
        "n": 123456789012345678901234567890,
        "d": Decimal("1.10"),
        "f": 0.1,
        "day": "2026-01-01",
        "naive": datetime(2026, 1, 1, 10, tzinfo=UTC),
        "doc": {"a": 1},
        "tags": ["a", None],
        "times": [datetime(2026, 1, 1, 10, tzinfo=UTC)],
        "raw": b"\x00\xff",
        "span": 5400.0,
        "t": "10:30:00",
        "ip": "10.0.0.1",
        "yes": True,
    }
    assert type(record["n"]) is int
    assert page.defects == {}


def test_numbers_that_are_none_are_defects_of_their_records(pg_place: Any) -> None:
    pg_place.run(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, f DOUBLE PRECISION, n NUMERIC);"
        "INSERT INTO t VALUES (1, 'NaN', 1), (2, 1, 'NaN'), (3, 'Infinity', 'Infinity'), (4, 1, 1)"
    )
    (page,) = pg_place.read(table="t")
    assert {index: error.source_path for index, error in page.defects.items()} == {0: "f", 1: "n", 2: "f"}
    assert page.records[3] == {"id": 4, "f": 1.0, "n": Decimal(1)}
    assert not any(isinstance(value, float) and math.isnan(value) for r in page.records for value in r.values())


def test_text_that_is_not_utf_8_costs_its_record_only(sqlite_place: Any) -> None:
    sqlite_place.run("CREATE TABLE t (id TEXT PRIMARY KEY, name TEXT)")
    for number in range(40):
        sqlite_place.run("INSERT INTO t VALUES (:id, :name)", id=f"k{number:02d}", name=f"näme{number}")
    sqlite_place.run("UPDATE t SET name = CAST(x'636166e9' AS TEXT) WHERE id IN ('k07', 'k30')")
    # Even a key: the next page must still begin behind it.
    sqlite_place.run("UPDATE t SET id = CAST(x'6b3039ff' AS TEXT) WHERE id = 'k09'")
    pages = sqlite_place.read(table="t", page_size=10)
    records = [record for page in pages for record in page.records]
    assert len({record["id"] for record in records}) == len(records) == 40
    bad = [page.records[index]["id"] for page in pages for index in page.defects]
    assert sorted(bad) == ["k07", "k09\\xff", "k30"]
    assert {error.code for page in pages for error in page.defects.values()} == {"INVALID_ENCODING"}
    assert records[7]["name"] == "caf\\xe9"
    assert records[8]["name"] == "näme8"


def test_text_that_is_not_utf_8_in_postgresql(pg_place: Any, pg: Any) -> None:
    if pg_place.engine.dialect.driver != "psycopg":
        pytest.skip("psycopg2 cannot be told to hand over such text")
    name = f"ascii_{pg_place.engine.url.database}"
    with pg_place.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    url = pg.url(name)
    engine = sa.create_engine(url, connect_args={"client_encoding": "utf8"})
    place = replace(pg_place, engine=engine, credentials=replace(pg_place.credentials, extra={"url": url}))
    place.run("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)")
    place.run(
        "INSERT INTO t SELECT n, 'n' || n FROM generate_series(1, 20) n;"
        "UPDATE t SET name = 'caf' || chr(233) WHERE id = 7"
    )
    pages = place.read(table="t", page_size=6)
    engine.dispose()
    records = [record for page in pages for record in page.records]
    assert ids(records) == list(range(1, 21))
    assert [page.records[index] for page in pages for index in page.defects] == [{"id": 7, "name": "caf\\xe9"}]


@pytest.mark.parametrize("field", ["day", "naive", "aware"])
def test_a_date_beyond_the_calendar_is_read_as_text(pg_place: Any, field: str) -> None:
    if pg_place.engine.dialect.driver != "psycopg":
        pytest.skip("psycopg2 reads infinity as the last day of the calendar")
    pg_place.run("CREATE TABLE t (id INTEGER PRIMARY KEY, day DATE, naive TIMESTAMP, aware TIMESTAMPTZ)")
    pg_place.run("INSERT INTO t SELECT n, '2026-01-01', '2026-01-01', '2026-01-01' FROM generate_series(1, 5) n")
    pg_place.run(f"UPDATE t SET {field} = 'infinity' WHERE id = 3; UPDATE t SET {field} = '0044-03-15 BC' WHERE id = 4")
    pages = pg_place.read(table="t", page_size=2)
    records = [record for page in pages for record in page.records]
    assert records[2][field] == "infinity"
    assert "0044-03-15" in records[3][field]
    assert records[4][field] in (date(2026, 1, 1).isoformat(), datetime(2026, 1, 1, tzinfo=UTC))
    assert not any(page.defects for page in pages)


def test_columns_that_are_not_there_are_named(contacts: Any) -> None:
    cases = [
        ({"table": "contacts", "key": "ident"}, "'ident'", "source.key"),
        ({"table": "contacts", "cursor": {"field": "update_at"}}, "did you mean 'updated_at'", "source.cursor.field"),
        ({"table": "contacts", "columns": ["id", "nam"]}, "did you mean 'name'", "source.columns"),
        ({"query": "SELECT name FROM contacts"}, "the query has no column 'id'", "source.key"),
    ]
    for options, message, next_step in cases:
        with pytest.raises(FluxError) as caught:
            contacts.read(**options)
        assert caught.value.code == "FIELD_NOT_FOUND"
        assert message in caught.value.message
        assert next_step in caught.value.next_step


def test_a_query_that_the_database_refuses(contacts: Any) -> None:
    for query, code in [
        ("SELECT id FRM contacts", "BAD_REQUEST"),
        ("SELECT id FROM nothing_here", "NOT_FOUND"),
        ("SELECT id, 1 / (id - id) AS nothing FROM contacts", "BAD_REQUEST"),
    ][: 2 if contacts.dialect == "sqlite" else 3]:
        with pytest.raises(FluxError) as caught:
            contacts.read(query=query)
        assert caught.value.code == code, query
        assert "connection 'db'" in caught.value.message


def test_a_query_with_two_columns_of_one_name(pg_place: Any) -> None:
    with pytest.raises(FluxError, match="two columns named 'a'; give one of them an alias"):
        pg_place.read(query="SELECT 1 AS id, 2 AS a, 3 AS a")
