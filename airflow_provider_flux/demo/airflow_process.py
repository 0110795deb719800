"""A real Airflow for the demo: database, API server, scheduler and DAG processor, and nothing of them left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import psutil

from airflow_provider_flux.errors import FluxError

COMPONENTS = {"api-server": (), "scheduler": ("--skip-serve-logs",), "dag-processor": ()}
"""With their arguments. The API server reads the tasks' logs from the same disk, so nobody has to serve them."""

_MIGRATE_SECONDS = 120.0
_LOG_LINES = 15


class AirflowProcess:
    """Airflow's components, each the leader of its own session, stopped with all their children after the `with` block.

    :param environment: all variables of the components
    :param logs: folder for one log file per component
    :param grace: seconds that everything has to end by itself
    """

    def __init__(self, environment: dict[str, str], logs: Path, grace: float = 4.0) -> None:
        self._environment = environment
        self._logs = logs
        self._grace = grace
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def prepare(self) -> None:
        """Make Airflow's own database.

        :raises FluxError: with the end of the log
        """
        process = self._start("db", "migrate")
        try:
            code = process.wait(_MIGRATE_SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        if code != 0:
            raise self._down("db", f"`airflow db migrate` {_ended(code, _MIGRATE_SECONDS)}")
        del self._running["db"]

    def start(self) -> None:
        """Start the components; they take some seconds to come up."""
        for component, arguments in COMPONENTS.items():
            self._start(component, *arguments)

    def wait_until(self, ready: Callable[[], bool], what: str, seconds: float, component: str = "scheduler") -> None:
        """Wait for something that Airflow does.

        :param ready: may raise OSError: a busy machine answers late, and a server that starts not at all
        :param what: what has not come to pass, if it takes longer than `seconds`
        :param component: whose log then tells more
        :raises FluxError: when a component ended, or it takes longer than `seconds`; with the end of a log
        """
        deadline = time.monotonic() + seconds
        last = ""
        while True:
            try:
                if ready():
                    return
            except OSError as error:
                last = f" ({error})"
            for name, process in self._running.items():
                if process.poll() is not None:
                    raise self._down(name, f"Airflow's {name} {_ended(process.returncode, 0)}")
            if time.monotonic() > deadline:
                raise self._down(component, f"{what}: not within {seconds:.0f} seconds{last}")
            time.sleep(0.5)

    def __enter__(self) -> AirflowProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything, politely first; a second ctrl-C does not disturb it."""
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._stop({process.pid for process in self._running.values()})
        finally:
            signal.signal(signal.SIGINT, before)

    def _stop(self, sessions: set[int]) -> None:
        # The processes are found by their session: a task has a process group of its own.
        _signal_sessions(sessions, signal.SIGTERM)
        deadline = time.monotonic() + self._grace
        while _members(sessions) and time.monotonic() < deadline:
            self._reap()
            time.sleep(0.1)
        _signal_sessions(sessions, signal.SIGKILL)
        for process in self._running.values():
            process.wait()

    def _start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        with self._log(name).open("wb") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "airflow", name, *arguments],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self._running[name]

    def _reap(self) -> None:
        for process in self._running.values():
            process.poll()

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _down(self, name: str, message: str) -> FluxError:
        path = self._log(name)
        with path.open(errors="replace") as log:
            last = "".join(deque(log, _LOG_LINES)).rstrip()
        return FluxError(
            "UNKNOWN", message, next_step=f"Look into {path.parent}; these are the last lines of {path.name}:\n{last}"
        )


def _ended(code: int | None, seconds: float) -> str:
    return f"took longer than {seconds:.0f} seconds" if code is None else f"ended with code {code}"


def _members(sessions: set[int]) -> list[int]:
    """The living processes of these sessions."""
    found = []
    for pid in psutil.pids():
        try:
            if os.getsid(pid) in sessions and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
        except (OSError, psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def _signal_sessions(sessions: set[int], number: signal.Signals) -> None:
    for pid in _members(sessions):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
