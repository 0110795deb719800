"""`airflow-flux demo` from beginning to end, in a terminal's place, and stopped in the middle."""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest

from airflow_provider_flux.demo.contacts import COUNT, make_book
from airflow_provider_flux.store import open_store
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import Run

AIRFLOW_2 = version("apache-airflow").startswith("2.")

COMMAND = [sys.executable, "-m", "airflow_provider_flux.cli", "demo"]
REPAIRED = {"letters in the phone": ("phone", "INVALID_FORMAT"), "too long": ("company", "VALUE_TOO_LONG")}
REPAIRED |= {"wrong type": ("score", "INVALID_FORMAT")}
LEFT = {"no e-mail": ("email", "REQUIRED_FIELD_MISSING"), "bad e-mail": ("email", "INVALID_EMAIL")}
LEFT |= {"duplicate": ("email", "DUPLICATE_RECORD"), "null key": ("", "KEY_MISSING")}


def processes_of(folder: Path) -> list[str]:
    """The command lines of everything that works in this folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("AIRFLOW_HOME", "").startswith(str(folder)) and process.is_running():
                found.append(" ".join(process.cmdline()))
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # a zombie has no environment either
            continue
    return found


def contacts_in(folder: Path) -> list[tuple[str, str | None, float | None, int]]:
    with closing(sqlite3.connect(folder / "warehouse.db")) as database:
        return database.execute("SELECT crm_id, phone, score, length(company) FROM contacts").fetchall()


def sums(text: str) -> list[dict[str, int]]:
    """Of every run that was shown: the buckets as printed."""
    lines = re.findall(r"records   (.+(?:\n {12}.+)*)", text)
    return [{name: int(number) for number, name in re.findall(r"(\d+) (\w+)", line)} for line in lines]


def groups(text: str) -> list[dict[tuple[str, str], int]]:
    """Of every run that was shown: the errors by frequency as printed."""
    parts = text.split("errors by frequency")[1:]
    pattern = re.compile(r"^ +(\d+) x .+ in \w+: (\S+?) \((\w+)\)$", re.MULTILINE)
    return [{(field, code): int(number) for number, field, code in pattern.findall(part)} for part in parts]


@pytest.mark.skipif(AIRFLOW_2, reason="the demo starts Airflow 3")
@pytest.mark.timeout(400)
def test_the_demo_accounts_for_every_record_and_leaves_nothing_behind(tmp_path: Path) -> None:
    folder, book = tmp_path / "demo", make_book()
    begin = time.monotonic()
    done = subprocess.run([*COMMAND, "--folder", folder], capture_output=True, text=True, check=False)
    seconds = time.monotonic() - begin
    assert done.returncode == 0, done.stdout + done.stderr
    assert processes_of(folder) == []
    assert seconds < 180

    bad = {name: len(ids) for name, ids in book.bad.items()}
    first, replay, customers = sums(done.stdout)
    lost, repaired = sum(bad.values()), sum(bad[name] for name in REPAIRED)
    dropped = {"skipped": len(book.spam), "deduplicated": len(book.relisted), "held": 0, "unsent": 0}
    assert first == {
        "read": COUNT,
        "written": COUNT - lost - len(book.spam) - len(book.relisted),
        "failed": lost,
        **dropped,
    }
    dropped = {"skipped": 0, "deduplicated": 0, "held": 0, "unsent": 0}
    assert replay == {"read": lost, "written": repaired, "failed": lost - repaired, **dropped}
    assert customers["failed"] == len(book.long_names)
    assert customers["read"] == sum(count for name, count in customers.items() if name != "read")

    before, after, refused = groups(done.stdout)
    key_of = {**REPAIRED, **{name: (field or "id", code) for name, (field, code) in LEFT.items()}}
    assert before == {key_of[name]: number for name, number in bad.items()}
    assert after == {key_of[name]: bad[name] for name in LEFT}
    assert refused == {("name", "VALUE_TOO_LONG"): len(book.long_names)}

    # The third count, the destination's own: printed as it is, and the rows that had to be there.
    rows = contacts_in(folder)
    counted = [int(number) for number in re.findall(r"The destination's own count: (\d+)", done.stdout)]
    assert counted == [first["written"], first["written"] + repaired, customers["written"]]
    assert len(rows) == counted[1]
    by_id = {row[0]: row for row in rows}
    assert all(by_id[identifier][1] is None for identifier in book.bad["letters in the phone"])
    assert all(by_id[identifier][2] is None for identifier in book.bad["wrong type"])
    assert all(by_id[identifier][3] == 60 for identifier in book.bad["too long"])
    assert all(by_id[identifier][2] == 100 for identifier in book.relisted), "the newer version of a relisted contact"
    absent = {*book.bad["no e-mail"], *book.bad["bad e-mail"], *book.spam}
    assert absent.isdisjoint(by_id)

    runs = {(run.flow, run.trigger): run for run in recorded(folder)}
    assert set(runs) == {("crm_contacts", "scheduled"), ("crm_contacts", "replay"), ("ledger_customers", "scheduled")}
    assert runs["crm_contacts", "scheduled"].state == "partial"
    resolved_by_the_replay(folder, runs["crm_contacts", "replay"], repaired)
    for expected in (
        "+++ include/mappings/contacts/v2.yaml",
        "skip_invalid: true",
        "/dags/crm_contacts/runs/scheduled__",
    ):
        assert expected in done.stdout


def recorded(folder: Path) -> list[Run]:
    """The newest first: where the clock strikes in the demo, a flow has one more tick, and its first one counts."""
    with open_store(f"sqlite:///{folder / 'flux.db'}") as store:
        return store.runs()


def resolved_by_the_replay(folder: Path, replay: Run, number: int) -> None:
    with open_store(f"sqlite:///{folder / 'flux.db'}") as store:
        rows = store.errors(ErrorFilter(flow="crm_contacts", state="resolved"))
        assert len(rows) == number
        assert {row.resolved_by for row in rows} == {replay.run_id}


@pytest.mark.skipif(AIRFLOW_2, reason="the demo starts Airflow 3")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_middle_nothing_is_left_behind(tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "demo"
    with subprocess.Popen([*COMMAND, "--folder", folder], stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if "API server, scheduler and DAG processor ..." in line:
                break
        while len(processes_of(folder)) < 3:
            time.sleep(0.1)
        demo.send_signal(number)
        assert demo.wait(20) == 130
    assert processes_of(folder) == []


@pytest.mark.skipif(AIRFLOW_2, reason="the demo starts Airflow 3")
def test_a_taken_port_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [*COMMAND, "--folder", str(tmp_path / "demo"), "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        f"airflow-flux: --port {port}: {os.strerror(errno.EADDRINUSE)}; choose another one, or none for a free one\n"
    )
    assert not (tmp_path / "demo").exists()


@pytest.mark.skipif(not AIRFLOW_2, reason="Airflow 3 is what the demo wants")
def test_beside_airflow_2_it_says_what_it_needs(tmp_path: Path) -> None:
    done = subprocess.run([*COMMAND, "--folder", tmp_path / "demo"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("airflow-flux: the demo starts Airflow 3, and 2.")
