"""Which flows use a mapping, valid or not: a flow that is broken today may run again tomorrow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from airflow_provider_flux.errors import ConfigError, Problem
from airflow_provider_flux.flow import folder
from airflow_provider_flux.flow.build import build_with
from airflow_provider_flux.flow.library import Library
from airflow_provider_flux.flow.models import split_mapping
from airflow_provider_flux.flow.yaml_file import read_file


@dataclass(frozen=True)
class Use:
    """A flow that names the mapping.

    :param pin: the version that it pins; None where it follows the active one
    """

    flow: str
    pin: int | None


def uses_of(include: Path, name: str) -> list[Use]:
    """The flows that name a mapping, by id."""
    return all_uses(include).get(name, [])


def all_uses(include: Path) -> dict[str, list[Use]]:
    """The flows that name each mapping, by id. One whose file is no YAML names nothing."""
    found: dict[str, list[Use]] = {}
    for flow_id, path in folder.list_flows(include).paths.items():
        try:
            used, pin = split_mapping(read_file(path, path.name).data.get("mapping"))
        except (ConfigError, ValueError):
            continue
        found.setdefault(used, []).append(Use(flow_id, pin))
    return found


def problems_with(include: Path, name: str, version: int, flows: Iterable[str]) -> list[Problem]:
    """What valid flows that follow a mapping would have against running with a version of it.

    A flow that is not valid with any version has nothing against this one.
    """
    library, paths = Library(include), folder.list_flows(include).paths
    others = [other for other in library.versions(name) if other != version]
    problems: list[Problem] = []
    for flow_id in flows:
        path = paths[flow_id]
        document = read_file(path, folder.shown(include, path))
        built = build_with(document, library, version)
        if built.file is None and any(build_with(document, library, other).file is not None for other in others):
            problems += built.problems
    return problems
