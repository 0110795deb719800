"""A small SaaS over HTTP, stateful, with faults on demand: the source and the destination of the crash tests.

Source: `GET /contacts?since=&until=&after=&limit=` pages by (updated_at, id), `GET /contacts/<id>` is one of them.
Destination: `POST /upsert` stores by key, `POST /insert` appends whatever comes (`GET /inserted/<id>` finds it);
`calls` lists what came. `on_write` is called with the number of the write and the moment ("before" or "after" it is
stored) and may kill the client, or raise to break the connection.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Saas:
    """The data behind the server, open to the tests."""

    def __init__(self) -> None:
        self.contacts: dict[str, dict[str, Any]] = {}
        self.upserted: dict[str, dict[str, Any]] = {}
        self.inserted: list[dict[str, Any]] = []
        self.writes = 0
        self.status = 200  # of every write
        self.source_status = 200  # of every page that is read
        self.on_write: Callable[[int, str], None] = lambda number, moment: None
        self.on_page: Callable[[int], None] = lambda number: None
        # What the server says to a whole batch, and to one record of it; 200 is the truth about the record.
        self.batch_status: Callable[[list[dict[str, Any]]], int] = lambda records: 200
        self.record_status: Callable[[dict[str, Any]], int] = lambda record: 200
        self.calls: list[list[str]] = []  # the ids in each write that came, whatever became of it
        self.pages = 0
        self.lock = threading.RLock()
        self.url = ""

    def put(self, *records: dict[str, Any]) -> None:
        """Create or change contacts in the source."""
        with self.lock:
            for record in records:
                self.contacts[record["id"]] = record

    def page(self, query: dict[str, str]) -> dict[str, Any]:
        since = datetime.fromisoformat(query.get("since", "1970-01-01T00:00:00Z"))
        until = datetime.fromisoformat(query.get("until", "2999-01-01T00:00:00Z"))
        after = tuple(json.loads(query["after"])) if "after" in query else ("", "")
        limit = int(query.get("limit", "100"))
        with self.lock:
            self.pages += 1
            rows = sorted(
                (
                    record
                    for record in self.contacts.values()
                    if since <= datetime.fromisoformat(record["updated_at"]) < until
                ),
                key=lambda record: (record["updated_at"], record["id"]),
            )
            rows = [row for row in rows if (row["updated_at"], row["id"]) > after][: limit + 1]
            more = len(rows) > limit
            rows = rows[:limit]
            next_page = json.dumps([rows[-1]["updated_at"], rows[-1]["id"]]) if more else None
            self.on_page(self.pages)
            return {"data": rows, "next": next_page}

    def one(self, key: str) -> tuple[int, dict[str, Any]]:
        """A contact by its key, or 404."""
        with self.lock:
            found = self.contacts.get(key)
            return (404, {"error": "no such contact"}) if found is None else (200, found)

    def write(self, path: str, records: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        with self.lock:
            self.writes += 1
            number = self.writes
            self.calls.append([record["id"] for record in records])
            status = self.status if self.status != 200 else self.batch_status(records)
            if status != 200:
                return status, {"error": "not now"}
            self.on_write(number, "before")
            results: list[dict[str, Any]] = []
            for record in records:
                if (status := self.record_status(record)) != 200:
                    results.append({"status": status, "error": "not this one"})
                    continue
                if len(record.get("name", "")) > 40:
                    results.append({"status": 422, "error": "name is too long (maximum is 40)", "field": "name"})
                    continue
                if path == "/insert":
                    self.inserted.append(record)
                else:
                    self.upserted[record["id"]] = record
                results.append({"status": 200, "id": record["id"]})
            self.on_write(number, "after")
            return 200, {"results": results}


@contextmanager
def serve(saas: Saas) -> Iterator[Saas]:
    """Run the server on a free port of the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path.startswith("/inserted/"):
                there = [row for row in saas.inserted if row["id"] == parts.path.removeprefix("/inserted/")]
                self._answer(200, there[0]) if there else self._answer(404, {"error": "no such contact"})
                return
            if parts.path.startswith("/contacts/"):
                self._answer(*saas.one(parts.path.removeprefix("/contacts/")))
                return
            if parts.path == "/contacts" and saas.source_status != 200:
                saas.pages += 1
                self._answer(saas.source_status, {"error": "not now"})
                return
            self._answer(200, saas.page(query) if parts.path == "/contacts" else {"ok": True})

        def do_HEAD(self) -> None:
            self._answer(200, {})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(*saas.write(self.path, body["records"]))

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A killed client is what these tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    saas.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield saas
    finally:
        server.shutdown()
        server.server_close()
