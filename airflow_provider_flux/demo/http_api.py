"""What the demo's two APIs share: JSON over HTTP/1.1, a key, and faults on demand. Standard library only."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

FAULTS = ("429", "503", "reset", "html", "truncated", "slow")
_SLOW_SECONDS = 2.0


@dataclass
class Faults:
    """What goes wrong, and how often.

    :param every: every how many calls something goes wrong; 0 for never
    :param kinds: which of `FAULTS`, by turns
    """

    every: int = 0
    kinds: tuple[str, ...] = ("429", "503")
    _calls: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> str | None:
        """The fault of the next call, or None."""
        with self._lock:
            self._calls += 1
            if not self.every or self._calls % self.every:
                return None
            return self.kinds[(self._calls // self.every - 1) % len(self.kinds)]


@dataclass(frozen=True)
class Request:
    """A call as an endpoint sees it."""

    method: str
    path: str
    query: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """What an endpoint answers with."""

    status: int
    body: Any


class Api(ThreadingHTTPServer):
    """One HTTP API on 127.0.0.1.

    :param port: 0 for a free one
    :param authorised: whether the headers of a call carry the key
    :param answer: the endpoints
    """

    daemon_threads = True

    def __init__(
        self, port: int, authorised: Callable[[Any], bool], answer: Callable[[Request], Answer], faults: Faults
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.authorised = authorised
        self.answer = answer
        self.faults = faults

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def start(self) -> None:
        """Serve in a thread of this process."""
        threading.Thread(target=self.serve_forever, name=self.url, daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Api

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.faults.next()
        if fault in ("reset", "429", "503", "html"):
            self._fail(fault)
            return
        answer = self._answer(body)
        if fault == "slow":
            time.sleep(_SLOW_SECONDS)
        # A truncated answer comes after the work was done: the caller cannot know whether it was.
        self._send(answer.status, json.dumps(answer.body).encode(), cut=fault == "truncated")

    def _answer(self, body: bytes) -> Answer:
        if not self.server.authorised(self.headers):
            return Answer(401, {"error": {"code": "unauthorized", "message": "missing or unknown API key"}})
        try:
            content = json.loads(body) if body else None
        except ValueError:
            return Answer(400, {"error": {"code": "bad_json", "message": "the body is not JSON"}})
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        return self.server.answer(Request(self.command, parts.path, query, content))

    def _fail(self, fault: str) -> None:
        if fault == "reset":
            self.close_connection = True
        elif fault == "429":
            body = {"error": {"code": "rate_limited", "message": "too many calls"}}
            self._send(429, json.dumps(body).encode(), {"Retry-After": "1"})
        elif fault == "503":
            self._send(503, json.dumps({"error": {"code": "unavailable", "message": "try again"}}).encode())
        else:
            self._send(200, b"<html><body>Scheduled maintenance</body></html>", {"Content-Type": "text/html"})

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = self.close_connection or cut

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the screen belongs to the demo."""
