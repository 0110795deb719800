"""Flows and mappings from an include folder."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_flux.errors import ConfigError, Problem
from airflow_provider_flux.flow import folder
from airflow_provider_flux.flow.build import Built, build_flow
from airflow_provider_flux.flow.library import Library, NoSuchMapping, in_order
from airflow_provider_flux.flow.models import Flow
from airflow_provider_flux.flow.suggest import allowed
from airflow_provider_flux.flow.yaml_file import read_file
from airflow_provider_flux.mapping.engine import Mapping


def flow_ids(include: Path) -> list[str]:
    """The ids of all flows, valid or not, sorted."""
    return list(folder.list_flows(include).paths)


def load_flow(include: Path, flow_id: str) -> Flow:
    """One flow.

    :raises ConfigError: with every problem of the flow file, its mapping and its connector files, or that there is none
    """
    listing = folder.list_flows(include)
    path = listing.paths.get(flow_id)
    if path is None:
        raise ConfigError(_no_flow(include, flow_id, listing))
    built = build_path(path, Library(include))
    if built.file is None:
        raise ConfigError(in_order(built.problems))
    return Flow(flow_id, path, built.file)


def load_flows(include: Path) -> tuple[list[Flow], list[Problem]]:
    """Every valid flow, sorted by id, and every problem of the others.

    A problem of a mapping or a connector file appears once, however many flows use it.
    """
    library = Library(include)
    listing = folder.list_flows(include)
    flows, problems = [], list(listing.problems)
    for flow_id, path in listing.paths.items():
        built = build_path(path, library)
        problems.extend(built.problems)
        if built.file is not None:
            flows.append(Flow(flow_id, path, built.file))
    return flows, in_order(problems)


def load_mapping(include: Path, name: str, version: int | None, country: str | None = None) -> Mapping:
    """A compiled mapping as its file says it; which version runs, `stages.versions` knows.

    :param version: None for the newest
    :param country: that the flow names, for phone numbers and addresses without one of their own
    :raises ConfigError: with every problem of the file, or that there is no such mapping or version
    """
    try:
        return Library(include).mapping(name, version, country)
    except NoSuchMapping as error:
        place = folder.shown(include, include / folder.MAPPINGS)
        raise ConfigError([Problem(place, 1, 1, "", str(error))]) from error


def build_path(path: Path, library: Library) -> Built:
    """What comes of one flow file."""
    try:
        document = read_file(path, folder.shown(library.include, path))
    except ConfigError as error:
        return Built(problems=list(error.problems))
    return build_flow(document, library)


def _no_flow(include: Path, flow_id: str, listing: folder.Listing) -> list[Problem]:
    """Why there is no flow of that id: its file has a bad name, or there is none."""
    named = [problem for problem in listing.problems if Path(problem.file).stem.lower() == flow_id.lower()]
    if named:
        return named
    place = folder.shown(include, include / folder.FLOWS)
    return [Problem(place, 1, 1, "", f"there is no flow `{flow_id}`.{allowed(flow_id, listing.paths)}")]
