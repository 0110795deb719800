"""Validate everything in an include folder, for people: problems and warnings with their places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from airflow_provider_flux.errors import ConfigError, Problem
from airflow_provider_flux.flow import folder
from airflow_provider_flux.flow.build import Parts
from airflow_provider_flux.flow.library import Library, in_order
from airflow_provider_flux.flow.loader import build_path
from airflow_provider_flux.flow.models import FlowFile


@dataclass(frozen=True)
class CheckReport:
    """:param problems: what keeps flows from running
    :param warnings: what works but has a price
    :param flows: ids of the flows that are valid
    :param mappings: the mappings that are valid, as `contacts@1`
    """

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    flows: tuple[str, ...]
    mappings: tuple[str, ...]


@dataclass(frozen=True)
class Checked:
    """:param report: what people read
    :param flows: the valid flows, taken apart
    :param library: the files that they come from
    """

    report: CheckReport
    flows: tuple[tuple[FlowFile, Parts], ...]
    library: Library


def check(include: Path, paths: Sequence[Path] = ()) -> CheckReport:
    """As `examine`, the report alone."""
    return examine(include, paths).report


def examine(include: Path, paths: Sequence[Path] = (), active: Mapping[str, int] | None = None) -> Checked:
    """Check all flows, all versions of all mappings and all connector files.

    :param paths: files or folders of the include folder to which the check is limited; a flow among them is checked
        together with the mapping and the connector files that it names
    :param active: the active version of each mapping, where the store was asked for it
    """
    scope = _Scope(include, paths)
    library = Library(include, active)
    problems, warnings = _names(include, library, scope)
    problems += scope.problems
    flows, valid, used = [], [], set()
    for flow_id, path in folder.list_flows(include).paths.items():
        if path not in scope:
            continue
        built = build_path(path, library)
        problems += built.problems
        warnings += built.warnings
        used |= built.uses
        if built.file is not None:
            flows.append(flow_id)
        if built.file is not None and built.parts is not None:
            valid.append((built.file, built.parts))
    mappings = _mappings(library, scope, used, problems, warnings)
    _connector_files(library, scope, used, problems, warnings)
    report = CheckReport(tuple(in_order(problems)), tuple(in_order(warnings)), tuple(flows), tuple(mappings))
    return Checked(report, tuple(valid), library)


class _Scope:
    """The part of the include folder that is asked for; all of it without paths."""

    def __init__(self, include: Path, paths: Sequence[Path]) -> None:
        root = include.resolve()
        self.whole = not paths
        self.problems: list[Problem] = []
        self._include = include
        self._paths = []
        for path in paths:
            asked = path.resolve()
            if asked == root or root in asked.parents:
                self._paths.append(asked)
            elif asked in root.parents:
                self.whole = True
            else:
                self.problems.append(Problem(str(path), 1, 1, "", f"not in the include folder {include}"))

    def __contains__(self, path: Path) -> bool:
        if self.whole:
            return True
        resolved = path.resolve()
        return any(asked == resolved or asked in resolved.parents for asked in self._paths)

    def shows(self, problem: Problem) -> bool:
        """Whether a problem with the name of a file or folder lies in this part."""
        return self._include.parent / problem.file in self


def _names(include: Path, library: Library, scope: _Scope) -> tuple[list[Problem], list[Problem]]:
    """Problems and warnings about the names of files."""
    flows = folder.list_flows(include)
    problems = [*flows.problems, *folder.misnamed_mappings(include), *library.connector_files.problems]
    return [p for p in problems if scope.shows(p)], [w for w in flows.warnings if scope.shows(w)]


def _mappings(
    library: Library, scope: _Scope, used: set[str], problems: list[Problem], warnings: list[Problem]
) -> list[str]:
    """Look at every version of every mapping; the valid ones."""
    valid = []
    for name in folder.mapping_names(library.include):
        versions = {number: path for number, path in library.versions(name).items() if path in scope}
        for number in versions:
            try:
                library.mapping(name, number)
            except ConfigError as error:
                problems += error.problems
            else:
                valid.append(f"{name}@{number}")
        if versions and scope.whole and f"mapping {name}" not in used:
            place = folder.shown(library.include, next(iter(versions.values())).parent)
            warnings.append(Problem(place, 1, 1, "", "no flow uses this mapping"))
    return valid


def _connector_files(
    library: Library, scope: _Scope, used: set[str], problems: list[Problem], warnings: list[Problem]
) -> None:
    for name, path in library.connector_files.paths.items():
        if path not in scope:
            continue
        try:
            library.connector_file(name)
        except ConfigError as error:
            problems += error.problems
        if scope.whole and f"connector {name}" not in used:
            warnings.append(Problem(folder.shown(library.include, path), 1, 1, "", "no flow uses this connector file"))
