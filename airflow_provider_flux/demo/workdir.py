"""The work folder of the demo: its own Airflow home, flow files, store and databases."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from airflow_provider_flux.cli.values import UsageError
from airflow_provider_flux.demo import crm, ledger, warehouse
from airflow_provider_flux.demo.sandbox import Sandbox
from airflow_provider_flux.errors import FluxError

_MARK = ".flux-demo-folder"


@dataclass(frozen=True)
class Workdir:
    """:param root: the folder; everything the demo writes is in it"""

    root: Path

    @property
    def airflow_home(self) -> Path:
        return self.root / "airflow"

    @property
    def include(self) -> Path:
        return self.root / "include"

    @property
    def dags(self) -> Path:
        return self.root / "dags"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse.db"

    def environment(self, sandbox: Sandbox, port: int) -> dict[str, str]:
        """The variables under which Airflow and `airflow-flux` work in this folder and nowhere else."""
        return {
            "AIRFLOW_HOME": str(self.airflow_home),
            "AIRFLOW__FLUX__INCLUDE": str(self.include),
            "AIRFLOW__FLUX__STORE": f"sqlite:///{self.root / 'flux.db'}",
            "AIRFLOW__FLUX__STAGING": str(self.root / "staging"),
            "AIRFLOW__FLUX__TASK_RETRY_DELAYS": "2,5,10",
            **_connections(sandbox, self.warehouse),
            **_airflow_settings(self.dags, port),
        }

    def write_env_file(self, environment: dict[str, str]) -> Path:
        """A file for `source`, with which another terminal sees this demo."""
        path = self.root / "env.sh"
        path.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items()))
        path.chmod(0o600)
        return path


@contextmanager
def make_workdir(folder: Path) -> Iterator[Workdir]:
    """Make the folder anew. An older one of the demo is replaced, anything else is left alone.

    :raises UsageError: when the folder holds something else, or another demo works in it
    """
    root = folder.absolute()
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root} is not a folder; choose another one with --folder")
    if root.exists() and any(root.iterdir()) and not (root / _MARK).exists():
        raise UsageError(f"{root} holds other files; choose another folder with --folder")
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{root} cannot be made: {error.strerror}; choose another folder with --folder") from None
    with (root / _MARK).open("w") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"another demo works in {root}; choose another folder with --folder") from None
        _clear(root)
        workdir = Workdir(root)
        source = _examples()
        shutil.copytree(source / "include", workdir.include)
        shutil.copytree(source / "dags", workdir.dags, ignore=shutil.ignore_patterns("__pycache__"))
        workdir.logs.mkdir()
        warehouse.create(workdir.warehouse)
        yield workdir


def _clear(root: Path) -> None:
    for entry in root.iterdir():
        if entry.name == _MARK:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _examples() -> Path:
    """The folder with the shipped `include` and `dags`: inside an installed package, or the clone it is run from."""
    package = Path(__file__).parent
    for place in (package / "files", package.parent.parent):
        if (place / "include" / "flows").is_dir() and (place / "dags").is_dir():
            return place
    raise FluxError(
        "CONFIG_INVALID",
        "the shipped example flows are not part of this installation",
        next_step="Run the demo from a clone of the project: python3 run.py demo",
    )


def _connections(sandbox: Sandbox, database: Path) -> dict[str, str]:
    connections = {
        "nimbus_crm": {"conn_type": "flux_rest", "host": sandbox.crm_url, "password": crm.KEY},
        "ledger": {"conn_type": "flux_rest", "host": sandbox.ledger_url, "password": ledger.KEY},
        "warehouse": {"conn_type": "flux_sql", "extra": {"url": f"sqlite:///{database}"}},
    }
    return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(fields) for name, fields in connections.items()}


def _airflow_settings(dags: Path, port: int) -> dict[str, str]:
    """Airflow as small as it gets: one machine, SQLite, four tasks at once, everybody on this machine is admin."""
    url = f"http://127.0.0.1:{port}"
    return {
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(16),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "5",
    }


def clean_environment() -> dict[str, str]:
    """The variables of this process without those of another Airflow."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
