"""The connection to a shop: its address, its version of the API, its ways to sign in, and what describes itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.shopify import Shopify, ShopifyDestinationOptions, ShopifySourceOptions
from airflow_provider_flux.connectors.shopify.asking import endpoint
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.classify import SOURCE
from tests.contracts.shopify_shop import Shop, shop
from tests.contracts.vendors.shopify import VERSION


@pytest.fixture
def crm() -> Iterator[Shop]:
    with shop() as crm:
        yield crm


@pytest.mark.parametrize(
    "host", ["my-shop", "my-shop.myshopify.com", "https://my-shop.myshopify.com", " my-shop.myshopify.com/ "]
)
def test_a_shop_is_named_in_many_ways(host: str) -> None:
    graph = endpoint(Credentials("shop", "flux_shopify", host=host, password="shpat_x"), outage=SOURCE)
    assert str(graph.client.base) == "https://my-shop.myshopify.com"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"host": None}, "'host': is empty; it must hold the shop, as my-shop"),
        ({"host": "my shop"}, "'host': is not the name of a shop"),
        ({"host": "https://login:secret@my-shop.myshopify.com"}, "'host': holds a login"),
        ({"password": None}, "'password': is empty; to sign in"),
        ({"extra": {"api_version": "v9"}}, "'extra.api_version': is no version of the Admin API, as 2026-10"),
    ],
)
def test_a_field_that_is_missing_or_wrong_is_named(fields: dict[str, object], named: str) -> None:
    whole = {"host": "my-shop", "password": "shpat_x", **fields}
    with pytest.raises(FluxError) as raised:
        Shopify.test(Credentials("shop", "flux_shopify", **whole))  # type: ignore[arg-type]
    assert raised.value.code == "CONNECTION_INVALID"
    assert f"connection 'shop': field {named}" in raised.value.message


def test_the_test_says_which_shop_answers(crm: Shop) -> None:
    assert Shopify.test(crm.credentials()) == "127.0.0.1 answers for the shop Test shop (test-shop.myshopify.com)"


def test_a_version_that_is_asked_for_stands_in_the_path_and_in_no_header(crm: Shop) -> None:
    with pytest.raises(FluxError) as raised:
        Shopify.test(crm.credentials(extra={"api_version": "2027-01"}))
    (call,) = crm.wire.calls
    assert call.path == "/admin/api/2027-01/graphql.json"
    assert "api_version" not in call.headers
    assert raised.value.code == "NOT_FOUND"
    assert "'host' (the shop) or 'extra.api_version' of the connection 'shop'" in raised.value.next_step


def test_a_token_that_is_not_good_is_a_matter_of_the_password(crm: Shop) -> None:
    with pytest.raises(FluxError, match="Invalid API key or access token") as raised:
        Shopify.test(crm.credentials(password="shpat_gone"))
    assert raised.value.code == "AUTHENTICATION_FAILED"
    assert "'password'" in raised.value.next_step
    assert "shpat_gone" not in f"{raised.value.message} {raised.value.answer}"


def test_an_app_signs_in_by_client_credentials(crm: Shop) -> None:
    app = {"client_id": "app", "client_secret": "shpss_5ecret"}
    assert "Test shop" in Shopify.test(crm.credentials(password=None, extra=app))
    assert crm.wire.paths() == ["POST /admin/oauth/access_token", f"POST /admin/api/{VERSION}/graphql.json"]
    assert "authorization" not in crm.wire.calls[1].headers
    with pytest.raises(FluxError, match="invalid_client") as raised:
        Shopify.test(crm.credentials(password=None, extra={**app, "client_secret": "wrong-secret"}))
    assert raised.value.code == "AUTHENTICATION_FAILED"
    assert "wrong-secret" not in f"{raised.value.message} {raised.value.answer} {raised.value.next_step}"


def test_the_schema_describes_what_is_read_and_what_is_written(crm: Shop) -> None:
    common = {"connector": "shopify", "connection": "shop", "object": "customers"}
    read = Shopify.describe(crm.credentials(), ShopifySourceOptions.model_validate(common))
    written = Shopify.describe(crm.credentials(), ShopifyDestinationOptions.model_validate({**common, "key": "email"}))
    both = Shopify.describe(crm.credentials(), object_name="customers")
    assert read is not None
    assert written is not None
    assert both is not None
    fields = {one.name: one for one in read.fields}
    assert (fields["updatedAt"].type, fields["defaultEmailAddress"].type) == ("datetime", "object")
    assert (fields["addressesV2"].type, fields["numberOfOrders"].type) == ("array", "integer")
    assert "ENABLED" in fields["state"].enum
    assert "email" not in fields, "what only can be written is not read"
    fields = {one.name: one for one in written.fields}
    assert (fields["lastName"].max_length, fields["tags"].type, fields["taxExempt"].type) == (255, "array", "boolean")
    assert "id" in fields, "it may be the key"
    assert not fields["email"].read_only
    assert "updatedAt" not in fields
    fields = {one.name: one for one in both.fields}
    assert (fields["email"].read_only, fields["updatedAt"].read_only) == (False, True)


def test_an_order_cannot_be_changed_without_its_id(crm: Shop) -> None:
    found = Shopify.describe(crm.credentials(), object_name="orders")
    assert found is not None
    assert [one.name for one in found.fields if one.required and not one.read_only] == ["id"]


def test_an_object_that_is_not_known_is_not_asked_for(crm: Shop) -> None:
    with pytest.raises(FluxError, match="there are customers, products, orders") as raised:
        Shopify.describe(crm.credentials(), object_name="carts")
    assert raised.value.code == "NOT_FOUND"
    assert crm.wire.calls == []
