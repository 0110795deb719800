"""A full disk and a locked store: the stage fails with a clear error, and its retry loses nothing."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.processes.conftest import Flux, assert_sum_holds, contacts


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KB, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("this user may not mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_fails_the_stage_and_loses_nothing(flux: Flux, small_disk: Path) -> None:
    flux.staging = str(small_disk / "staging")
    rows = contacts(3000)
    for row in rows:
        row["note"] = os.urandom(40).hex()  # does not shrink
    flux.saas.put(*rows)
    failed = flux.stage("read", "r1")
    assert failed.code == 1
    assert failed.answer["code"] == "STAGING_FAILED"
    assert "No space left on device" in failed.answer["message"]
    assert failed.answer["transient"]

    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    run = flux.run("r1")
    assert_sum_holds(run)
    assert (run["read"], run["written"]) == (3000, 3000)


def test_a_locked_store_fails_the_stage_and_loses_nothing(flux: Flux) -> None:
    flux.saas.put(*contacts(120))
    flux.stage("read", "r1")
    flux.stage("transform", "r1")
    flux.store_url += "?timeout=1"
    lock: sqlite3.Connection | None = None

    def on_write(number: int, moment: str) -> None:
        nonlocal lock
        if number == 3 and moment == "after" and lock is None:
            lock = sqlite3.connect(flux.folder / "flux.db", isolation_level=None, check_same_thread=False)
            lock.execute("BEGIN IMMEDIATE")

    flux.saas.on_write = on_write
    failed = flux.stage("write", "r1")
    assert failed.code == 1
    assert failed.answer["code"] == "STORE_UNAVAILABLE"
    assert lock is not None
    lock.rollback()
    lock.close()
    flux.saas.on_write = lambda number, moment: None

    run = flux.run("r1", "write settle")
    assert_sum_holds(run)
    assert run["written"] == 120
    assert len(flux.saas.upserted) == 120


def test_staged_files_that_vanish_fail_the_run_with_what_to_do(flux: Flux) -> None:
    flux.saas.put(*contacts(120))
    flux.stage("read", "r1")
    for path in (flux.folder / "staging").rglob("*.zst"):
        path.unlink()
    failed = flux.stage("transform", "r1")
    assert failed.answer["code"] == "STAGING_UNSEALED"
    run = flux.run("r1", "settle")
    assert_sum_holds(run)
    assert (run["state"], run["error_stage"], run["error_code"]) == ("failed", "transform", "STAGING_UNSEALED")
    assert (run["read"], run["unsent"], run["cursor_after"]) == (120, 120, None)
    assert "from its read task" in run["error_next_step"]


def test_a_manifest_that_vanished_before_settle_closes_the_run_as_failed(flux: Flux) -> None:
    flux.saas.put(*contacts(120))
    for stage in ("read", "transform", "write"):
        flux.stage(stage, "r1")
    next(iter((flux.folder / "staging").rglob("read-0/manifest.json"))).unlink()
    assert flux.stage("settle", "r1").answer["code"] == "STAGING_UNSEALED"
    with flux.open_store() as store:
        run = store.run("contacts", "r1")
    assert run is not None
    assert (run.state, run.error_stage, run.cursor_after) == ("failed", "settle", None)


def test_outcomes_that_do_not_add_up_fail_the_run_and_keep_the_cursor(flux: Flux) -> None:
    flux.saas.put(*contacts(120))
    for stage in ("read", "transform", "write"):
        flux.stage(stage, "r1")
    with closing(sqlite3.connect(flux.folder / "flux.db")) as database, database:
        database.execute("DELETE FROM flux_outcomes WHERE batch = 2 AND stage = 'write'")
    failed = flux.stage("settle", "r1")
    assert failed.answer["code"] == "ACCOUNTING_MISMATCH"
    assert "120 records were read and 100 have an outcome" in failed.answer["message"]
    with flux.open_store() as store:
        run = store.run("contacts", "r1")
        assert store.cursor("contacts") is None
    assert run is not None
    assert run.state == "failed"
