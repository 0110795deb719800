"""MariaDB, where it is installed (Debian: mariadb-server-core and mariadb-client-core are enough)."""

from __future__ import annotations

import getpass
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.contracts.servers.wire import unused_port
from tests.servers.process import running


@dataclass(frozen=True)
class MariaDb:
    """A server on the loopback interface, whose user `flux` may do everything."""

    port: int
    socket: Path
    host: str = "127.0.0.1"
    user: str = "flux"
    password: str = "s3cret-pass"
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str, driver: str = "pymysql") -> str:
        """SQLAlchemy URL."""
        return f"mysql+{driver}://{self.user}:{self.password}@{self.host}:{self.port}/{database}?charset=utf8mb4"

    def new_database(self) -> str:
        """The name of a new, empty database."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return name

    def sql(self, statement: str) -> None:
        """Run statements as the administrator; no driver is needed."""
        command = ["mariadb", "--no-defaults", "--user=root", f"--socket={self.socket}", "--execute", statement]
        subprocess.run(command, check=True, capture_output=True, timeout=30)


@contextmanager
def serve() -> Iterator[MariaDb]:
    """A new server with its data in a temporary folder (a short path: that of a socket has at most 107 bytes)."""
    daemon, install = _program("mariadbd"), _program("mariadb-install-db")
    _program("mariadb")
    with tempfile.TemporaryDirectory(prefix="flux-my-") as scratch:
        folder = Path(scratch)
        user = getpass.getuser()
        subprocess.run(
            [
                install,
                "--no-defaults",
                f"--datadir={folder}/data",
                f"--user={user}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ],
            check=True,
            capture_output=True,
            timeout=60,
        )
        server = MariaDb(unused_port(), folder / "socket")
        command = [
            daemon,
            "--no-defaults",
            f"--datadir={folder}/data",
            f"--user={user}",
            f"--bind-address={server.host}",
            f"--port={server.port}",
            f"--socket={server.socket}",
            f"--pid-file={folder}/pid",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=64M",
        ]
        with running(command, folder / "log", lambda: _is_up(server), stop=signal.SIGTERM):
            server.sql(f"CREATE USER {server.user}@'%' IDENTIFIED BY '{server.password}'")
            server.sql(f"GRANT ALL ON *.* TO {server.user}@'%'")
            yield server


def _is_up(server: MariaDb) -> bool:
    try:
        server.sql("SELECT 1")
    except subprocess.CalledProcessError:
        return False
    return True


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"MariaDB is not installed here: there is no {name}")
    return found
