"""The wheel that is built from this project: what is in it, and that it works without the project beside it."""

from __future__ import annotations

import configparser
import email
import json
import subprocess
import sys
import zipfile
from email.message import Message
from pathlib import Path

import pytest

import airflow_provider_flux
from tests.meta.imports import PACKAGE, ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def _metadata(wheel: Path, name: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        (member,) = [member for member in archive.namelist() if member.endswith(f".dist-info/{name}")]
        return archive.read(member).decode("utf-8")


def test_every_tracked_file_of_the_package_is_in_the_wheel(unpacked: Path) -> None:
    answer = subprocess.run(["git", "ls-files", PACKAGE], cwd=ROOT, check=True, capture_output=True, text=True)
    tracked = [name for name in answer.stdout.splitlines() if (ROOT / name).is_file()]
    assert len(tracked) > 20
    assert [name for name in tracked if not (unpacked / name).is_file()] == []


def test_types_migrations_and_the_demo_are_in_the_wheel(unpacked: Path) -> None:
    package = unpacked / PACKAGE
    assert (package / "py.typed").is_file()
    assert (package / "store" / "migrations" / "env.py").is_file()
    assert list((package / "store" / "migrations" / "versions").glob("*.py"))
    assert (package / "demo" / "__init__.py").is_file()
    assert (package / "demo" / "files" / "include" / "flows" / "crm_contacts.yaml").is_file()
    assert (package / "demo" / "files" / "dags" / "flux_flows.py").is_file()


def test_nothing_but_the_package_is_in_the_wheel(unpacked: Path) -> None:
    assert {path.name for path in unpacked.iterdir() if not path.name.endswith(".dist-info")} == {PACKAGE}
    assert list(unpacked.rglob("*.pyc")) == []


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    metadata: Message = email.message_from_string(_metadata(wheel, "METADATA"))
    assert metadata["Name"] == "airflow-provider-flux"
    assert metadata["Version"] == airflow_provider_flux.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert "Apache License" in _metadata(wheel, "licenses/LICENSE")
    assert set(metadata.get_all("Provides-Extra", [])) == {
        "mysql", "postgres", "postgres-psycopg2", "salesforce",
    }  # fmt: skip


def test_airflow_finds_the_provider_and_the_shell_the_command(wheel: Path) -> None:
    points = configparser.ConfigParser(delimiters=("=",))
    points.read_string(_metadata(wheel, "entry_points.txt"))
    assert {section: dict(points[section]) for section in points.sections()} == {
        "console_scripts": {"airflow-flux": f"{PACKAGE}.cli:main"},
        "apache_airflow_provider": {"provider_info": f"{PACKAGE}.provider_info:get_provider_info"},
    }


def test_the_entry_points_work_from_the_wheel_alone(unpacked: Path) -> None:
    code = (
        "import json, sys\n"
        "from airflow_provider_flux.cli import main\n"
        "from airflow_provider_flux.provider_info import get_provider_info\n"
        "import airflow_provider_flux\n"
        "print(json.dumps([airflow_provider_flux.__file__, callable(main), get_provider_info()]))\n"
    )
    alone = {"PYTHONPATH": str(unpacked), "PYTHONDONTWRITEBYTECODE": "1"}
    answer = subprocess.run([sys.executable, "-c", code], cwd=unpacked, env=alone, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    origin, callable_main, info = json.loads(answer.stdout)
    assert Path(origin).is_relative_to(unpacked)
    assert callable_main
    assert info["package-name"] == "airflow-provider-flux"
