"""Starting and stopping Airflow's components, with a small program in Airflow's place."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import psutil
import pytest

from airflow_provider_flux.demo.airflow_process import COMPONENTS, AirflowProcess
from airflow_provider_flux.errors import FluxError

# `python -m airflow NAME`: leaves a child in a process group of its own that does not listen to SIGTERM, as a task may.
_STUBBORN = """
import os, signal, sys, time
from pathlib import Path
if sys.argv[1] == "db":
    sys.exit(0)
child = os.fork()
if child == 0:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
(Path(os.environ["PIDS"]) / f"{sys.argv[1]}-{'child' if child == 0 else 'parent'}-{os.getpid()}").touch()
time.sleep(60)
"""

_FAILING = """
import sys
print("reading the configuration", flush=True)
sys.exit("the scheduler has no database" if sys.argv[1] in ("db", "scheduler") else None)
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "airflow").mkdir()
    (tmp_path / "airflow" / "__init__.py").touch()
    (tmp_path / "pids").mkdir()
    (tmp_path / "logs").mkdir()
    return {**os.environ, "PYTHONPATH": str(tmp_path), "PIDS": str(tmp_path / "pids")}


def programmed(environment: dict[str, str], tmp_path: Path, program: str) -> AirflowProcess:
    (tmp_path / "airflow" / "__main__.py").write_text(program)
    return AirflowProcess(environment, tmp_path / "logs", grace=0.5)


def test_nothing_is_left_of_the_components_and_their_children(environment: dict[str, str], tmp_path: Path) -> None:
    def pids() -> list[int]:
        return [int(path.name.rpartition("-")[2]) for path in (tmp_path / "pids").iterdir()]

    with programmed(environment, tmp_path, _STUBBORN) as airflow:
        airflow.prepare()
        airflow.start()
        airflow.wait_until(lambda: len(pids()) == 2 * len(COMPONENTS), "the components start", 20)
        assert all(psutil.pid_exists(pid) for pid in pids())
    deadline = time.monotonic() + 5
    while any(psutil.pid_exists(pid) and not _zombie(pid) for pid in pids()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [pid for pid in pids() if psutil.pid_exists(pid) and not _zombie(pid)] == []


def _zombie(pid: int) -> bool:
    # Where nobody reaps orphans (a container without an init) a killed child stays in the list, dead.
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_a_failed_preparation_shows_the_end_of_the_log(environment: dict[str, str], tmp_path: Path) -> None:
    with (
        programmed(environment, tmp_path, _FAILING) as airflow,
        pytest.raises(FluxError, match=re.escape("`airflow db migrate` ended with code 1")) as failed,
    ):
        airflow.prepare()
    assert failed.value.next_step.endswith("reading the configuration\nthe scheduler has no database")
    assert str(tmp_path / "logs") in failed.value.next_step


def test_a_component_that_ends_is_named_at_once(environment: dict[str, str], tmp_path: Path) -> None:
    program = _FAILING + "\nimport time; time.sleep(60)"
    program = program.replace('sys.exit("the scheduler', 'sys.argv[1] == "scheduler" and sys.exit("the scheduler')
    begin = time.monotonic()
    with programmed(environment, tmp_path, program) as airflow:
        airflow.start()
        with pytest.raises(FluxError, match="Airflow's scheduler ended with code 1") as failed:
            airflow.wait_until(lambda: False, "Airflow does not come up", 30)
    assert time.monotonic() - begin < 20
    assert "the scheduler has no database" in failed.value.next_step


def test_what_takes_too_long_is_given_up(environment: dict[str, str], tmp_path: Path) -> None:
    def refused() -> bool:
        raise ConnectionRefusedError("nobody there")

    with programmed(environment, tmp_path, _STUBBORN) as airflow:
        airflow.start()
        with pytest.raises(FluxError, match=r"Airflow does not come up: not within 1 seconds \(nobody there\)"):
            airflow.wait_until(refused, "Airflow does not come up", 1)
