"""Kinto, a real record store over HTTP (https://docs.kinto-storage.org), started in memory on a free port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

RECORDS = "/buckets/crm/collections/contacts/records"
_BATCH = 50  # the server's own limit

_CONFIG = """\
[server:main]
use = egg:waitress
host = 127.0.0.1
port = {port}
threads = 4
[app:main]
use = egg:kinto
kinto.includes = kinto.plugins.default_bucket kinto.plugins.accounts
multiauth.policies = account
multiauth.policy.account.use = kinto.plugins.accounts.AccountsPolicy
kinto.account_create_principals = system.Everyone
kinto.storage_backend = kinto.core.storage.memory
kinto.permission_backend = kinto.core.permission.memory
kinto.cache_backend = kinto.core.cache.memory
kinto.experimental_collection_schema_validation = true
kinto.paginate_by = 500
kinto.batch_max_requests = 50
kinto.userid_hmac_secret = 0123456789abcdef
kinto.http_scheme = http
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(asctime)s %(message)s
"""


def executable() -> Path | None:
    """The `kinto` program: beside this Python, or where `FLUX_KINTO` says."""
    candidate = Path(os.environ.get("FLUX_KINTO") or Path(sys.executable).with_name("kinto"))
    return candidate if candidate.exists() else None


class Kinto:
    """A collection `contacts` and what a test does with it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=f"{url}/v1", auth=("sync", "s3cret-pass"), timeout=30)

    def prepare(self) -> None:
        """Make the account, the bucket and the collection."""
        self._send("PUT", "/accounts/sync", {"data": {"password": "s3cret-pass"}}, auth=None)
        self._send("PUT", "/buckets/crm")
        self._send("PUT", "/buckets/crm/collections/contacts")

    def put(self, records: list[dict[str, Any]]) -> None:
        """Create or replace records, 50 in a call."""
        for start in range(0, len(records), _BATCH):
            requests = [
                {"method": "PUT", "path": f"{RECORDS}/{record_id(record['number'])}", "body": {"data": record}}
                for record in records[start : start + _BATCH]
            ]
            answer = self._send("POST", "/batch", {"requests": requests})
            assert all(response["status"] in (200, 201) for response in answer["responses"]), answer

    def delete(self, number: int) -> None:
        """Delete a record; Kinto keeps a tombstone."""
        self._send("DELETE", f"{RECORDS}/{record_id(number)}")

    def close(self) -> None:
        self._client.close()

    def _send(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        response = self._client.request(method, path, json=body, **options)
        response.raise_for_status()
        return response.json()


def record_id(number: int) -> str:
    """Kinto's id of the contact with that number."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"contact-{number}"))


@contextmanager
def running(folder: Path) -> Iterator[Kinto]:
    """Kinto on a free port, with an empty collection."""
    program = executable()
    assert program is not None
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    config = folder / "kinto.ini"
    config.write_text(_CONFIG.format(port=port))
    with (folder / "kinto.log").open("wb") as log:
        process = subprocess.Popen([program, "start", "--ini", config, "--port", str(port)], stdout=log, stderr=log)
    kinto = Kinto(f"http://127.0.0.1:{port}")
    try:
        _wait_until_up(kinto.url, process, folder / "kinto.log")
        kinto.prepare()
        yield kinto
    finally:
        kinto.close()
        process.kill()
        process.wait()


def _wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(150):
        try:
            httpx.get(f"{url}/v1/", timeout=5)
            return
        except httpx.TransportError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
    raise AssertionError(f"Kinto did not come up\n{log.read_text()}")


@contextmanager
def between_pages(kinto: Kinto, change: Callable[[int], None]) -> Iterator[str]:
    """A proxy before Kinto that calls `change(n)` before it asks for the n-th page of records; yields its URL."""
    pages = 0
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            nonlocal pages
            with lock:
                pages += 1
                change(pages)
            # Kinto writes Next-Page with the host it was asked for: that of this proxy.
            headers = {name: self.headers[name] for name in ("Host", "Authorization") if name in self.headers}
            answer = httpx.get(f"{kinto.url}{self.path}", headers=headers, timeout=30)
            self.send_response(answer.status_code)
            for name in ("Content-Type", "Next-Page", "Date"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_HEAD = do_GET

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
