"""Virtual environments made from a lock file: made once, checked in a moment, remade when something is off.

An environment is complete when its stamp is there. The stamp is written last, and names what the environment
was made from, so an interrupted installation, another Python or a changed lock file are all seen.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.say import ToolError, say

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints"
_PATIENCE = 15
"""Seconds between two signs of life of a step that takes long."""


@dataclass(frozen=True)
class Environment:
    """:param folder: name of the environment's folder in the project
    :param lock: file of `constraints/` with every package, pinned and hashed
    """

    folder: str
    lock: str

    @property
    def path(self) -> Path:
        return ROOT / self.folder

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    @property
    def scripts(self) -> Path:
        return self.path / "bin"

    @property
    def stamp(self) -> Path:
        return self.path / "flux-stamp.json"

    @property
    def lock_file(self) -> Path:
        return CONSTRAINTS / self.lock


MAIN = Environment(".venv", "airflow-3.3.txt")
AIRFLOW_2 = Environment(".venv-2.11", "airflow-2.11.txt")
BENCH = Environment(".venv-bench", "bench.txt")


def ensure(environment: Environment) -> Environment:
    """Make the environment if it is not there, remake it if it is not what its lock file says.

    :raises ToolError: when it cannot be made
    """
    with _locked(environment):
        wanted = made_from(environment)
        stamp = read_stamp(environment)
        why = reason_to_remake(environment, stamp)
        if why is not None:
            _remake(environment, why)
        if why is not None or stamp.get("project") != wanted["project"]:
            _install_project(environment)
            packages = _installed(environment)
            environment.stamp.write_text(json.dumps({**wanted, "packages": packages}), encoding="utf-8")
            say(f"{environment.folder} is ready: {len(packages)} packages")
    return environment


def made_from(environment: Environment) -> dict[str, str]:
    """What the environment has to be made from, as its stamp says it."""
    return {
        "lock": hashlib.sha256(environment.lock_file.read_bytes()).hexdigest(),
        "project": hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest(),
        "python": sys.version,
        "path": str(environment.path),
    }


def read_stamp(environment: Environment) -> dict[str, Any]:
    """The stamp; empty when there is none or it cannot be read."""
    try:
        stamp = json.loads(environment.stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) and isinstance(stamp.get("packages"), list) else {}


def reason_to_remake(environment: Environment, stamp: dict[str, Any]) -> str | None:
    """Why the environment has to be made from nothing; None when it does not."""
    wanted = made_from(environment)
    if not stamp:
        return "an earlier installation did not finish" if environment.path.exists() else "it is not there yet"
    if stamp.get("lock") != wanted["lock"]:
        return f"constraints/{environment.lock} changed"
    if stamp.get("python") != wanted["python"]:
        return "it was made by another Python"
    if stamp.get("path") != wanted["path"]:
        return "the project was moved"
    try:
        installed = set(_installed(environment))
    except (OSError, subprocess.SubprocessError, ValueError):
        return "its Python does not start"
    missing = sorted(set(stamp["packages"]) - installed)
    return f"packages are missing: {', '.join(missing[:5])}" if missing else None


def _installed(environment: Environment) -> list[str]:
    """The names of the distributions whose own files are there (the first module of each is looked at)."""
    code = (
        "import importlib.metadata as m, json\n"
        "def there(d):\n"
        "    names = [line.split(',')[0] for line in (d.read_text('RECORD') or '').splitlines()]\n"
        "    first = next((name for name in names if name.endswith('.py')), None)\n"
        "    return first is None or d.locate_file(first).exists()\n"
        "print(json.dumps(sorted({d.name for d in m.distributions() if there(d)})))\n"
    )
    answer = subprocess.run(
        [environment.python, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    names = json.loads(answer.stdout)
    return [str(name) for name in names]


def _remake(environment: Environment, why: str) -> None:
    say(f"making {environment.folder}: {why}")
    shutil.rmtree(environment.path, ignore_errors=True)
    make_bare(environment)
    uv = install_uv(environment)
    say(f"installing constraints/{environment.lock} with {'uv' if uv else 'pip'}")
    _install(environment, uv, ["--require-hashes", "-r", str(environment.lock_file)])


def make_bare(environment: Environment) -> None:
    """An environment with nothing but pip.

    :raises ToolError: when this Python has no working `venv`
    """
    try:
        venv.create(environment.path, with_pip=True, symlinks=True)
    except (OSError, subprocess.CalledProcessError, ImportError) as error:
        raise ToolError(
            f"{environment.folder} could not be made by {sys.executable}: {error}\n"
            "On Debian and Ubuntu its module venv is a package of its own: apt-get install python3-venv"
        ) from None


def install_uv(environment: Environment) -> Path | None:
    """uv, put into the environment by pip; None when it cannot be had (pip then does all, only slower)."""
    uv = environment.scripts / "uv"
    if uv.exists():
        return uv
    lock = CONSTRAINTS / "uv.txt"
    answer = _call([environment.python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock])
    if answer is None:
        return uv
    say(f"uv is not to be had here ({_last_line(answer)}); going on with pip")
    return None


def _install_project(environment: Environment) -> None:
    uv = environment.scripts / "uv"
    _install(
        environment,
        uv if uv.exists() else None,
        ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)],
    )


def _install(environment: Environment, uv: Path | None, arguments: list[str]) -> None:
    """`install` by uv, and by pip where uv fails: pip also knows the indexes of pip's own configuration."""
    if uv is not None:
        answer = _call([uv, "pip", "install", "--quiet", "--python", environment.python, *arguments])
        if answer is None:
            return
        say(f"uv failed ({_last_line(answer)}); trying pip")
    answer = _call([environment.python, "-m", "pip", "install", "--quiet", *arguments])
    if answer is not None:
        raise ToolError(
            f"the packages of {environment.folder} could not be installed:\n{answer}\n"
            "Packages come from the index that pip is configured for (`pip config list`). Is the network there, and is"
            " a proxy or a mirror needed? Nothing is half done: the same command starts again from here."
        )


def _call(command: list[str | Path]) -> str | None:
    """Run the command; None when it worked, the end of what it said when it did not."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen([str(part) for part in command], stdout=output, stderr=subprocess.STDOUT)
        while process.poll() is None:
            try:
                process.wait(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                say("... still at it")
        if process.returncode == 0:
            return None
        output.seek(0)
        said = [line.rstrip() for line in output if line.strip() and not line.startswith("WARNING:")]
        return "\n".join(said[-10:]) or f"{command[0]} ended with {process.returncode} and said nothing"


def _last_line(text: str) -> str:
    return text.splitlines()[-1].strip()[:200]


@contextmanager
def _locked(environment: Environment) -> Iterator[None]:
    """One maker at a time: a demo and a test run may be started beside each other."""
    with open(ROOT / f"{environment.folder}.lock", "w", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another run.py is making {environment.folder}; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def variables(environment: Environment) -> dict[str, str]:
    """The process variables for a command of the environment: its scripts first, no setting of another Airflow."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW_", "PYTHON")) and name != "VIRTUAL_ENV"
    }
    kept["PATH"] = f"{environment.scripts}{os.pathsep}{kept.get('PATH', os.defpath)}"
    kept["VIRTUAL_ENV"] = str(environment.path)
    kept.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())  # pgserver keeps a lock file there
    kinto = environment.scripts / "kinto"
    if kinto.exists():
        kept["FLUX_KINTO"] = str(kinto)  # the real server that tests and benchmarks start
    return kept
