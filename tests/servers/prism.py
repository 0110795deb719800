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
def serve(spec: Path, log: Path, upstream: str | None = None) -> Iterator[str]:
    """The API of an OpenAPI file, mocked; yields its URL.

    :param upstream: the URL of a server that answers instead of the mock; its answers are held against the description,
        too: one that breaks it becomes a 500

    A request that breaks the description is answered with 422 (401 without credentials), in the vendor's own words
    where the description has an error, and the header `sl-violations` says what is wrong; so does the log. Any other
    request is answered with an example of its response; `Prefer: code=207` asks for another one. Nothing is stored.
    """
    program = npm.installed("prism") / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
    port = unused_port()
    url = f"http://127.0.0.1:{port}"
    mode = ["mock"] if upstream is None else ["proxy"]
    command = [npm.node(), program, *mode, "--errors", "--host", "127.0.0.1", "--port", str(port), spec]
    command += [] if upstream is None else [upstream]
    with running([str(part) for part in command], log, lambda: answers(url)):
        yield url


def answers(url: str) -> bool:
    """Whether anything comes back from there."""
    try:
        httpx.get(url, timeout=5)
    except httpx.TransportError:
        return False
    return True
