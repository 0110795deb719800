"""Reading single rows by their key."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from airflow_provider_flux.errors import FluxError


def fetched(place: Any, *keys: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    source = place.source(**options)
    try:
        return [record for page in source.fetch(list(keys)) for record in page.records]
    finally:
        source.close()


@pytest.fixture
def orders(place: Any) -> Any:
    """Three hundred orders, each with a line."""
    place.run("CREATE TABLE orders (id INTEGER PRIMARY KEY, state TEXT); CREATE TABLE lines (o INTEGER, n TEXT)")
    for number in range(300):
        place.run("INSERT INTO orders VALUES (:id, :state)", id=number, state="open" if number % 2 else "shut")
        place.run("INSERT INTO lines VALUES (:o, :n)", o=number, n=f"l{number}")
    return place


def test_the_rows_that_are_there_are_read_and_the_others_left_out(orders: Any) -> None:
    found = fetched(orders, {"id": 1}, {"id": 999}, {"id": 2}, table="orders")
    assert sorted(row["id"] for row in found) == [1, 2]
    assert fetched(orders, table="orders") == []


def test_more_keys_than_a_statement_takes(orders: Any) -> None:
    found = fetched(orders, *({"id": number} for number in range(300)), table="orders")
    assert sorted(row["id"] for row in found) == list(range(300))


def test_only_rows_that_the_flow_reads_at_all(orders: Any) -> None:
    keys = [{"id": 1}, {"id": 2}]
    assert [row["id"] for row in fetched(orders, *keys, table="orders", where="state = 'open'")] == [1]
    assert [row["id"] for row in fetched(orders, *keys, query="SELECT * FROM orders WHERE state = 'shut'")] == [2]


def test_a_key_of_several_columns(orders: Any) -> None:
    found = fetched(orders, {"o": 3, "n": "l3"}, {"o": 3, "n": "l4"}, table="lines", key=["o", "n"])
    assert found == [{"o": 3, "n": "l3"}]


def test_a_value_is_never_sql(orders: Any) -> None:
    assert fetched(orders, {"o": 3, "n": "' OR '1'='1"}, table="lines", key=["o", "n"]) == []


def test_a_number_may_come_as_text_from_the_command_line(orders: Any) -> None:
    assert [row["id"] for row in fetched(orders, {"id": "7"}, table="orders")] == [7]


def test_keys_that_json_knows_only_as_text(pg_place: Any) -> None:
    pg_place.run("CREATE TABLE t (id UUID PRIMARY KEY, at TIMESTAMPTZ)")
    one = "12345678-1234-5678-1234-567812345678"
    pg_place.run("INSERT INTO t VALUES (:id, '2026-01-01T00:00:00Z')", id=UUID(one))
    [row] = fetched(pg_place, {"id": one}, table="t")
    assert str(row["id"]) == one


def test_a_key_that_does_not_fit_its_column_says_so(pg_place: Any) -> None:
    pg_place.run("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    with pytest.raises(FluxError, match="invalid input syntax"):
        fetched(pg_place, {"id": "abc"}, table="t")
