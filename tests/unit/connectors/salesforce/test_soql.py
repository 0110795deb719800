"""Names that are checked and values that are quoted."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.connectors.salesforce import soql
from tests.contracts.vendors import soql as theirs


@pytest.mark.parametrize("name", ["Id", "Region__c", "acme__Region__c", "Owner__r", "Extra_Field__c", "A1"])
def test_api_names(name: str) -> None:
    assert soql.check_name(name) == name


@pytest.mark.parametrize("name", ["", "1a", "a b", "a'b", "a--b", "_a", "a,b", "a(b)", "é", "a\n", "x" * 101, "a.b"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="no API name"):
        soql.check_name(name)


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        ("O'Brien\\", r"'O\'Brien\\'"),
        ("a\nb", r"'a\nb'"),
        (True, "true"),
        (7, "7"),
        (Decimal("1E+3"), "1000"),
        (0.5, "0.5"),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 9, 30, 1, 999, UTC), "2026-01-31T09:30:01.000Z"),
    ],
)
def test_literals(value: Any, literal: str) -> None:
    assert soql.quoted(value) == literal


@pytest.mark.parametrize("value", [None, [1], {"a": 1}, float("nan"), float("inf"), b"x"])
def test_what_cannot_be_compared(value: Any) -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        soql.quoted(value)


@given(st.text(st.characters(exclude_categories=("Cs",))), st.text(st.characters(exclude_categories=("Cs",))))
def test_whatever_the_values_the_query_asks_for_just_these(one: str, other: str) -> None:
    """Read back by another parser, the literals are what they were made of, and nothing follows them."""
    query = theirs.parse(soql.select(("Id",), "Contact", [soql.one_of("Name", [one, other])]))
    assert query.keeps({"Name": one})
    assert query.keeps({"Name": other})
    assert query.keeps({"Name": "neither"}) == ("neither" in (one.lower(), other.lower()))
    assert query.used == {"Id", "Name"}


def test_portions_fit_into_a_url() -> None:
    many = [(f"person{number}@example.com",) for number in range(250)]
    assert [len(portion) for portion in soql.portions(many)] == [100, 100, 50]
    long = [("ü" * 250,) for _ in range(20)]
    sizes = [len(portion) for portion in soql.portions(long)]
    assert sum(sizes) == 20
    assert max(sizes) * 250 * 6 < 16_000


@pytest.mark.parametrize(
    ("field", "one", "other", "alike"),
    [
        ("Name", "A", "a", True),
        ("Score__c", 7, 7.0, True),
        ("Score__c", Decimal("7.00"), 7, True),
        ("Id", "003000000000abC", "003000000000abCAAS", True),
        ("Id", "003000000000abC", "003000000000abc", False),
    ],
)
def test_what_salesforce_takes_for_the_same(field: str, one: Any, other: Any, alike: bool) -> None:
    assert (soql.same(field, one) == soql.same(field, other)) is alike
