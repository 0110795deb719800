from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.connectors.contract import WriteItem
from airflow_provider_flux.connectors.sql.plan import Plan, Planner
from airflow_provider_flux.connectors.sql.tables import Column, Table

TABLE = Table(
    "t",
    None,
    {
        "id": Column("id", sa.Integer(), nullable=False, required=True),
        "a": Column("a", sa.Text(), nullable=True, required=False),
        "b": Column("b", sa.Integer(), nullable=True, required=False),
    },
)


def plan(items: list[WriteItem]) -> Plan:
    return Planner(TABLE, "upsert", ("id",), "copy", "postgresql").plan(items)


def test_records_with_the_same_columns_share_a_statement() -> None:
    found = plan([WriteItem({"id": 1, "a": "x"}), WriteItem({"id": 2}), WriteItem({"id": 3, "a": "y"})])
    assert [(step.columns, step.indices) for step in found.steps] == [(("id", "a"), [0, 2]), (("id",), [1])]


def test_a_record_may_be_wrong_in_several_columns_and_is_reported_once() -> None:
    found = plan([WriteItem({"id": 1, "b": "x"}), WriteItem({"id": None, "b": "x"}), WriteItem({"id": 2, "b": 2})])
    assert {index: error.field for index, error in found.errors.items()} == {0: "b", 1: "id"}
    assert [step.rows for step in found.steps] == [[(2, 2)]]


def test_an_empty_record_is_an_error_of_its_own() -> None:
    found = plan([WriteItem({}), WriteItem({"id": 1})])
    assert found.errors[0].code == "REQUIRED_FIELD_MISSING"
    assert [step.indices for step in found.steps] == [[1]]


items = st.builds(
    lambda number, columns, deleted: WriteItem({"id": number, **columns}, deleted=deleted),
    st.one_of(st.integers(1, 4), st.integers(1, 4).map(str), st.none(), st.just("x")),
    st.fixed_dictionaries({}, optional={"a": st.text(max_size=1) | st.none(), "b": st.integers() | st.just("x")}),
    st.booleans(),
)


@given(st.lists(items, max_size=12))
def test_every_record_is_planned_or_refused_and_no_statement_meets_a_row_twice(batch: list[WriteItem]) -> None:
    found = plan(batch)
    planned = [index for step in found.steps for index in step.indices]
    assert sorted([*planned, *found.errors]) == list(range(len(batch)))
    last: dict[Any, int] = {}
    for step in found.steps:
        keys = [row[step.columns.index("id")] for row in step.rows]
        assert len(keys) == len(set(keys)) == len(step.indices) > 0
        for key, index in zip(keys, step.indices, strict=True):
            assert last.get(key, -1) < index, "records of one key keep their order"
            last[key] = index
