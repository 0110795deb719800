"""`airflow flux`, and what the console script asks Airflow for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from airflow_provider_flux.cli.commands import COMMANDS
from airflow_provider_flux.demo import crm
from airflow_provider_flux.demo.sandbox import Sandbox

with_airflow_flux = pytest.mark.skipif(
    version("apache-airflow").startswith("2."), reason="Airflow 2.11 takes no commands from providers"
)


def airflow(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "AIRFLOW_HOME": str(home), "AIRFLOW__FLUX__STORE": f"sqlite:///{home / 'flux.db'}"}
    command = [sys.executable, "-m", "airflow", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@with_airflow_flux
def test_every_command_is_there(tmp_path: Path) -> None:
    said = airflow(tmp_path, "flux", "--help").stdout
    assert [entry.name for entry in COMMANDS if entry.name not in said.split()] == []


@with_airflow_flux
def test_a_command_prints_what_the_console_script_prints(tmp_path: Path) -> None:
    said = airflow(tmp_path, "flux", "runs", "--json")
    assert (said.returncode, json.loads(said.stdout)) == (0, [])


@with_airflow_flux
def test_exit_codes_and_errors_are_the_same(tmp_path: Path) -> None:
    said = airflow(tmp_path, "flux", "errors", "show", "7")
    assert said.returncode == 2
    assert said.stderr.splitlines()[-1] == "airflow-flux: there is no error 7; `airflow-flux errors list` lists them"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An Airflow home with its database."""
    folder = tmp_path_factory.mktemp("home")
    assert airflow(folder, "db", "migrate").returncode == 0
    return folder


def flux(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    include = Path(__file__).parents[2] / "include"
    environment = {**os.environ, "AIRFLOW_HOME": str(home), "AIRFLOW__FLUX__INCLUDE": str(include)}
    command = [sys.executable, "-m", "airflow_provider_flux.cli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.timeout(300)
def test_a_connection_is_looked_up_in_airflow(home: Path) -> None:
    missing = flux(home, "test", "crm_contacts")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "CONNECTION_INVALID: connection 'nimbus_crm' cannot be used: " in missing.stderr
    assert "Traceback" not in missing.stderr
    assert "export AIRFLOW_CONN_NIMBUS_CRM='{" in missing.stderr.splitlines()[-1]
    with Sandbox() as sandbox:
        fields = ["--conn-type", "flux_rest", "--conn-host", sandbox.crm_url, "--conn-password", crm.KEY]
        assert airflow(home, "connections", "add", "nimbus_crm", *fields).returncode == 0
        found = flux(home, "test", "crm_contacts", "--limit", "2", "--json")
    assert [sample["key"] for sample in json.loads(found.stdout)["samples"]] == ["c-00001", "c-00002"]
    assert (found.returncode, crm.KEY in found.stderr) == (0, False)


@pytest.mark.timeout(300)
def test_a_pool_that_airflow_does_not_have_is_found_online(home: Path, tmp_path: Path) -> None:
    (tmp_path / "mappings" / "people").mkdir(parents=True)
    (tmp_path / "mappings" / "people" / "v1.yaml").write_text("rules:\n  - {from: id, to: id}\n")
    (tmp_path / "flows").mkdir()
    side = "{connector: sql, connection: nowhere, table: people, key: id}"
    for pool in ("default_pool", "nightly"):
        text = f"pool: {pool}\nsource: {side}\nmapping: people\ndestination: {side}\n"
        (tmp_path / "flows" / f"{pool}.yaml").write_text(text)
    environment = {**os.environ, "AIRFLOW_HOME": str(home), "AIRFLOW__FLUX__INCLUDE": str(tmp_path)}
    command = [sys.executable, "-m", "airflow_provider_flux.cli", "check", "--online"]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert said.returncode == 1, said.stderr
    pools = [line.partition(": ")[2] for line in said.stdout.splitlines() if ": pool: " in line]
    expected = "pool: Airflow has no pool `nightly`: the tasks would wait for ever. Allowed: default_pool."
    assert pools == [expected], "the pool that there is is no problem"
    assert "connection 'nowhere' cannot be used" in said.stdout
