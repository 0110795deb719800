"""REST -> map -> PostgreSQL: Flux, dlt and a hand-written loop, one after another on the same server and database.

Every contender runs in processes of its own and is charged the CPU of those alone, not of the API server or of
PostgreSQL. All use Flux's map function, so that the figures compare what surrounds it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pgserver
import psycopg
from rich.console import Console
from rich.table import Table

TABLE = """CREATE TABLE {name} (
    id bigint PRIMARY KEY, email text NOT NULL, phone text, first_name text, last_name text, company text, stage text,
    score bigint, street text, city text, zip text, country text, owner text,
    created_at timestamptz, updated_at timestamptz)"""

STAGES = ("read", "transform", "write", "settle")


@dataclass
class Figure:
    """CPU seconds of the work and of the start, wall seconds, MB of the largest process, rows that arrived."""

    cpu: float
    start_cpu: float
    wall: float
    rss_mb: float
    rows: int
    stage_rss: dict[str, float]


def main(sizes: Sequence[int], without: Sequence[str]) -> int:
    """Measure each size and print tables; 1 when a contender delivered another number of rows than the bare loop."""
    console = Console()
    flux_by_size: dict[int, Figure] = {}
    honest = True
    with tempfile.TemporaryDirectory(prefix="flux-bench-") as folder:
        database = pgserver.get_server(f"{folder}/pg", cleanup_mode="stop")
        for records in sizes:
            with _api(records) as url:
                figures = _measure(records, url, database.get_uri(), folder, without, console)
            _print(console, records, figures)
            flux_by_size[records] = figures["flux"]
            honest = honest and len({figure.rows for figure in figures.values()}) == 1
        database.cleanup()
    _print_memory(console, flux_by_size)
    if not honest:
        console.print("[red]The contenders did not deliver the same number of rows.")
    return 0 if honest else 1


def _measure(
    records: int, url: str, dsn: str, folder: str, without: Sequence[str], console: Console
) -> dict[str, Figure]:
    contenders: dict[str, Callable[[], Figure]] = {
        "loop": lambda: _loop(url, dsn),
        "flux": lambda: _flux(url, dsn, f"{folder}/flux-{records}"),
        "dlt": lambda: _dlt(url, dsn, f"{folder}/dlt-{records}"),
    }
    figures = {}
    for name, contender in contenders.items():
        if name in without:
            continue
        console.print(f"{records:,} records: {name} ...", style="dim")
        figures[name] = contender()
    return figures


def _flux(url: str, dsn: str, folder: str) -> Figure:
    os.makedirs(folder)
    _sql(dsn, "DROP TABLE IF EXISTS contacts_flux", TABLE.format(name="contacts_flux"))
    environment = {
        "AIRFLOW_CONN_BENCH_API": json.dumps({"conn_type": "flux_rest", "host": url}),
        "AIRFLOW_CONN_BENCH_DB": json.dumps({"conn_type": "flux_sql", "extra": {"url": dsn}}),
    }
    reports = {stage: _run("flux_stage", stage, folder, environment=environment) for stage in STAGES}
    return Figure(
        cpu=sum(report["cpu"] for report in reports.values()),
        start_cpu=sum(report["start_cpu"] for report in reports.values()),
        wall=sum(report["wall"] for report in reports.values()),
        rss_mb=max(report["rss_mb"] for report in reports.values()),
        rows=_count(dsn, "contacts_flux"),
        stage_rss={stage: report["rss_mb"] for stage, report in reports.items()},
    )


def _loop(url: str, dsn: str) -> Figure:
    _sql(dsn, "DROP TABLE IF EXISTS contacts_loop", TABLE.format(name="contacts_loop"))
    return _figure(_run("bare_loop", url, dsn, "contacts_loop"), _count(dsn, "contacts_loop"))


def _dlt(url: str, dsn: str, folder: str) -> Figure:
    _sql(dsn, "DROP SCHEMA IF EXISTS dlt_contacts CASCADE")
    environment = {"RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": folder}
    # dlt insists on a host; libpq prefers the socket that stands in the query.
    report = _run("dlt_pipeline", url, dsn.replace("@/", "@localhost/"), folder, environment=environment)
    return _figure(report, _count(dsn, "dlt_contacts.contacts"))


def _figure(report: dict[str, float], rows: int) -> Figure:
    return Figure(report["cpu"], report["start_cpu"], report["wall"], report["rss_mb"], rows, {})


def _run(module: str, *arguments: str, environment: dict[str, str] | None = None) -> dict[str, Any]:
    # With compiled modules, as any installed program has them.
    surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.contenders.{module}", *arguments],
        env={**surroundings, **(environment or {})},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


@contextmanager
def _api(records: int) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server", str(records)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


def _sql(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _count(dsn: str, table: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])


def _print(console: Console, records: int, figures: dict[str, Figure]) -> None:
    table = Table(title=f"REST -> map -> PostgreSQL, {records:,} records, 3 % bad")
    for column in ("", "CPU s", "CPU / Flux", "records / CPU s", "wall s", "RSS MB", "rows", "start CPU s"):
        table.add_column(column, justify="left" if not column else "right")
    flux = figures["flux"].cpu
    for name, figure in figures.items():
        table.add_row(
            name,
            f"{figure.cpu:.2f}",
            f"{figure.cpu / flux:.2f}",
            f"{records / figure.cpu:,.0f}",
            f"{figure.wall:.1f}",
            f"{figure.rss_mb:.0f}",
            f"{figure.rows:,}",
            f"{figure.start_cpu:.2f}",
        )
    console.print(table)


def _print_memory(console: Console, by_size: dict[int, Figure]) -> None:
    table = Table(title="Flux: memory of each stage (MB), by number of records")
    table.add_column("records", justify="right")
    for stage in STAGES:
        table.add_column(stage, justify="right")
    for records, figure in by_size.items():
        table.add_row(f"{records:,}", *(f"{figure.stage_rss[stage]:.0f}" for stage in STAGES))
    console.print(table)
