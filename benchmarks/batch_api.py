"""The destination: an API that takes batches of records, answers after a while, and notes when calls arrive.

`python -m benchmarks.batch_api SECONDS` prints its port. POST /contacts takes `{"records": [...]}` and answers with a
result for each; GET /arrivals gives the seconds at which the calls since the last question arrived, and the number of
records in them.
"""

from __future__ import annotations

import asyncio
import sys
import time

import msgspec


class _Record(msgspec.Struct):
    id: int


class _Batch(msgspec.Struct):
    records: list[_Record]


_read = msgspec.json.Decoder(_Batch).decode
_encode = msgspec.json.Encoder().encode


class _Seen(msgspec.Struct):
    arrivals: list[float] = []
    records: int = 0


class _Connection(asyncio.Protocol):
    """One connection, as little of HTTP as the contenders need."""

    def __init__(self, latency: float, seen: _Seen) -> None:
        self._latency = latency
        self._seen = seen
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        while end >= 0:
            head = bytes(self._received[:end]).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self._received) < end + 4 + length:
                return
            body = bytes(self._received[end + 4 : end + 4 + length])
            del self._received[: end + 4 + length]
            self._answer(head, body)
            end = self._received.find(b"\r\n\r\n")

    def _answer(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"get"):
            self._send(_encode(self._seen))
            self._seen.arrivals, self._seen.records = [], 0
            return
        self._seen.arrivals.append(time.monotonic())
        batch = _read(body)
        self._seen.records += len(batch.records)
        answer = _encode({"results": [{"id": str(record.id), "status": "ok"} for record in batch.records]})
        asyncio.get_running_loop().call_later(self._latency, self._send, answer)

    def _send(self, answer: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer)
        self._transport.write(head + answer)


async def serve(latency: float) -> None:
    """Serve until the process is ended."""
    loop = asyncio.get_running_loop()
    seen = _Seen()
    server = await loop.create_server(lambda: _Connection(latency, seen), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
