"""A server in a process of its own, for the time of a block, and not a moment longer."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_PATIENCE = 60
"""Seconds until a server has to answer."""


@contextmanager
def running(
    command: Sequence[str | Path],
    log: Path,
    ready: Callable[[], bool],
    *,
    folder: Path | None = None,
    env: Mapping[str, str] | None = None,
    stop: signal.Signals = signal.SIGKILL,
) -> Iterator[None]:
    """Start the server, wait until `ready()`, and stop it and its children when the block ends.

    The kernel ends it, too, when this process is killed.

    :param log: file for what it prints; shown when it does not come up
    :param env: variables besides those of this process
    :param stop: a server that has to write something down at its end is asked by SIGTERM first
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
    try:
        _wait(process, ready, log)
        yield
    finally:
        _stop(process, stop)


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not ready():
        assert process.poll() is None, f"{process.args!r} ended with {process.returncode}:\n{log.read_text()}"
        assert time.monotonic() < deadline, f"{process.args!r} does not answer:\n{log.read_text()}"
        time.sleep(0.1)


def _stop(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    if process.poll() is None and how != signal.SIGKILL:
        process.send_signal(how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=15)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # its children, too
    process.wait()
