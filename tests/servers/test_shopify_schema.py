"""Every document that the connector sends is one that Shopify's own Admin schema allows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_flux.connectors.graphql.object_fields import FIELDS
from airflow_provider_flux.connectors.shopify import ShopifySourceOptions
from airflow_provider_flux.connectors.shopify.asking import SHOP_NAME
from airflow_provider_flux.connectors.shopify.mutations import ACTIONS
from airflow_provider_flux.connectors.shopify.objects import OBJECTS, SHAPES


def documents() -> Iterator[tuple[str, str]]:
    """All documents, with a name each."""
    yield "shop", SHOP_NAME
    yield "introspection", FIELDS
    for name, shape in SHAPES.items():
        fields = [*shape.fields, *(f"{inner}.id" for inner in shape.lists if inner != "discountApplications")]
        options = ShopifySourceOptions.model_validate(
            {"connector": "shopify", "connection": "shop", "object": name, "fields": fields}
        )
        selection = options.selection()
        yield f"{name}: list", shape.listing(selection)
        yield f"{name}: one", shape.one(selection)
        for inner in selection.lists:
            yield f"{name}: {inner}", shape.inner(inner, selection)
    for name, actions in ACTIONS.items():
        yield f"{name}: find", actions.find
        for what in ("set", "create", "update", "delete"):
            mutation = getattr(actions, what)
            if mutation is not None:
                yield f"{name}: {what}", mutation.document


@pytest.mark.parametrize(("name", "text"), list(documents()), ids=[name for name, _ in documents()])
def test_shopify_allows_the_document(shopify_schema: Any, name: str, text: str) -> None:
    import graphql

    mistakes = graphql.validate(shopify_schema, graphql.parse(text))
    assert [mistake.message for mistake in mistakes] == []


@pytest.mark.parametrize("name", list(OBJECTS))
def test_the_declared_fields_are_those_of_the_schema(shopify_schema: Any, name: str) -> None:
    shape = SHAPES[name]
    read = set(shopify_schema.type_map[shape.type].fields)
    written = set(shopify_schema.type_map[shape.input].fields)
    if name == "customers":
        written |= set(shopify_schema.type_map["CustomerInput"].fields)
    for field in OBJECTS[name].fields:
        assert field.name.partition(".")[0] in (read if field.read_only else written), field.name


def test_the_states_of_a_product_are_those_of_the_schema(shopify_schema: Any) -> None:
    (status,) = [field for field in OBJECTS["products"].fields if field.name == "status"]
    assert set(status.enum) == set(shopify_schema.type_map["ProductStatus"].values)
