"""A desk at which a person works: files, connections, the command line, and the two systems around it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
import yaml
from sqlalchemy import text
from sqlalchemy.pool import NullPool

from airflow_provider_flux.cli import main
from airflow_provider_flux.connectors.credentials import from_environment
from airflow_provider_flux.errors import CATALOGUE
from airflow_provider_flux.flow.loader import load_flow
from airflow_provider_flux.stages.context import ReplayOrder, RunContext
from airflow_provider_flux.stages.local import run_flow
from airflow_provider_flux.stages.report import RunReport
from airflow_provider_flux.staging import open_staging
from airflow_provider_flux.store import open_store
from airflow_provider_flux.store.filters import ErrorFilter
from tests.contracts.servers.wire import Call, Reply, Wire, serve
from tests.scenarios.page import changed, commands, missing_lines, snippet
from tests.scenarios.systems import System

_TABLE = "CREATE TABLE contacts (id TEXT PRIMARY KEY, name VARCHAR(40), email TEXT UNIQUE, phone TEXT, updated_at TEXT)"


@dataclass(frozen=True)
class Said:
    """What a command printed."""

    code: int
    out: str
    err: str

    def shows(self, name: str) -> Said:
        """It printed what the page quotes under this name, and of a run that is quoted also why, and what to do."""
        quoted, printed = snippet("shown", name), self.out + self.err
        missing = missing_lines(quoted, printed)
        for code in re.findall(r"^ *(?:failed in|mostly) .*\((\w+)\)$", quoted, re.MULTILINE):
            missing += missing_lines(f"why {CATALOGUE[code].cause}\nnext ...", printed)
        assert not missing, f"not printed: {missing}\n--- printed:\n{printed}"
        return self


@dataclass
class Desk:
    """Where a person works who is in trouble, with the page open."""

    folder: Path
    _environment: pytest.MonkeyPatch
    _capsys: pytest.CaptureFixture[str]
    warehouse: str = ""
    ticks: int = field(default=0)

    @property
    def store_url(self) -> str:
        return f"sqlite:///{self.folder / 'flux.db'}"

    # --- files and connections ----------------------------------------------------------------

    def connect(self, name: str, **fields: Any) -> None:
        """Put a connection into the environment, where Airflow and Flux look first."""
        self._environment.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(fields))

    def connect_system(self, name: str, url: str, password: str, **extra: Any) -> None:
        """A connection to an HTTP system. Throttles are waited out for a moment only, where Airflow takes a minute."""
        extra = {"timeout": 5, "retry_budget": 0.1, **extra}
        self.connect(name, conn_type="flux_rest", host=url, password=password, extra=extra)

    def connect_warehouse(self, url: str) -> None:
        """A new warehouse with an empty table `contacts`."""
        self.warehouse = url
        self.connect("warehouse", conn_type="flux_sql", extra={"url": url})
        self.sql(_TABLE)

    def write(self, name: str, content: str) -> None:
        """Write a file below the include folder."""
        file = self.folder / "include" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    def read(self, name: str) -> str:
        return (self.folder / "include" / name).read_text()

    def take(self, *names: str) -> None:
        """Take whole files from the page."""
        for name in names:
            self.write(name, snippet("file", name))

    def change_flow(self, fix: str, flow: str = "contacts") -> None:
        """Lay keys over those of the flow file; null takes a key away."""
        self.write(f"flows/{flow}.yaml", changed(self.read(f"flows/{flow}.yaml"), fix))

    def change_mapping(self, rules: str, mapping: str = "contacts") -> None:
        """Write the newest version of the mapping again with these rules in it: how it was before the trouble."""
        newest = self._newest(mapping)
        self.write(newest, changed(self.read(newest), rules))

    def fix(self, name: str, flow: str = "contacts", mapping: str = "contacts") -> None:
        """Do what the page says under this name: to the flow file, or in a new version of the mapping, promoted."""
        fix = snippet("fix", name)
        if isinstance(yaml.safe_load(fix), dict):
            self.change_flow(fix, flow)
        else:
            newest = self._newest(mapping)
            version = int(Path(newest).stem[1:]) + 1
            self.write(f"mappings/{mapping}/v{version}.yaml", changed(self.read(newest), fix))
            said = self.type("mapping", "promote", mapping, str(version))
            assert said.code == 0, said
        self.checked()

    def _newest(self, mapping: str) -> str:
        found = (self.folder / "include" / "mappings" / mapping).glob("v*.yaml")
        newest = max(found, key=lambda file: int(file.stem[1:]))
        return f"mappings/{mapping}/{newest.name}"

    # --- the command line ---------------------------------------------------------------------

    def type(self, *argv: str) -> Said:
        """Call the command line in this process."""
        self._capsys.readouterr()
        try:
            code = main(argv)
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        said = self._capsys.readouterr()
        return Said(code, said.out, said.err)

    def do(self, name: str) -> Said:
        """Type the commands of the page under this name; what all of them printed, and the last exit code.

        Nobody runs Airflow here: what the page lets Airflow do is done in this process.
        """
        done = []
        for argv in commands(snippet("run", name)):
            if argv[0] == "errors" and argv[1] in ("retry", "approve"):
                argv.append("--local")
            done.append(self.type(*argv))
        return Said(done[-1].code, "".join(said.out for said in done), "".join(said.err for said in done))

    def checked(self) -> None:
        """The files are valid."""
        said = self.type("check")
        assert said.code == 0, said.out + said.err

    # --- what Airflow does --------------------------------------------------------------------

    def tick(self, flow: str = "contacts", trigger: str = "scheduled", **more: Any) -> RunReport:
        """One run of the flow, as the scheduler starts it."""
        self.ticks += 1
        include = self.folder / "include"
        with open_store(self.store_url) as store:
            return run_flow(
                RunContext(
                    flow=load_flow(include, flow),
                    run_id=more.pop("run_id", f"{trigger}__{self.ticks}"),
                    trigger=trigger,
                    store=store,
                    staging=open_staging(str(self.folder / "staging")),
                    credentials=_connection,
                    include=include,
                    **more,
                )
            )

    def clear(self, run_id: str, flow: str = "contacts") -> RunReport:
        """The failed tasks of a scheduled run, cleared in Airflow and done again."""
        return self.tick(flow, run_id=run_id, epoch=1)

    def retry_what_is_due(self, flow: str = "contacts") -> RunReport:
        """What the timer starts when the time of a record has come."""
        return self.tick(flow, "retry", replay=ReplayOrder(due=True))

    # --- the truth ----------------------------------------------------------------------------

    def rows(self, table: str = "contacts") -> dict[Any, dict[str, Any]]:
        """What is in the warehouse, by id."""
        with sqlalchemy.create_engine(self.warehouse, poolclass=NullPool).connect() as connection:
            found = connection.execute(text(f"SELECT * FROM {table}"))
            return {row["id"]: dict(row) for row in found.mappings()}

    def sql(self, statement: str) -> None:
        """Change the warehouse, as its administrator does."""
        with sqlalchemy.create_engine(self.warehouse, poolclass=NullPool).begin() as connection:
            connection.execute(text(statement))

    def states(self, flow: str = "contacts") -> dict[str, str]:
        """The state of the newest error of each record."""
        with open_store(self.store_url) as store:
            errors = sorted(store.iter_errors(ErrorFilter(flow=flow)), key=lambda error: error.id)
        return {error.source_key or "": error.state for error in errors}


def _connection(conn_id: str) -> Any:
    found = from_environment(conn_id)
    assert found is not None, conn_id
    return found


Serve = Callable[[Callable[[Call], Reply]], Wire]


@pytest.fixture
def crm() -> Iterator[System]:
    """The system that flows read, at `crm.url`."""
    yield from _served(System())


@pytest.fixture
def billing() -> Iterator[System]:
    """The system that some flows write, at `billing.url`."""
    yield from _served(System())


def _served(system: System) -> Iterator[System]:
    with serve(system.answer) as wire:
        system.url = wire.url
        yield system


@pytest.fixture
def desk(
    tmp_path: Path,
    crm: System,
    billing: System,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Desk:
    """The page's own flows and mapping, with connections to running systems."""
    caplog.set_level(logging.ERROR)
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__FLUX__INCLUDE", str(tmp_path / "include"))
    monkeypatch.setenv("AIRFLOW__FLUX__STAGING", str(tmp_path / "staging"))
    desk = Desk(tmp_path, monkeypatch, capsys)
    monkeypatch.setenv("AIRFLOW__FLUX__STORE", desk.store_url)
    desk.connect_system("crm", crm.url, crm.key)
    desk.connect_system("billing", billing.url, billing.key)
    (tmp_path / "warehouse.db").touch()  # Flux makes no database
    desk.connect_warehouse(f"sqlite:///{tmp_path / 'warehouse.db'}")
    desk.take("flows/contacts.yaml", "flows/customers.yaml", "mappings/contacts/v1.yaml")
    return desk


@pytest.fixture(params=["sqlite", "postgresql"])
def any_desk(desk: Desk, request: pytest.FixtureRequest) -> Desk:
    """The same, once with the warehouse in SQLite, once in PostgreSQL."""
    if request.param == "postgresql":
        desk.connect_warehouse(request.getfixturevalue("pg").new_database())
    return desk
