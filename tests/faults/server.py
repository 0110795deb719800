"""A SaaS behind the faults: stateful, faithful, and never at fault itself.

Source: `GET /contacts?since=&until=&after=&limit=`, in the order of (updated_at, id). Destination: `POST /upsert` and
`PUT /people/{id}` store by key; `POST /insert` and `POST /people` append whatever comes, twice if it comes twice;
`GET /people?id=` finds. A name of more than 40 characters is refused with 422.
"""

from __future__ import annotations

import json
import threading
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

LONGEST_NAME = 40

Record = dict[str, Any]


class Saas:
    """The data behind the server, open to the tests.

    :param contacts: of the source; `updated_at` in UTC with microseconds
    """

    def __init__(self, contacts: list[Record]) -> None:
        self._rows = sorted(contacts, key=_place)
        self._places = [_place(row) for row in self._rows]
        self.stored: dict[str, list[Record]] = {}  # by key, every copy
        self.calls: Counter[str] = Counter()
        self._lock = threading.Lock()

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """Execute one request; its status and the value of its answer."""
        with self._lock:
            match method, path.split("/")[1:]:
                case "HEAD", _:
                    return 200, None
                case "GET", ["contacts"]:
                    return 200, self._page(query)
                case "GET", ["people"]:
                    return 200, {"data": self.stored.get(query["id"], [])}
                case "POST", ["upsert" | "insert" as how]:
                    return 200, {"results": [self._write(how, record) for record in body["records"]]}
                case "POST", ["people"]:
                    return _single(self._write("insert", body))
                case "PUT", ["people", key]:
                    return _single(self._write("upsert", {**body, "id": unquote(key)}))
        return 404, {"error": "no such path"}

    def _page(self, query: dict[str, str]) -> Any:
        first = bisect_left(self._places, (_instant(query.get("since", "1970-01-01T00:00:00Z")), ""))
        last = bisect_left(self._places, (_instant(query.get("until", "2999-01-01T00:00:00Z")), ""))
        if "after" in query:
            updated_at, _, key = query["after"].partition(" ")
            first = bisect_right(self._places, (updated_at, key))
        end = min(first + int(query["limit"]), last)
        rows = self._rows[first:end]
        return {"data": rows, "next": " ".join(_place(rows[-1])) if end < last else None}

    def _write(self, how: str, record: Record) -> Record:
        if len(record["name"]) > LONGEST_NAME:
            return {"status": 422, "error": f"name is too long (maximum is {LONGEST_NAME})", "field": "name"}
        before = self.stored.get(record["id"], []) if how == "insert" else []
        self.stored[record["id"]] = [*before, record]
        return {"status": 200, "id": record["id"]}


@contextmanager
def serve(saas: Saas) -> Iterator[int]:
    """Run the server on the loopback interface while the block lasts; its port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _handle(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            saas.calls[f"{self.command} /{parts.path.split('/')[1]}"] += 1
            status, value = saas.answer(self.command, parts.path, query, json.loads(body) if body else None)
            data = json.dumps(value).encode()
            self.send_response_only(status)
            self.send_header("Date", self.date_time_string())
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_GET = do_HEAD = do_POST = do_PUT = _handle

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _single(result: Record) -> tuple[int, Record]:
    return result["status"], result


def _place(row: Record) -> tuple[str, str]:
    return row["updated_at"], row["id"]


def _instant(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
