"""Which flows use a mapping, valid or not: a flow that is broken today may run again tomorrow."""

from __future__ import annotations

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


def problems_with(include: Path, flow_id: str, version: int) -> list[Problem]:
    """What a valid flow would have against running with a version of its mapping; nothing for a flow that is not valid
    with any."""
    path = folder.list_flows(include).paths[flow_id]
    library = Library(include)
    document = read_file(path, folder.shown(include, path))
    built = build_with(document, library, version)
    if built.file is not None:
        return []
    others = [other for other in library.versions(document.data["mapping"]) if other != version]
    fits_another = any(build_with(document, library, other).file is not None for other in others)
    return built.problems if fits_another else []
