"""Reads objects of a shop."""

from __future__ import annotations

from typing import Any

from airflow_provider_flux.connectors.contract import Window
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.graphql.object_source import GraphObjectSource
from airflow_provider_flux.connectors.rest.source_options import Incremental
from airflow_provider_flux.connectors.rest.window import window_parameters
from airflow_provider_flux.connectors.shopify import ShopifySourceOptions
from airflow_provider_flux.connectors.shopify.asking import endpoint
from airflow_provider_flux.transport.classify import SOURCE

_WINDOW = Incremental(param="since", until="until")


class ShopifySource(GraphObjectSource):
    """One object of one shop, in the order of its changes."""

    options: ShopifySourceOptions

    def __init__(self, options: ShopifySourceOptions, credentials: Credentials) -> None:
        super().__init__(options, endpoint(credentials, outage=SOURCE, timeout=options.timeout))

    def variables(self, window: Window) -> dict[str, Any]:
        """The search for what was changed in the window, to the second.

        https://shopify.dev/docs/api/usage/search-syntax
        """
        terms = [f"({self.options.query})"] if self.options.query else []
        cursor = self.options.cursor
        if cursor is not None and cursor.field == "updatedAt":
            asked = window_parameters(window, _WINDOW, cursor.type)
            terms += [f"updated_at:>='{asked['since']}'"] if "since" in asked else []
            terms += [f"updated_at:<'{asked['until']}'"] if "until" in asked else []
        return {"query": " AND ".join(terms) or None}
