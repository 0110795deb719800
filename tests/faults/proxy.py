"""A proxy that spoils a part of the requests on their way, as networks, gateways and busy systems do.

What happens to a request depends on the seed, on the request itself and on how often it came, not on the order in which
threads arrive: the same seed injects the same faults again. mitmproxy would take its place, but cannot stand beside
Airflow: it pins older versions of cryptography, h11, asgiref and zstandard.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

BEFORE = ("429 seconds", "429 date", "503", "reset before", "html before")
"""Faults of requests that never reach the system."""
AFTER = ("reset after", "cut off", "half a body", "html after", "slow")
"""Faults of answers: the system has executed the request."""

HTML = b"<!doctype html><html><head><title>Maintenance</title></head><body>Back soon</body></html>"

_STUBBORN_TIMES = 6
_HOP = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})


@dataclass(frozen=True)
class Injection:
    """What was done to one request."""

    fault: str
    method: str
    path: str


@dataclass
class Faults:
    """What the proxy does, and what it did.

    :param rate: share of the requests that are spoilt
    :param lookups: the same for those that look a single record up, of which there are many
    :param stubborn: share of the looked up records that are answered with 503 for longer than a client tries
    :param slow: seconds of silence of a slow answer; more than the client waits
    :param on_write: called around each write that is passed on, with "before" and "after"
    """

    seed: int
    rate: float = 0.3
    lookups: float = 0.1
    stubborn: float = 0.002
    slow: float = 1.5
    on_write: Callable[[str], None] = lambda moment: None
    injected: list[Injection] = field(default_factory=list)
    requests: int = 0
    _seen: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next_for(self, method: str, url: str, body: bytes) -> str | None:
        """The fault for this request, None to pass it on."""
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        # Not the window's bounds: they hold the time of day.
        place = [query.get(name, [""])[0] for name in ("after", "id")]
        lookup = method == "GET" and "id" in query
        identity = f"{method} {parts.path} {place} {hashlib.sha256(body).hexdigest()}"
        with self._lock:
            self.requests += 1
            self._seen[identity] += 1
            chance = random.Random(f"{self.seed} {identity} {self._seen[identity]}")
            if lookup and self._is_stubborn(identity):
                fault = "503"
            elif chance.random() < (self.lookups if lookup else self.rate):
                fault = chance.choice(BEFORE + AFTER)
            else:
                return None
            self.injected.append(Injection(fault, method, parts.path))
            return fault

    def stop(self) -> None:
        """Fair weather from now on."""
        self.rate = self.lookups = self.stubborn = 0.0

    def _is_stubborn(self, identity: str) -> bool:
        stubborn = random.Random(f"{self.seed} {identity}").random() < self.stubborn
        return stubborn and self._seen[identity] <= _STUBBORN_TIMES

    def counts(self) -> Counter[str]:
        """How often each fault was injected."""
        return Counter(injection.fault for injection in self.injected)


@contextmanager
def proxy(port: int, faults: Faults) -> Iterator[str]:
    """Run the proxy in front of a server of this machine while the block lasts; the proxy's URL.

    :param port: of the server
    """

    class Handler(_Handler):
        upstream = port
        plan = faults

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up, or are killed, are what this is about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    upstream: int
    plan: Faults

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.plan.next_for(self.command, self.path, body)
        if fault in BEFORE:
            self._refuse(fault)
            return
        answer = self._pass_on(body)
        if fault is None:
            self._reply(answer)
        else:
            self._spoil(fault, answer)

    do_GET = do_HEAD = do_POST = do_PUT = _handle

    def _pass_on(self, body: bytes) -> _Answer:
        writes = self.command in ("POST", "PUT")
        if writes:
            self.plan.on_write("before")
        upstream = http.client.HTTPConnection("127.0.0.1", self.upstream)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        upstream.request(self.command, self.path, body, headers)
        response = upstream.getresponse()
        kept = {name: value for name, value in response.getheaders() if name.lower() not in _HOP}
        answer = _Answer(response.status, kept, response.read())
        upstream.close()
        if writes:
            self.plan.on_write("after")
        return answer

    def _refuse(self, fault: str) -> None:
        message = json.dumps({"message": "You have reached your secondly limit."}).encode()
        if fault == "429 seconds":
            self._reply(_Answer(429, {"Content-Type": "application/json", "Retry-After": "1"}, message))
        elif fault == "429 date":
            now = time.time()
            headers = {"Date": formatdate(now, usegmt=True), "Retry-After": formatdate(now + 1, usegmt=True)}
            self._reply(_Answer(429, {"Content-Type": "application/json", **headers}, message))
        elif fault == "503":
            self._reply(_Answer(503, {"Content-Type": "text/plain"}, b"upstream connect error"))
        elif fault == "html before":
            self._reply(_Answer(200, {"Content-Type": "text/html"}, HTML))
        else:
            self._reset()

    def _spoil(self, fault: str, answer: _Answer) -> None:
        half = answer.body[: len(answer.body) // 2]
        if fault == "reset after":
            self._reset()
        elif fault == "html after":
            self._reply(_Answer(200, {"Content-Type": "text/html"}, HTML))
        elif fault == "half a body":
            self._reply(_Answer(answer.status, answer.headers, half))
        elif fault == "cut off":
            self._reply(_Answer(answer.status, answer.headers, half), announced=len(answer.body))
            self.close_connection = True
        else:
            time.sleep(self.plan.slow)
            self._reply(answer)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _reply(self, answer: _Answer, announced: int | None = None) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body) if announced is None else announced))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, *args: object) -> None:
        pass
