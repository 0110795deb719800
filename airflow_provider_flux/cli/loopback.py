"""A server on this computer to which a browser comes back after a consent (RFC 8252, 7.3)."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from airflow_provider_flux.cli.values import UsageError

PATH = "/callback"
_SILENCE = 10  # seconds after which a browser that connects and asks nothing is let go
_PAGE = (
    b"<!doctype html><meta charset=utf-8><title>Flux</title>"
    b"<p>Flux has the answer. The terminal says how it went; this page can be closed."
)


@dataclass(frozen=True)
class Loopback:
    """The server, and what browsers brought."""

    port: int
    _answers: queue.SimpleQueue[dict[str, str]]

    def answer(self, seconds: float) -> dict[str, str] | None:
        """The query of the first browser that came back; None when none did in that time."""
        try:
            return self._answers.get(timeout=seconds)
        except queue.Empty:
            return None


@contextmanager
def loopback(port: int) -> Iterator[Loopback]:
    """Listen on 127.0.0.1 while the block lasts.

    :param port: 0 for a free one
    :raises UsageError: when the port is taken
    """
    answers: queue.SimpleQueue[dict[str, str]] = queue.SimpleQueue()

    class Handler(_Handler):
        received = answers

    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        raise UsageError(
            f"port {port} cannot be used ({error.strerror}); give another one with --port, which must also stand in "
            "the redirect URL that is registered with the system"
        ) from None
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield Loopback(server.server_address[1], answers)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    timeout = _SILENCE
    server_version, sys_version = "Flux", ""
    received: queue.SimpleQueue[dict[str, str]]

    def do_GET(self) -> None:
        """Take the answer; a browser asks for other things, too, its favicon."""
        parts = urlsplit(self.path)
        if parts.path != PATH:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(_PAGE)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")  # the address of this page holds the code
        self.send_header("Content-Security-Policy", "default-src 'none'")
        self.end_headers()
        self.wfile.write(_PAGE)
        self.received.put(dict(parse_qsl(parts.query)))

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged: the request holds the code."""
