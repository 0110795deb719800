"""REST sources and destinations as a flow file declares them, against real servers."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import yaml

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.contract import Destination, Page, Source, Window
from airflow_provider_flux.connectors.credentials import Credentials
from tests.contracts.servers.wire import Call, Reply, Wire, serve


class Bench:
    """Starts servers, sources and destinations, and ends them with the test."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def server(self, answer: Callable[[Call], Reply], tls: ssl.SSLContext | None = None) -> Wire:
        return self._stack.enter_context(serve(answer, tls=tls))

    def source(self, wire: Wire | str, declared: str, **connection: Any) -> Source:
        """The source of a flow whose `source:` holds these lines."""
        rest = registry.get("rest")
        assert rest.source_options is not None
        data = {"connector": "rest", "connection": "crm", "key": "id", **yaml.safe_load(declared)}
        source = rest.source(rest.source_options.model_validate(data), credentials(wire, **connection))
        self._stack.callback(source.close)
        return source

    def destination(self, wire: Wire | str, declared: str, **connection: Any) -> Destination:
        """The destination of a flow whose `destination:` holds these lines."""
        rest = registry.get("rest")
        assert rest.destination_options is not None
        data = {"connector": "rest", "connection": "crm", **yaml.safe_load(declared)}
        destination = rest.destination(rest.destination_options.model_validate(data), credentials(wire, **connection))
        self._stack.callback(destination.close)
        return destination


def credentials(wire: Wire | str, **connection: Any) -> Credentials:
    """An Airflow connection to that server."""
    url = wire if isinstance(wire, str) else wire.url
    extra = {"timeout": 2, **connection.pop("extra", {})}
    return Credentials(**{"conn_id": "crm", "conn_type": "flux_rest", "host": url, "extra": extra, **connection})


def pages(source: Source, start: str | None = None, end: str | None = None) -> list[Page]:
    return list(source.read(Window(start, end)))


def ids(found: list[Page]) -> list[str]:
    return [record["id"] for page in found for record in page.records]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(stack)
