"""A client against a server that answers as it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from airflow_provider_flux.transport.client import HttpClient
from tests.contracts.servers.wire import Call, Reply, Wire, serve

Answer = Callable[[Call], Reply]


class Lab:
    """Starts servers and clients, and ends them with the test."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def server(self, answer: Answer, port: int = 0) -> Wire:
        return self._stack.enter_context(serve(answer, port))

    def client(self, url: str, **options: object) -> HttpClient:
        """A client with short limits, unless the test says otherwise."""
        defaults: dict[str, object] = {"conn_id": "crm", "timeout": 1.0, "budget": 5.0}
        client = HttpClient(url, **{**defaults, **options})  # type: ignore[arg-type]
        self._stack.callback(client.close)
        return client


@pytest.fixture
def lab() -> Iterator[Lab]:
    with ExitStack() as stack:
        yield Lab(stack)
