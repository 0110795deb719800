"""The source: a paged JSON API in a process of its own. `python -m benchmarks.server RECORDS` prints its port."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from benchmarks.contacts import page


def serve(total: int) -> None:
    """Serve `total` contacts until the process is ended."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One write a response: headers and body in two packets would wait for each other (Nagle's algorithm).
        wbufsize = -1

        def do_GET(self) -> None:
            start = int(parse_qs(urlsplit(self.path).query).get("after", ["0"])[0])
            body = page(start, total)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
