"""Several processes on one connection keep its limit together, by the server's own count; a killed one costs no call
for ever."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from airflow_provider_flux.store import open_store, upgrade_store
from airflow_provider_flux.transport.pace import Limit
from tests.contracts.servers.wire import Call, Reply, serve
from tests.sql import execute

LIMIT, SPAN = 40, 0.5


@dataclass
class Api:
    """A server that notes when calls arrive.

    :param delay: seconds that an answer takes
    """

    delay: float = 0.02
    arrivals: list[float] = field(default_factory=list)

    def __call__(self, call: Call) -> Reply:
        self.arrivals.append(time.monotonic())
        return Reply(200, [], delay=self.delay)

    def most_in(self, seconds: float) -> int:
        """The most calls within any span of that length."""
        return max(sum(1 for one in self.arrivals if first <= one < first + seconds) for first in self.arrivals)


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'flux.db'}"
    url: str = request.getfixturevalue("pg").new_database()
    upgrade_store(url)
    return url


@pytest.fixture
def api() -> Iterator[tuple[Api, str]]:
    answering = Api()
    with serve(answering) as wire:
        yield answering, wire.url


def start(store_url: str, url: str, calls: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.processes.caller", store_url, url, f"{LIMIT}/{SPAN}s", str(calls)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_processes_at_once_keep_one_limit_and_all_finish(store_url: str, api: tuple[Api, str]) -> None:
    answering, url = api
    open_store(store_url).close()  # made before they all come
    processes = [start(store_url, url, 50) for _ in range(4)]
    for process in processes:
        output, _ = process.communicate(timeout=60)
        assert (process.returncode, output.split()) == (0, ["200"] * 50)
    assert len(answering.arrivals) == 200
    assert answering.most_in(SPAN) <= LIMIT
    # Each has given back what it did not use.
    assert execute(store_url, "SELECT count(*) FROM flux_pace WHERE open = 1") == 0


def test_the_calls_of_a_killed_process_count_and_come_back(store_url: str, api: tuple[Api, str]) -> None:
    answering, url = api
    answering.delay = 0.2
    process = start(store_url, url, 50)
    assert process.stdout is not None
    process.stdout.readline()  # it is under way
    process.kill()
    process.communicate()
    with open_store(store_url) as store:
        rows = execute(store_url, "SELECT count(*) FROM flux_pace WHERE open = 1")
        assert rows >= 1
        limits = (Limit(LIMIT, SPAN),)
        assert store.take_calls("crm", "next", limits, LIMIT, 1).calls < LIMIT
        store.give_back("crm", "next", used=0)
        # The time that must pass is written beside them: it is bounded.
        latest = execute(store_url, "SELECT max(until) FROM flux_pace") - time.time()
        assert latest < 2 * 1 + 5 + 2 * SPAN
        execute(store_url, f"UPDATE flux_pace SET until = until - {latest + 1}")
        assert store.take_calls("crm", "after", limits, LIMIT, 1).calls == LIMIT
