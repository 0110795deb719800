"""A full disk and a locked store: the stage fails with a clear error, and its retry loses nothing."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
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
