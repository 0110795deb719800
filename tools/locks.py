"""The lock files of constraints/: every package that an environment gets, with its hashes and no address."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.environment import CONSTRAINTS, ROOT, Environment, install_uv, make_bare
from tools.say import ToolError, say

_OLDEST_PYTHON = "3.11"


@dataclass(frozen=True)
class Lock:
    """:param groups: dependency groups of pyproject.toml that go in, beside the project's own dependencies"""

    file: str
    extra: str
    groups: tuple[str, ...]


LOCKS = (
    Lock("airflow-3.3.txt", "postgres", ("airflow-3-3",)),
    Lock("airflow-2.11.txt", "postgres-psycopg2", ("airflow-2-11",)),
    Lock("bench.txt", "postgres", ("bench",)),
)


def lock(upgrade: bool) -> None:
    """Make the lock files again from pyproject.toml. Pins that still fit stay, unless they are to be upgraded.

    :raises ToolError: when the requirements cannot be met together, or the index cannot be reached
    """
    with tempfile.TemporaryDirectory(prefix="flux-lock-") as folder:
        environment = Environment(folder, "uv.txt")
        make_bare(environment)
        uv = install_uv(environment)
        if uv is None:
            raise ToolError("lock files are made by uv, and pip could not install it; see the line above")
        _compile_uv(uv, Path(folder), upgrade)
        for one in LOCKS:
            _compile(uv, one, upgrade)


def _compile(uv: Path, one: Lock, upgrade: bool) -> None:
    groups = [part for group in one.groups for part in ("--group", group)]
    _run(uv, CONSTRAINTS / one.file, ["pyproject.toml", "--extra", one.extra, *groups], upgrade)


def _compile_uv(uv: Path, folder: Path, upgrade: bool) -> None:
    wish = folder / "uv.in"
    wish.write_text("uv\n", encoding="utf-8")
    _run(uv, CONSTRAINTS / "uv.txt", [str(wish), "--no-annotate"], upgrade)


def _run(uv: Path, target: Path, arguments: list[str], upgrade: bool) -> None:
    """Compile beside the target first: a failed run leaves the old file as it was."""
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / target.name
        if target.exists():
            shutil.copyfile(target, draft)
        command = [str(uv), "pip", "compile", *arguments, "--universal", "--python-version", _OLDEST_PYTHON]
        command += ["--generate-hashes", "--no-header", "--quiet", "--output-file", str(draft)]
        if upgrade:
            command.append("--upgrade")
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if answer.returncode != 0:
            raise ToolError(f"constraints/{target.name} could not be made:\n{answer.stderr.strip()}")
        before = target.read_text(encoding="utf-8") if target.exists() else ""
        after = draft.read_text(encoding="utf-8")
        target.write_text(after, encoding="utf-8")
        say(f"constraints/{target.name}: {'unchanged' if before == after else 'written'}")
