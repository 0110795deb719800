"""The objects of a shop: their fields, how they are asked for, and what can be done with them."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_provider_flux.connectors.declare import FieldInfo, ObjectType
from airflow_provider_flux.connectors.graphql.objects import Shape
from airflow_provider_flux.connectors.options import Cursor

_PAGING = "Relay connection, at most 250 in a page; a page above the query cost limit is asked for in half its size"
_INCREMENTAL = "search updated_at:>='...', sorted by UPDATED_AT"


def _read(*names: str, type: str = "string") -> tuple[FieldInfo, ...]:
    return tuple(FieldInfo(name, type, read_only=True) for name in names)


_ID_AND_TIMES = (
    FieldInfo("id", "string", "gid://shopify/...", read_only=True),
    *_read("createdAt", "updatedAt", type="datetime"),
)
_ADDRESS = ("address1", "address2", "city", "company", "countryCodeV2", "provinceCode", "zip", "phone")

CUSTOMERS = ObjectType(
    "customers",
    cursor=Cursor(field="updatedAt"),
    incremental=_INCREMENTAL,
    paging=_PAGING,
    modes=("upsert", "create", "update", "create_if_missing"),
    match=("email", "phone", "id"),
    fallback_keys=True,
    deletes=("ignore", "delete"),
    doubt="upsert, update: sent again. create: looked up by the key (e-mail and phone are unique in a shop)",
    fields=(
        *_ID_AND_TIMES,
        FieldInfo("email", "string"),
        FieldInfo("phone", "string", "E.164"),
        FieldInfo("firstName", "string", max_length=255),
        FieldInfo("lastName", "string", max_length=255),
        FieldInfo("note", "string"),
        FieldInfo("tags", "array"),
        FieldInfo("taxExempt", "boolean"),
        FieldInfo("locale", "string"),
        FieldInfo("addresses", "array", "replaces all that are there"),
        FieldInfo("metafields", "array", "create, update and create_if_missing only"),
        *_read("defaultEmailAddress.emailAddress", "defaultPhoneNumber.phoneNumber", "displayName", "state"),
        *_read("numberOfOrders", "amountSpent", type="any"),
        *_read("defaultAddress", "addressesV2", type="any"),
    ),
)

PRODUCTS = ObjectType(
    "products",
    cursor=Cursor(field="updatedAt"),
    incremental=_INCREMENTAL,
    paging=_PAGING,
    modes=("upsert", "create", "update", "create_if_missing"),
    match=("handle", "id"),
    deletes=("ignore", "archive", "delete"),
    doubt="upsert, update: sent again. create: looked up by the handle",
    fields=(
        *_ID_AND_TIMES,
        FieldInfo("title", "string", required=True),
        FieldInfo("handle", "string"),
        FieldInfo("descriptionHtml", "string"),
        FieldInfo("vendor", "string"),
        FieldInfo("productType", "string"),
        FieldInfo("status", "string", enum=("ACTIVE", "ARCHIVED", "DRAFT", "UNLISTED")),
        FieldInfo("tags", "array"),
        FieldInfo("productOptions", "array", "replaces all that are there"),
        FieldInfo("variants", "array", "replaces all that are there"),
        *_read("publishedAt", type="datetime"),
        *_read("totalInventory", type="integer"),
    ),
)

ORDERS = ObjectType(
    "orders",
    cursor=Cursor(field="updatedAt"),
    incremental=_INCREMENTAL,
    paging=_PAGING,
    modes=("update",),
    match=("id",),
    doubt="update: sent again",
    fields=(
        FieldInfo("id", "string", "gid://shopify/Order/...", required=True),
        *_read("createdAt", "updatedAt", type="datetime"),
        FieldInfo("email", "string"),
        FieldInfo("phone", "string"),
        FieldInfo("note", "string"),
        FieldInfo("poNumber", "string"),
        FieldInfo("tags", "array"),
        FieldInfo("shippingAddress", "object"),
        FieldInfo("customAttributes", "array"),
        *_read("name", "displayFinancialStatus", "displayFulfillmentStatus", "currencyCode"),
        *_read("processedAt", "cancelledAt", type="datetime"),
        *_read("totalPriceSet", "customer", "lineItems", type="any"),
    ),
)

OBJECTS: Mapping[str, ObjectType] = {declared.name: declared for declared in (CUSTOMERS, PRODUCTS, ORDERS)}

_SEARCHED = "$query: String"
_SORTED = "query: $query, sortKey: UPDATED_AT"
_MONEY = ("amount", "currencyCode")

SHAPES: Mapping[str, Shape] = {
    "customers": Shape(
        "customers", "customer", "Customer", "CustomerSetInput",
        fields=(
            "id", "firstName", "lastName", "displayName", "defaultEmailAddress.emailAddress",
            "defaultPhoneNumber.phoneNumber", "note", "tags", "taxExempt", "locale", "state", "numberOfOrders",
            *(f"amountSpent.{name}" for name in _MONEY), *(f"defaultAddress.{name}" for name in _ADDRESS),
            "createdAt", "updatedAt",
        ),
        parts=("defaultEmailAddress", "defaultPhoneNumber", "amountSpent", "defaultAddress", "lastOrder"),
        lists={"addressesV2": 10, "orders": 5, "metafields": 10},
        variables=_SEARCHED, arguments=_SORTED,
    ),
    "products": Shape(
        "products", "product", "Product", "ProductSetInput",
        fields=(
            "id", "title", "handle", "descriptionHtml", "vendor", "productType", "status", "tags", "totalInventory",
            "createdAt", "updatedAt", "publishedAt", *(f"variants.{name}" for name in ("id", "title", "sku", "price")),
        ),
        parts=("category", "featuredMedia", "seo", "priceRangeV2"),
        lists={"variants": 10, "media": 5, "collections": 5, "metafields": 10},
        variables=_SEARCHED, arguments=_SORTED, page=50,
    ),
    "orders": Shape(
        "orders", "order", "Order", "OrderInput",
        fields=(
            "id", "name", "email", "phone", "note", "poNumber", "tags", "createdAt", "updatedAt", "processedAt",
            "cancelledAt", "currencyCode", "displayFinancialStatus", "displayFulfillmentStatus", "customer.id",
            *(f"totalPriceSet.shopMoney.{name}" for name in _MONEY),
            *(f"lineItems.{name}" for name in ("id", "title", "sku", "quantity")),
            *(f"lineItems.originalUnitPriceSet.shopMoney.{name}" for name in _MONEY),
            *(f"shippingAddress.{name}" for name in _ADDRESS),
        ),
        parts=("customer", "totalPriceSet", "shippingAddress", "billingAddress"),
        lists={"lineItems": 10, "metafields": 10, "shippingLines": 5, "discountApplications": 5},
        variables=_SEARCHED, arguments=_SORTED, page=25,
    ),
}  # fmt: skip
"""Costs: an object 1 point, a list 2 and what its entries cost, at most 1000 points in one query."""
