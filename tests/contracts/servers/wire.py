"""A real HTTP server that answers as it is told, down to resets, broken bodies and silence."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Call:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    port: int

    def param(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.query.get(name, [default])[0]

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    """How to answer.

    :param body: bytes go out as they are, anything else as JSON
    :param delay: seconds of silence before
    :param cut: stop after so many bytes of the body and close the connection
    :param reset: close the connection with a RST instead of answering
    :param stream: chunks of a body without a Content-Length
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: int | None = None
    reset: bool = False
    stream: Iterable[bytes] | None = None

    def content(self) -> bytes:
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Wire:
    """A running server and what it received."""

    url: str
    calls: list[Call] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def paths(self) -> list[str]:
        return [f"{call.method} {call.path}" for call in self.calls]


@contextmanager
def serve(answer: Callable[[Call], Reply], port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Wire]:
    """Serve on the loopback interface while the block lasts, on a free port unless one is given.

    `answer` runs in the server's threads.
    """

    class Handler(_Handler):
        decide = staticmethod(answer)

    server = _Server(("127.0.0.1", port), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    wire = Wire(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}")
    server.calls = wire.calls
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def script(*replies: Reply) -> Callable[[Call], Reply]:
    """Answers in turn; the last one again and again."""
    remaining = list(replies)
    lock = threading.Lock()

    def answer(call: Call) -> Reply:
        with lock:
            return remaining.pop(0) if len(remaining) > 1 else remaining[0]

    return answer


def unused_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    calls: list[Call]

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    decide: Callable[[Call], Reply]

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        call = Call(
            method=self.command,
            path=parts.path,
            query=parse_qs(parts.query, keep_blank_values=True),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
            port=self.server.server_address[1],
        )
        self.server.calls.append(call)
        self._reply(type(self).decide(call))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

    def _reply(self, reply: Reply) -> None:
        if reply.delay:
            time.sleep(reply.delay)
        if reply.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        self.send_response_only(reply.status)
        content = reply.content()
        headers = {"Content-Type": "application/json", "Date": self.date_time_string(), **reply.headers}
        if reply.stream is None:
            headers.setdefault("Content-Length", str(len(content)))
        else:
            headers["Connection"] = "close"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        self._send_body(reply, content)

    def _send_body(self, reply: Reply, content: bytes) -> None:
        chunks: Sequence[bytes] | Iterable[bytes] = [content] if reply.stream is None else reply.stream
        if reply.cut is not None:
            chunks = [content[: reply.cut]]
        for chunk in chunks:
            self.wfile.write(chunk)
            self.wfile.flush()
        if reply.cut is not None or reply.stream is not None:
            self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass
