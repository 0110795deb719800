"""The lock files hold what pyproject.toml asks for: every package pinned and hashed, and no address of an index."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.meta.imports import ROOT
from tools.environment import AIRFLOW_2, BENCH, CONSTRAINTS, MAIN
from tools.locks import LOCKS, Lock

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ALL_LOCKS = pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.file)


def wanted(lock: Lock) -> Iterator[Requirement]:
    """The requirements of pyproject.toml that the lock file has to meet."""
    yield from map(Requirement, PROJECT["project"]["dependencies"])
    yield from map(Requirement, PROJECT["project"]["optional-dependencies"][lock.extra])
    for group in lock.groups:
        yield from _group(group)


def _group(name: str) -> Iterator[Requirement]:
    for entry in PROJECT["dependency-groups"][name]:
        if isinstance(entry, dict):
            yield from _group(entry["include-group"])
        else:
            yield Requirement(entry)


def pins(file: str) -> dict[str, list[str]]:
    """The versions of each package (several, where they depend on the Python or the platform)."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==(\S+)", _text(file), re.M):
        found.setdefault(canonicalize_name(name), []).append(version)
    return found


def _text(file: str) -> str:
    return (CONSTRAINTS / file).read_text(encoding="utf-8")


@ALL_LOCKS
def test_every_requirement_has_a_pin_that_fits(lock: Lock) -> None:
    pinned = pins(lock.file)
    for requirement in wanted(lock):
        versions = pinned.get(canonicalize_name(requirement.name), [])
        fitting = [version for version in versions if requirement.specifier.contains(version, prereleases=True)]
        assert fitting, f"{lock.file} has no {requirement}: run `python3 run.py lock`"


@pytest.mark.parametrize("file", sorted(path.name for path in CONSTRAINTS.iterdir()))
def test_every_pin_has_a_hash_and_no_line_names_an_index(file: str) -> None:
    text = _text(file)
    blocks = re.split(r"\n(?=[\w])", text.strip())
    assert len(blocks) == sum(len(versions) for versions in pins(file).values())
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert re.findall(r"^.*(?:://|--index|--find-links| @ ).*$", text, re.M) == []


def test_every_environment_has_a_lock_and_every_lock_an_environment() -> None:
    locks = {lock.file for lock in LOCKS}
    assert {MAIN.lock, AIRFLOW_2.lock, BENCH.lock} == locks
    assert {path.name for path in CONSTRAINTS.iterdir()} == {*locks, "uv.txt"}


def test_the_lanes_run_the_lines_of_airflow_that_they_are_named_after() -> None:
    assert pins("airflow-3.3.txt")["apache-airflow"][0].startswith("3.3.")
    assert pins("airflow-2.11.txt")["apache-airflow"][0].startswith("2.11.")
    assert pins("airflow-2.11.txt")["sqlalchemy"][0].startswith("1.4.")
