"""A shop over real HTTP, for the tests of what only Shopify does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from airflow_provider_flux.connectors.contract import Destination, Source, Verdict, Window, WriteItem
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.shopify import Shopify, ShopifyDestinationOptions, ShopifySourceOptions
from tests.contracts.servers.wire import serve
from tests.contracts.vendors.shopify import Shopify as Vendor


class Shop:
    """The vendor, and sources and destinations of flows that use it."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.vendor = Vendor()
        self.wire = stack.enter_context(serve(self.vendor.answer))

    def credentials(self, **fields: Any) -> Credentials:
        extra = {"timeout": 2, **fields.pop("extra", {})}
        return Credentials("shop", extra=extra, **{**self.vendor.connection(self.wire.url), **fields})

    def source(self, name: str = "customers", *, one_try: bool = False, **options: Any) -> Source:
        declared = {"connector": "shopify", "connection": "shop", "object": name, **options}
        checked = ShopifySourceOptions.model_validate(declared)
        source = Shopify.source(checked, self.credentials(one_try=one_try))
        self._stack.callback(source.close)
        return source

    def read(self, name: str = "customers", start: str | None = None, **options: Any) -> list[dict[str, Any]]:
        pages = list(self.source(name, **options).read(Window(start)))
        assert not any(page.defects for page in pages)
        return [record for page in pages for record in page.records]

    def destination(self, name: str = "customers", *, one_try: bool = False, **options: Any) -> Destination:
        declared = {"connector": "shopify", "connection": "shop", "object": name, **options}
        checked = ShopifyDestinationOptions.model_validate(declared)
        destination = Shopify.destination(checked, self.credentials(one_try=one_try))
        self._stack.callback(destination.close)
        return destination

    def write(self, *records: dict[str, Any], name: str = "customers", **options: Any) -> list[Verdict]:
        options = {"key": "email", **options} if name == "customers" else options
        return written(self.destination(name, **options), records)

    def asked(self) -> list[str]:
        """The root fields of all documents so far: `customerSet`."""
        return [document["query"].partition("{ ")[2].partition("(")[0] for document in self.vendor.documents]


def written(destination: Destination, records: Sequence[dict[str, Any]], key: str | None = None) -> list[Verdict]:
    """The verdicts on records. `deleted: True` makes a tombstone of one."""
    items = [
        WriteItem({name: value for name, value in record.items() if name != "deleted"}, "deleted" in record, key)
        for record in records
    ]
    return destination.write(items)


@contextmanager
def shop() -> Iterator[Shop]:
    with ExitStack() as stack:
        yield Shop(stack)
