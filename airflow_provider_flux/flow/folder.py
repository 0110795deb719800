"""Which flows, mappings and connector files an include folder holds. Only names are looked at, in sorted order."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.errors import ConfigError, Problem, preview
from airflow_provider_flux.flow.models import FLOW_ID, NAME

FLOWS, MAPPINGS, CONNECTORS = "flows", "mappings", "connectors"
_VERSION_FILE = re.compile(r"v([1-9][0-9]{0,5})\.yaml")
_SUFFIXES = (".yaml", ".yml")
_BAD_FLOW_NAME = (
    "the name of the file is the id of the flow and of its DAG: letters, digits, `_`, `-` and `.`, "
    "beginning with a letter or digit, at most 250; rename the file"
)
_BAD_CONNECTOR_NAME = "rename it to <name>.yaml; a name has letters, digits, `_`, `-` and `.`"


@dataclass
class Listing:
    """The files of one kind by their name, and what is wrong with names."""

    paths: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def shown(include: Path, path: Path) -> str:
    """The name of a file for people: from the include folder on, the same on every machine."""
    return preview(f"{include.name}/{path.relative_to(include).as_posix()}", 400)


SYSTEM_DAGS = frozenset({"flux_timer", "flux_review", "flux_housekeeping", "flux_verify"})
"""The generic DAGs (`system_dags`), which serve every flow; a test compares."""


def list_flows(include: Path) -> Listing:
    """Every flow with an id of its own; those that share one are problems, as nobody can say which was meant."""
    listing = Listing()
    folder = include / FLOWS
    if not folder.is_dir():
        listing.problems.append(_name_problem(include, folder, "the folder does not exist"))
        return listing
    by_id: dict[str, list[str]] = {}
    for entry in _entries(folder):
        stem, _, suffix = entry.name.rpartition(".")
        if f".{suffix.lower()}" not in _SUFFIXES:
            if entry.is_dir() and any(_yaml_files(folder / entry.name)):
                message = f"flows in folders below {FLOWS}/ are not loaded; move them up"
                listing.warnings.append(_name_problem(include, folder / entry.name, message))
        elif not entry.is_file():
            listing.problems.append(_name_problem(include, folder / entry.name, "is not a file"))
        elif FLOW_ID.fullmatch(stem) is None:
            listing.problems.append(_name_problem(include, folder / entry.name, _BAD_FLOW_NAME))
        elif stem.lower() in SYSTEM_DAGS:
            message = f"`{stem}` is the id of a DAG of Flux's own; rename the file"
            listing.problems.append(_name_problem(include, folder / entry.name, message))
        else:
            by_id.setdefault(stem.lower(), []).append(entry.name)
    for names in by_id.values():
        if len(names) == 1:
            listing.paths[names[0].rpartition(".")[0]] = folder / names[0]
        else:
            listing.problems.extend(_shared_id(include, folder / name, names) for name in names)
    listing.paths = dict(sorted(listing.paths.items()))
    return listing


def _shared_id(include: Path, path: Path, names: list[str]) -> Problem:
    others = ", ".join(name for name in names if name != path.name)
    return _name_problem(include, path, f"the flow id `{path.stem}` is also that of {others}; rename one of them")


def list_connector_files(include: Path) -> Listing:
    """Every reusable connector file by its name."""
    listing = Listing()
    for path in _yaml_files(include / CONNECTORS):
        if path.suffix != ".yaml" or not path.is_file() or NAME.fullmatch(path.stem) is None:
            listing.problems.append(_name_problem(include, path, _BAD_CONNECTOR_NAME))
        elif path.stem in registry.names():
            message = f"`{path.stem}` is the name of a built-in connector; rename the file"
            listing.problems.append(_name_problem(include, path, message))
        else:
            listing.paths[path.stem] = path
    return listing


def mapping_names(include: Path) -> list[str]:
    """The mappings that exist."""
    return [folder.name for folder in _folders(include / MAPPINGS) if NAME.fullmatch(folder.name)]


def mapping_versions(include: Path, name: str) -> dict[int, Path]:
    """The versions of one mapping, oldest first; empty where there is none."""
    folder = include / MAPPINGS / name
    if NAME.fullmatch(name) is None:
        return {}
    found = ((_VERSION_FILE.fullmatch(entry.name), folder / entry.name) for entry in _entries(folder))
    return dict(sorted((int(match[1]), path) for match, path in found if match))


def misnamed_mappings(include: Path) -> list[Problem]:
    """YAML files among the mappings that no flow can use because of their name or place."""
    folder = include / MAPPINGS
    problems = [_name_problem(include, path, f"move it to {MAPPINGS}/<name>/v1.yaml") for path in _yaml_files(folder)]
    for inner in _folders(folder):
        files = list(_yaml_files(inner))
        if files and NAME.fullmatch(inner.name) is None:
            problems.append(_name_problem(include, inner, "rename the folder: letters, digits, `_`, `-` and `.`"))
        problems.extend(
            _name_problem(include, path, "rename it to v<number>.yaml, for example v1.yaml")
            for path in files
            if _VERSION_FILE.fullmatch(path.name) is None
        )
    return problems


def _yaml_files(folder: Path) -> Iterator[Path]:
    """YAML by its suffix, sorted."""
    return (folder / entry.name for entry in _entries(folder) if entry.name.lower().endswith(_SUFFIXES))


def _folders(folder: Path) -> list[Path]:
    return [folder / entry.name for entry in _entries(folder) if entry.is_dir()]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder, sorted by name, without the hidden files of editors; nothing where there is no folder.

    A thousand flows are listed before every task: `scandir` knows what is a file without asking for each.

    :raises ConfigError: when the folder cannot be read
    """
    if not os.path.isdir(folder):
        return []
    try:
        with os.scandir(folder) as entries:
            return sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)
    except OSError as error:
        raise ConfigError([Problem(str(folder), 1, 1, "", f"cannot be read: {error.strerror}")]) from error


def _name_problem(include: Path, path: Path, message: str) -> Problem:
    return Problem(shown(include, path), 1, 1, "", message)
