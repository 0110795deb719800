"""Locks, crashes and broken connections."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.store import Store, open_store
from airflow_provider_flux.store.database import LOCK_TIMEOUT
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import Run
from tests.unit.store.data import SHA, TUESDAY, error, failed, link, written


def test_every_sqlite_connection_waits_for_locks_and_writes_through_to_the_disk(sqlite_url: str) -> None:
    with open_store(sqlite_url) as store, store._database.reading() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": LOCK_TIMEOUT * 1000}


def test_a_locked_sqlite_store_is_waited_for_reported_and_loses_nothing(sqlite_url: str) -> None:
    file = sqlite_url.removeprefix("sqlite:///")
    with open_store(f"{sqlite_url}?timeout=0.3") as store, closing(sqlite3.connect(file)) as other:
        run = store.start_run("contacts", "run-1", "scheduled", "contacts")
        store.ack(run, 0, 0, SHA, [written(0, 9)], [], [], 1)
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(FluxError, match=f"the store at {file}: database is locked") as caught:
            store.ack(run, 0, 1, SHA, [written(10, 19)], [], [link("a")], 1)
        assert 0.2 < time.monotonic() - began < 10
        assert caught.value.code == "STORE_UNAVAILABLE"
        assert caught.value.transient
        assert store.count(run, None, 0).buckets == {"written": 10}  # reading goes on
        other.rollback()
        store.ack(run, 0, 1, SHA, [written(10, 19)], [], [link("a")], 1)
        assert store.count(run, None, 0).buckets == {"written": 20}
        assert set(store.links("contacts", ["a"])) == {"a"}


def test_a_lock_that_goes_in_time_is_not_noticed(sqlite_url: str) -> None:
    file = sqlite_url.removeprefix("sqlite:///")
    holder = "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN IMMEDIATE'); "
    holder += "print('held', flush=True); time.sleep(0.5); c.rollback()"
    command = [sys.executable, "-c", holder, file]
    with open_store(sqlite_url) as store, subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        assert store.move_cursor("contacts", TUESDAY, "r1") is True
        assert process.wait() == 0


def test_a_full_disk_is_reported_and_loses_nothing(sqlite_url: str) -> None:
    with open_store(sqlite_url) as store:
        run = store.start_run("contacts", "run-1", "scheduled", "contacts")
        with store._database.reading() as connection:  # the pool gives this connection to the next writer
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(FluxError, match="database or disk is full") as caught:
            store.ack(run, 0, 0, SHA, [failed(0)], [error(0, payload='"' + "x" * 1_000_000 + '"')], [], 1)
        assert caught.value.code == "STORE_UNAVAILABLE"
        assert store.batch_states(run, 0) == {}
        assert store.count(run, None, 0).buckets == {}


def test_customer_data_does_not_leak_into_errors_of_the_database(store: Store, run: Run) -> None:
    gone = Run(**{**run.__dict__, "id": 999})
    with pytest.raises(Exception, match=r"(?i)foreign key") as caught:
        store.record_transform(gone, 0, 0, [], [error(0, "key-of-ann", payload='"ann"')], 1)
    assert "ann" not in str(caught.value).replace("cannot", "")
    assert store.count_errors() == 0


def test_a_connection_that_the_server_closed_is_replaced(postgres_url: str) -> None:
    with open_store(postgres_url) as store:
        store.start_run("contacts", "run-1", "manual", "contacts")
        engine = create_engine(postgres_url, future=True)
        with engine.begin() as connection:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            connection.execute(text(f"{others} AND datname = current_database()"))
        engine.dispose()
        assert store.run("contacts", "run-1") is not None


def test_a_connection_that_breaks_in_a_transaction_undoes_all_of_it(postgres_url: str) -> None:
    with open_store(postgres_url) as store:
        run = store.start_run("contacts", "run-1", "manual", "contacts")
        with pytest.raises(FluxError) as caught:
            _delete_runs_and_die(store)
        assert caught.value.code == "STORE_UNAVAILABLE"
        assert store.run("contacts", "run-1") == run


def _delete_runs_and_die(store: Store) -> None:
    with store._database.writing() as connection:
        connection.execute(text("DELETE FROM flux_runs"))
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


_WRITER = """
import sys
from airflow_provider_flux.store import open_store
from tests.unit.store.data import SHA, error, failed, link, written
store = open_store(sys.argv[1])
run = store.start_run("contacts", "run-1", "scheduled", "contacts")
for batch in range(int(sys.argv[2]), 100_000):
    first = batch * 100
    store.ack(
        run, 0, batch, SHA, [written(first, first + 98), failed(first + 99)], [error(first + 99, f"bad-{batch}")],
        [link(f"key-{first + index}") for index in range(99)], 1,
    )
    print(batch, flush=True)
"""


def _killed_after(url: str, first: int, lines: int) -> Iterator[int]:
    """The batches that a writer reported before it was killed in the middle of a later one."""
    command = [sys.executable, "-c", _WRITER, url, str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as process:
        assert process.stdout is not None
        for _ in range(lines):
            yield int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        yield from map(int, process.stdout.read().splitlines())


def test_a_killed_writer_leaves_whole_batches_only(store_url: str) -> None:
    first = 0
    for lines in (1, 4, 9):
        reported = list(_killed_after(store_url, first, lines))
        with open_store(store_url) as store:
            run = store.start_run("contacts", "run-1", "scheduled", "contacts")
            acked = store.batch_states(run, 0)
            assert set(range(first, reported[-1] + 1)) <= set(acked)  # what was reported is there
            counts = store.count(run, None, 0)
            assert counts.buckets == {"written": 99 * len(acked), "failed": len(acked)}
            assert counts.overlaps == ()
            assert store.count_errors(ErrorFilter(run=run)) == len(acked)
            keys = [f"key-{batch * 100 + index}" for batch in range(max(acked) + 3) for index in range(99)]
            assert len(store.links("contacts", keys)) == 99 * len(acked)
        first = max(acked) + 1
