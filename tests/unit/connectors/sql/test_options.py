from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.sql import Sql
from airflow_provider_flux.connectors.sql.options import SqlDestinationOptions, SqlSourceOptions

BASE = {"connector": "sql", "connection": "db"}


def source(**options: Any) -> SqlSourceOptions:
    return SqlSourceOptions(**{**BASE, "key": "id", **options})


def test_the_registry_knows_the_connector() -> None:
    assert registry.get("sql") is Sql
    assert (Sql.name, Sql.conn_type) == ("sql", "flux_sql")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either `table` or `query`"),
        ({"table": "t", "query": "SELECT 1"}, "either `table` or `query`"),
        ({"query": "DELETE FROM t"}, "must be one SELECT"),
        ({"query": " -- SELECT\n drop table t"}, "must be one SELECT"),
        ({"query": ""}, "must be one SELECT"),
        ({"table": "t", "where": "a = :a"}, "no value for :a"),
        ({"table": "t", "params": {"a": 1}}, "uses the parameter :a"),
        ({"table": "t", "page_size": 0}, "greater than or equal to 1"),
        ({"table": "t", "wher": "a = 1"}, "Extra inputs"),
        ({"table": "t", "params": {"a": [1]}, "where": ":a"}, "valid"),
    ],
)
def test_a_source_that_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        source(**options)


@pytest.mark.parametrize(
    "query",
    ["select 1", "  (SELECT 1)", "WITH a AS (SELECT 1) SELECT * FROM a", "/* all */ -- of it\nSELECT 1", "VALUES (1)"],
)
def test_a_query_may_begin_in_many_ways(query: str) -> None:
    assert source(query=query).query == query


def test_casts_and_escaped_colons_are_no_parameters() -> None:
    options = source(query="SELECT a::text, '12:30', '\\:x' FROM t WHERE b = :b", params={"b": None})
    assert options.params == {"b": None}


def test_the_columns_tell_what_a_record_has() -> None:
    assert source(table="t").selected_fields() is None
    assert source(table="t", columns=["id", "name"]).selected_fields() == {"id", "name"}


@pytest.mark.parametrize("options", [{}, {"mode": "update"}, {"mode": "create", "deletes": "delete"}])
def test_a_destination_needs_a_key_but_for_plain_inserts(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="needs `key`"):
        SqlDestinationOptions(**BASE, table="t", **options)
    assert SqlDestinationOptions(**BASE, table="t", mode="create").key is None


def test_an_insert_that_nobody_can_look_up_is_advised_against() -> None:
    assert "held for a person" in SqlDestinationOptions(**BASE, table="t", mode="create").advice()[0]
    assert SqlDestinationOptions(**BASE, table="t", mode="create", key="id").advice() == ()
    assert SqlDestinationOptions(**BASE, table="t", key="id").advice() == ()
