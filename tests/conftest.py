"""What every test may use. The process variables are set here, before any test module is imported."""

from __future__ import annotations

import atexit
import importlib.util
import itertools
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy

_SCRATCH = Path(tempfile.mkdtemp(prefix="flux-tests-"))


def _isolate() -> None:
    """An Airflow home of this test session's own, and nothing of the configuration of another Airflow."""
    for name in [name for name in os.environ if name.startswith("AIRFLOW_")]:
        del os.environ[name]
    os.environ["AIRFLOW_HOME"] = str(_SCRATCH / "airflow")
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
    os.environ["AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY"] = "True"  # else Airflow 2.11 warns at every import
    runtime = _SCRATCH / "runtime"  # pgserver keeps a lock file there, and warns when the variable is not set
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)


_isolate()
# A slow machine is no failure; CI looks at the same examples every time, a developer at new ones.
hypothesis.settings.register_profile("flux", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("flux")
atexit.register(shutil.rmtree, _SCRATCH, ignore_errors=True)  # after pgserver's own, which writes there once more


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL server on a Unix socket, for the tests of this session.

    :param socket: folder of the socket
    """

    socket: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str = "postgres") -> str:
        """SQLAlchemy URL, with the driver that is installed: psycopg, or psycopg2 beside SQLAlchemy 1.4."""
        driver = "psycopg" if importlib.util.find_spec("psycopg") else "psycopg2"
        return f"postgresql+{driver}://postgres@/{database}?host={self.socket}"

    def new_database(self) -> str:
        """The SQLAlchemy URL of a new, empty database."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        engine = sqlalchemy.create_engine(self.url(), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return self.url(name)


@pytest.fixture(scope="session")
def pg() -> Iterator[Postgres]:
    """A running PostgreSQL server (from the package pgserver: no installation, works as root)."""
    pgserver = pytest.importorskip("pgserver", reason="pgserver has no build for this Python")
    logging.getLogger("pgserver").setLevel(logging.WARNING)  # it logs once more when the streams are closed
    folder = _SCRATCH / "pg"
    folder.mkdir()
    server = pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield Postgres(socket=folder)
    finally:
        server.cleanup()


@pytest.fixture
def airflow_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An Airflow home of the test's own; `settings.load()` and new processes see it."""
    home = tmp_path / "airflow"
    home.mkdir()
    monkeypatch.setenv("AIRFLOW_HOME", str(home))
    return home
