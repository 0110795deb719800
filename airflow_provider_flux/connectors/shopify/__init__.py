"""The connector `shopify`: customers, products and orders of a shop, over the Admin GraphQL API.

Facts: the Admin schema 2026-10 as Shopify ships it (npm, @shopify/dev-mcp 1.16.0), with which
tests/servers/test_shopify_schema.py validates every document of this package, and
https://shopify.dev/docs/api/usage/rate-limits. docs/connectors/shopify.md tells all of it for people.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, model_validator

from airflow_provider_flux.connectors.api.form import CLIENT, OAUTH
from airflow_provider_flux.connectors.api.profile import ApiProfile, SignIn
from airflow_provider_flux.connectors.contract import Connector, Destination, Source
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.declare import Description, Form, FormField, ObjectType
from airflow_provider_flux.connectors.graphql.objects import GraphObjectSourceOptions, Shape
from airflow_provider_flux.connectors.object_options import ObjectDestinationOptions
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.connectors.shopify.objects import OBJECTS, SHAPES
from airflow_provider_flux.transport.buckets import graphql_advice
from airflow_provider_flux.transport.classify import Row
from airflow_provider_flux.transport.tally import Tally

VERSION = "2026-10"
"""The version of the Admin API that is asked, unless the connection names another one."""

PROFILE = ApiProfile(
    sign_in=SignIn(
        kinds=("api_key", "client_credentials"),
        header="X-Shopify-Access-Token",
        token_header="X-Shopify-Access-Token",  # noqa: S106 - its name
        token_url="/admin/oauth/access_token",  # noqa: S106 - a path
    ),
    rows=(
        # User errors of customerCreate, customerUpdate and customerDelete have no code.
        Row("CONSTRAINT_VIOLATED", pattern=re.compile(r"can.t be deleted because")),
        Row("INVALID_FORMAT", pattern=re.compile(r"\b(?!Email)[A-Z]\w+ is invalid\b")),
        Row("RECORD_NOT_FOUND", pattern=re.compile(r"Customer can.t be found")),
    ),
    adviser=graphql_advice,
)


class ShopifySourceOptions(GraphObjectSourceOptions):
    """Reads customers, products or orders."""

    OBJECTS: ClassVar[Mapping[str, ObjectType]] = OBJECTS
    SHAPES: ClassVar[Mapping[str, Shape]] = SHAPES

    query: str | None = Field(
        default=None,
        min_length=1,
        description="Reads only what this search finds, in Shopify's search syntax: `tag:'VIP' AND country:AT`.",
    )


class ShopifyDestinationOptions(ObjectDestinationOptions):
    """Writes customers, products or orders."""

    OBJECTS: ClassVar[Mapping[str, ObjectType]] = OBJECTS
    IN_A_ROW: ClassVar[int | None] = 100

    custom_id: str | None = Field(
        default=None,
        pattern=r"^[\w-]+\.[\w-]+$",
        description="Namespace and key of a metafield of type id (`erp.number`): then `key` names the target field "
        "that holds its value. Customers and products, `mode: upsert`.",
    )

    @model_validator(mode="after")
    def _finds_by_that(self) -> ShopifyDestinationOptions:
        declared = self.OBJECTS.get(self.object)
        if declared is None:
            return self
        if self.custom_id is not None and (self.mode != "upsert" or self.fallback_keys or self.object == "orders"):
            raise ValueError("`custom_id` is for customers and products, with `mode: upsert` and no `fallback_keys`")
        for name, keys in (("key", self.key), *(("fallback_keys", keys) for keys in self.fallback_keys)):
            if keys is None or (name == "key" and self.custom_id is not None):
                continue
            if len(keys) != 1 or keys[0] not in declared.match:
                raise ValueError(f"`{name}`: Shopify finds {self.object} by {' or '.join(declared.match)}")
        return self


class Shopify(Connector):
    """Customers, products and orders of a Shopify shop."""

    name = "shopify"
    conn_type = "flux_shopify"
    form = Form(
        "Flux Shopify",
        hidden=("schema", "port", "login"),
        labels={"host": "Shop", "password": "Admin API access token"},
        placeholders={"host": "my-shop or my-shop.myshopify.com", "password": "shpat_..."},
        fields={
            "api_version": FormField("API version", f"As Shopify names them, as 2027-01; {VERSION} unless given."),
            **OAUTH,
            **CLIENT,
        },
    )
    profile = PROFILE
    objects = tuple(OBJECTS.values())
    source_options = ShopifySourceOptions
    destination_options = ShopifyDestinationOptions

    @classmethod
    def source(cls, options: SourceOptions, credentials: Credentials) -> Source:
        """Open the source."""
        from airflow_provider_flux.connectors.shopify.source import ShopifySource

        assert isinstance(options, ShopifySourceOptions)
        return ShopifySource(options, credentials)

    @classmethod
    def destination(cls, options: DestinationOptions, credentials: Credentials) -> Destination:
        """Open the destination."""
        from airflow_provider_flux.connectors.shopify.destination import ShopifyDestination

        assert isinstance(options, ShopifyDestinationOptions)
        return ShopifyDestination(options, credentials)

    @classmethod
    def test(
        cls,
        credentials: Credentials,
        options: SourceOptions | DestinationOptions | None = None,
        tally: Tally | None = None,
    ) -> str:
        """Ask for the shop's name."""
        from airflow_provider_flux.connectors.shopify.asking import shop_name

        return shop_name(credentials, tally)

    @classmethod
    def describe(
        cls,
        credentials: Credentials,
        options: SourceOptions | DestinationOptions | None = None,
        object_name: str | None = None,
        tally: Tally | None = None,
    ) -> Description | None:
        """Ask for the fields of an object: of what is read for a source, of what is written for a destination."""
        from airflow_provider_flux.connectors.shopify.asking import describe

        return describe(credentials, options, object_name, tally)


