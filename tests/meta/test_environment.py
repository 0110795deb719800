"""The environments of run.py: what is not as its lock file says is noticed, and a failed installation says why."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.meta.imports import ROOT
from tools.environment import Environment, ensure, made_from, read_stamp, reason_to_remake
from tools.say import ToolError


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """A complete environment with one package, and its stamp."""
    made = Environment(folder=str(tmp_path / "env"), lock="uv.txt")
    venv.create(made.path, with_pip=False, symlinks=True)
    info = site_packages(made) / "trial-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: trial\nVersion: 1.0\n", encoding="utf-8")
    (info / "RECORD").write_text("trial/__init__.py,,\ntrial-1.0.dist-info/METADATA,,\n", encoding="utf-8")
    (site_packages(made) / "trial").mkdir()
    (site_packages(made) / "trial" / "__init__.py").touch()
    made.stamp.write_text(json.dumps({**made_from(made), "packages": ["trial"]}), encoding="utf-8")
    return made


def site_packages(environment: Environment) -> Path:
    return environment.path / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"


def change_stamp(environment: Environment, **values: str) -> None:
    environment.stamp.write_text(json.dumps({**read_stamp(environment), **values}), encoding="utf-8")


def test_a_complete_environment_is_kept(environment: Environment) -> None:
    assert reason_to_remake(environment, read_stamp(environment)) is None


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda made: made.stamp.unlink(), "an earlier installation did not finish"),
        (lambda made: made.stamp.write_text("{", encoding="utf-8"), "an earlier installation did not finish"),
        (lambda made: made.stamp.write_text("[]", encoding="utf-8"), "an earlier installation did not finish"),
        (lambda made: shutil.rmtree(made.path), "it is not there yet"),
        (lambda made: made.python.unlink(), "its Python does not start"),
        (lambda made: shutil.rmtree(site_packages(made) / "trial"), "packages are missing: trial"),
        (lambda made: shutil.rmtree(site_packages(made) / "trial-1.0.dist-info"), "packages are missing: trial"),
        (lambda made: change_stamp(made, lock="another"), "constraints/uv.txt changed"),
        (lambda made: change_stamp(made, python="3.0"), "it was made by another Python"),
        (lambda made: change_stamp(made, path="elsewhere"), "the project was moved"),
    ],
)
def test_a_damaged_environment_is_noticed(
    environment: Environment, damage: Callable[[Environment], None], reason: str
) -> None:
    damage(environment)
    assert reason_to_remake(environment, read_stamp(environment)) == reason


def test_without_an_index_the_error_says_what_is_missing_and_the_next_try_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    environment = Environment(folder=str(tmp_path / "env"), lock="airflow-3.3.txt")
    with pytest.raises(ToolError, match="could not be installed") as caught:
        ensure(environment)
    assert "No matching distribution found" in str(caught.value)
    assert "Is the network there" in str(caught.value)
    assert "going on with pip" in capsys.readouterr().out
    assert reason_to_remake(environment, read_stamp(environment)) == "an earlier installation did not finish"


def test_an_old_python_can_read_run_py_and_is_told_what_is_needed() -> None:
    source = (ROOT / "run.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 4))
    refused = source.replace("sys.version_info", "(3, 10)", 1)
    answer = subprocess.run([sys.executable, "-c", refused], capture_output=True, text=True)
    assert answer.returncode == 1
    assert "Flux needs Python 3.11 or newer" in answer.stderr
