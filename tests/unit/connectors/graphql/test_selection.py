"""Field paths as a GraphQL selection."""

from __future__ import annotations

import pytest

from airflow_provider_flux.connectors.graphql.selection import head, select


def test_paths_become_one_selection_with_lists_as_connections() -> None:
    paths = ["id", "customer.email", "lineItems.sku", "customer.id", "lineItems.price.amount"]
    selection = select(paths, {"lineItems": 9})
    assert selection.text == (
        "id customer { email id } lineItems(first: 9) { nodes { sku price { amount } } "
        "pageInfo { hasNextPage endCursor } }"
    )
    assert dict(selection.lists) == {"lineItems": "sku price { amount }"}


def test_a_path_that_is_named_twice_is_selected_once() -> None:
    assert select(["id", "id", "a.b", "a.b"], {}).text == "id a { b }"


@pytest.mark.parametrize("path", ["", "a.", ".a", "a b", "a{b}", "a(first: 1)", "a-b", "1a", "a\nb", "é", "a..b", "#"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is not a field"):
        select(["id", path], {})


def test_a_list_needs_fields_of_its_entries_and_nothing_is_selected_both_ways() -> None:
    with pytest.raises(ValueError, match="say which fields of its entries are read"):
        select(["lineItems"], {"lineItems": 9})
    with pytest.raises(ValueError, match="both whole and in parts"):
        select(["a", "a.b"], {})


def test_the_head_of_a_path_is_the_field_of_the_record() -> None:
    assert (head("a.b.c"), head("a")) == ("a", "a")
