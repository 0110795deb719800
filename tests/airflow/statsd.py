"""A StatsD server that keeps Flux's own metrics."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Received:
    """Metrics as they came, for example `flux.runs,flow=contacts,state=partial:1|c`; Airflow puts its prefix before."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def of(self, flow: str) -> list[str]:
        """Flux's own metrics of a flow, sorted, without times."""
        mine = [line for line in self.lines if f",flow={flow}," in f"{line.partition(':')[0]},"]
        return sorted(line for line in mine if not line.endswith("|ms"))

    def times(self, flow: str) -> list[float]:
        """The durations of the flow's runs, in milliseconds."""
        mine = [line for line in self.lines if line.startswith(f"flux.run.duration,flow={flow},")]
        return [float(line.rpartition(":")[2].removesuffix("|ms")) for line in mine]

    def wait(self, flow: str, runs: int = 1, seconds: float = 20) -> None:
        """Until the durations of so many runs came, which are sent last."""
        deadline = time.monotonic() + seconds
        while len(self.times(flow)) < runs:
            assert time.monotonic() < deadline, self.lines
            time.sleep(0.1)


@contextmanager
def listen(port: int) -> Iterator[Received]:
    """Receive on a UDP port of the loopback interface."""
    received = Received()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", port))
        server.settimeout(0.2)
        ended = threading.Event()

        def collect() -> None:
            while not ended.is_set():
                try:
                    lines = server.recv(65_536).decode().splitlines()
                except TimeoutError:
                    continue
                names = [line.removeprefix("airflow.") for line in lines]
                received.lines += [name for name in names if name.startswith("flux.")]

        thread = threading.Thread(target=collect, daemon=True)
        thread.start()
        try:
            yield received
        finally:
            ended.set()
            thread.join()
