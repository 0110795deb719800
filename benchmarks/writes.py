"""Database -> batches of 100 -> REST API: Flux beside dlt, on the same server.

Both stage the records in files first. "records/s" is what the write stage of Flux and the load step of dlt send, "whole
run" is all stages and steps together. Every contender runs in processes of its own. Flux keeps its whole account: each
batch is noted before it is sent, each record's verdict is read from the answer, and its link is kept.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from airflow_provider_flux.store import open_store
from benchmarks.contacts import contact
from benchmarks.pipeline import STAGES

LATENCY = 0.05
"""Seconds until the API answers."""
LIMIT, SPAN = 200, 2.0
"""The declared limit of the second part: calls, and within how many seconds."""
PACED_CALLS = 1600

COLUMNS = (
    "id", "email", "phone", "firstname", "lastname", "company", "lifecycle", "score", "city", "zip", "country",
    "updated_at",
)  # fmt: skip


@dataclass
class Figure:
    """What one contender needed.

    :param sending: seconds of the part that calls the API
    :param whole: seconds of all parts together
    :param cpu: seconds of the part that calls the API
    :param records: as the server counted them
    """

    sending: float
    whole: float
    cpu: float
    records: int

    @property
    def speed(self) -> float:
        """Records in a second, while the API is called."""
        return self.records / self.sending

    @property
    def whole_speed(self) -> float:
        """Records in a second of the whole run."""
        return self.records / self.whole


def main(records: int, rounds: int) -> int:
    """Measure and print; 1 when a contender delivered too few records, or a limit was not kept."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="flux-bench-") as folder, _api() as url:
        database = f"{folder}/contacts.db"
        _fill(database, records)
        best: dict[str, Figure] = {}
        for number in range(rounds):
            for name, figure in _round(url, database, f"{folder}/{number}").items():
                console.print(f"{name}: {figure.speed:,.0f} records/s, whole {figure.whole_speed:,.0f}", style="dim")
                if name not in best or figure.speed > best[name].speed:
                    best[name] = figure
        _print(console, records, best)
        kept = _paced(console, url, folder)
    honest = all(figure.records == records for figure in best.values())
    if not honest:
        console.print("[red]The contenders did not deliver every record.")
    return 0 if honest and kept else 1


def _round(url: str, database: str, folder: str) -> dict[str, Figure]:
    os.makedirs(folder)
    environment = {
        "AIRFLOW_CONN_BENCH_API": json.dumps({"conn_type": "flux_rest", "host": url}),
        "AIRFLOW_CONN_BENCH_DB": json.dumps({"conn_type": "flux_sql", "extra": {"url": f"sqlite:///{database}"}}),
    }
    # Made once, when Flux is installed, by `airflow-flux db upgrade`.
    open_store(f"sqlite:///{folder}/flux.db").close()
    reports = [_run("flux_stage", stage, folder, "contacts_out", environment=environment)[-1] for stage in STAGES]
    figures = {"Flux, 16 in flight": _figure(reports, STAGES.index("write"), url)}
    for workers in ("8", "16"):
        environment = {
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "DLT_DATA_DIR": f"{folder}/dlt-{workers}",
            "NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": "2500",  # a job is a file, and a worker takes a job
        }
        reports = _run("dlt_writes", url, database, f"{folder}/dlt-{workers}", workers, environment=environment)
        figures[f"dlt, {workers} workers"] = _figure(reports, -1, url)
    return figures


def _figure(reports: list[dict[str, float]], sending: int, url: str) -> Figure:
    """:param sending: the place of the part that calls the API"""
    whole = sum(report["wall"] for report in reports)
    return Figure(reports[sending]["wall"], whole, reports[sending]["cpu"], _seen(url)["records"])


def _print(console: Console, records: int, figures: dict[str, Figure]) -> None:
    flux, *peers = figures.values()
    table = Table(title=f"{records:,} records in batches of 100 to an API that answers after {LATENCY * 1000:.0f} ms")
    for column in ("", "records/s", "Flux / it", "whole run", "Flux / it", "CPU s"):
        table.add_column(column, justify="left" if not column else "right")
    for name, figure in figures.items():
        table.add_row(
            name,
            f"{figure.speed:,.0f}",
            f"{flux.speed / figure.speed:.2f}",
            f"{figure.whole_speed:,.0f}",
            f"{flux.whole_speed / figure.whole_speed:.2f}",
            f"{figure.cpu:.2f}",
        )
    console.print(table)
    sending = flux.speed / max(peer.speed for peer in peers)
    whole = flux.whole_speed / max(peer.whole_speed for peer in peers)
    console.print(f"Flux / the better of dlt: {sending:.2f} while the API is called, {whole:.2f} for the whole run")


def _paced(console: Console, url: str, folder: str) -> bool:
    """Processes on one connection with a declared limit: the share of it that they reach, and whether it was kept."""
    table = Table(title=f"A limit of {LIMIT} calls in {SPAN:g} s, by the server's count")
    for column in ("processes", "calls", "most in any span", "share of the limit"):
        table.add_column(column, justify="right")
    kept = True
    for processes in (1, 4):
        store = f"sqlite:///{folder}/pace-{processes}.db"
        arguments = (store, url, f"{LIMIT}/{SPAN:g}s", str(PACED_CALLS // processes))
        running = [_start("paced_calls", *arguments) for _ in range(processes)]
        codes = [process.wait() for process in running]
        arrivals = sorted(_seen(url)["arrivals"])
        most = _most(arrivals)
        # At best the first span's calls all come at once, and the others as fast as they may.
        share = (len(arrivals) / LIMIT - 1) * SPAN / (arrivals[-1] - arrivals[0])
        kept = kept and most <= LIMIT and not any(codes)
        table.add_row(str(processes), str(len(arrivals)), str(most), f"{share:.0%}")
    console.print(table)
    return kept


def _most(arrivals: list[float]) -> int:
    """The most calls within any span of the limit."""
    most = first = 0
    for last, arrival in enumerate(arrivals):
        while arrivals[first] <= arrival - SPAN:
            first += 1
        most = max(most, last - first + 1)
    return most


def _fill(database: str, records: int) -> None:
    connection = sqlite3.connect(database)
    connection.execute(f"CREATE TABLE contacts ({', '.join(COLUMNS)}, PRIMARY KEY (id))")
    marks = ", ".join("?" * len(COLUMNS))
    connection.executemany(f"INSERT INTO contacts VALUES ({marks})", (_row(number) for number in range(records)))
    connection.commit()
    connection.close()


def _row(number: int) -> list[Any]:
    record = contact(number)
    flat = {**record, **record["address"]}
    return [flat[column] for column in COLUMNS]


def _seen(url: str) -> dict[str, Any]:
    """What the server saw since the last question."""
    with urllib.request.urlopen(f"{url}/arrivals") as answer:
        seen: dict[str, Any] = json.load(answer)
    return seen


@contextmanager
def _api() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.batch_api", str(LATENCY)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


def _run(module: str, *arguments: str, environment: dict[str, str]) -> list[dict[str, float]]:
    """What a contender reports, part by part."""
    process = _start(module, *arguments, environment=environment)
    output, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"benchmarks.contenders.{module} ended with {process.returncode}")
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def _start(module: str, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    # With compiled modules, as any installed program has them.
    surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", f"benchmarks.contenders.{module}", *arguments]
    return subprocess.Popen(command, env={**surroundings, **(environment or {})}, stdout=subprocess.PIPE, text=True)
