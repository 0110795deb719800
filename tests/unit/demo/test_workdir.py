"""The demo's work folder."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from airflow_provider_flux.cli.values import UsageError
from airflow_provider_flux.connectors.credentials import from_environment
from airflow_provider_flux.demo.sandbox import Sandbox
from airflow_provider_flux.demo.workdir import make_workdir


def test_it_holds_the_shipped_flows_and_an_empty_table(tmp_path: Path) -> None:
    with make_workdir(tmp_path / "demo") as workdir:
        assert (workdir.include / "flows" / "crm_contacts.yaml").is_file()
        assert (workdir.dags / "flux_flows.py").is_file()
        with closing(sqlite3.connect(workdir.warehouse)) as database:
            assert database.execute("SELECT count(*) FROM contacts").fetchone() == (0,)


def test_an_older_demo_is_replaced(tmp_path: Path) -> None:
    with make_workdir(tmp_path / "demo") as workdir:
        (workdir.include / "old.yaml").touch()
        (workdir.root / "link").symlink_to(tmp_path)
    with make_workdir(tmp_path / "demo") as workdir:
        assert not (workdir.include / "old.yaml").exists()
        assert not (workdir.root / "link").is_symlink()
    assert (tmp_path / "demo").is_dir()


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="holds other files"), make_workdir(tmp_path):
        pass
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "demo").touch()
    with pytest.raises(UsageError, match="is not a folder"), make_workdir(tmp_path / "demo"):
        pass


def test_two_demos_do_not_share_a_folder(tmp_path: Path) -> None:
    with make_workdir(tmp_path / "demo") as workdir:
        with pytest.raises(UsageError, match="another demo works in"), make_workdir(tmp_path / "demo"):
            pass
        assert workdir.warehouse.is_file()


def test_the_file_for_other_terminals_holds_the_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with make_workdir(tmp_path / "demo") as workdir, Sandbox() as sandbox:
        environment = workdir.environment(sandbox, 8080)
        path = workdir.write_env_file(environment)
        assert path.stat().st_mode & 0o077 == 0
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = from_environment("nimbus_crm")
    assert found is not None
    assert (found.conn_type, found.host) == ("flux_rest", sandbox.crm_url)
