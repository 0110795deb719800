"""Prism (https://stoplight.io/open-source/prism): a server that holds our requests against an API description."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.contracts.servers.wire import unused_port
from tests.servers import npm
from tests.servers.process import running


@contextmanager
def serve(spec: Path, log: Path) -> Iterator[str]:
    """The API of an OpenAPI file, mocked; yields its URL.

    A request that breaks the description is answered with 422 (401 without credentials), in the vendor's own words
    where the description has an error, and the header `sl-violations` says what is wrong; so does the log. Any other
    request is answered with an example of its response; `Prefer: code=207` asks for another one. Nothing is stored.
    """
    program = npm.installed("prism") / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
    port = unused_port()
    url = f"http://127.0.0.1:{port}"
    command = [npm.node(), program, "mock", "--errors", "--host", "127.0.0.1", "--port", str(port), spec]
    with running(command, log, lambda: answers(url)):
        yield url


def answers(url: str) -> bool:
    """Whether anything comes back from there."""
    try:
        httpx.get(url, timeout=5)
    except httpx.TransportError:
        return False
    return True
