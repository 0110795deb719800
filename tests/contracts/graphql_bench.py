"""Sources and destinations of the connector `graphql`, as flow files declare them, over the contact book."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.contract import Destination, Page, Source, Window
from airflow_provider_flux.connectors.credentials import Credentials
from tests.contracts.servers.wire import Wire, serve
from tests.contracts.vendors.graphql import GraphqlVendor


class Book:
    """A running contact book.

    :param vendor: what is behind the server; its `faults` are the answers of the next calls
    """

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.vendor = GraphqlVendor()
        self.wire: Wire = stack.enter_context(serve(self.vendor.answer))

    def source(self, **more: Any) -> Source:
        connector = registry.get("graphql")
        assert connector.source_options is not None
        data = {"connector": "graphql", "connection": "book", **self.vendor.source(), **more}
        source = connector.source(connector.source_options.model_validate(data), self.credentials())
        self._stack.callback(source.close)
        return source

    def read(self, **more: Any) -> list[Page]:
        return list(self.source(**more).read(Window()))

    def destination(self, mode: str = "upsert", deletes: str = "ignore", **more: Any) -> Destination:
        connector = registry.get("graphql")
        assert connector.destination_options is not None
        data = {"connector": "graphql", "connection": "book", **self.vendor.destination(mode, deletes), **more}
        destination = connector.destination(connector.destination_options.model_validate(data), self.credentials())
        self._stack.callback(destination.close)
        return destination

    def credentials(self, **connection: Any) -> Credentials:
        """Nothing is tried again, unless the connection says so."""
        fields = {**self.vendor.connection(self.wire.url), "one_try": True, **connection}
        return Credentials(**{"conn_id": "book", "extra": {"timeout": 2}, **fields})


@contextmanager
def opened() -> Iterator[Book]:
    with ExitStack() as stack:
        yield Book(stack)
