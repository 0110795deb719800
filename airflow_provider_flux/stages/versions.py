"""Which version of its mapping a flow runs with, and what that version says.

A flow pins `name@3`, or follows `name`: then the active version runs, the one that a person promoted last. While nobody
ever promoted one of that name, the oldest that is not retired is active: what a flow began with goes on, and every
newer file is a draft. A version that was promoted once runs as it was then, from the store: a file that is edited or
broken afterwards changes no run.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

from airflow_provider_flux.errors import ConfigError, Problem
from airflow_provider_flux.flow import folder
from airflow_provider_flux.flow.loader import load_mapping
from airflow_provider_flux.flow.mapping_file import mapping_of_text
from airflow_provider_flux.flow.models import Flow
from airflow_provider_flux.mapping.engine import Mapping
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.mappings import ACTIVE, DRAFT, RETIRED, MappingRow

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Version:
    """One version of a mapping, from its file, from the store, or from both.

    :param path: its file; None where that is gone
    :param row: what the store keeps of it; None for a version about which nobody decided anything
    """

    number: int
    path: Path | None
    row: MappingRow | None

    @property
    def retired(self) -> bool:
        """Whether it was taken out of use."""
        return self.row is not None and self.row.state == RETIRED

    @property
    def kept(self) -> str | None:
        """Its text as it was promoted."""
        return None if self.row is None else self.row.text

    def departed(self) -> str | None:
        """How the file differs from what was promoted, in words; None where it does not."""
        if self.kept is None:
            return None
        if self.path is None:
            return "its file is gone"
        return "its file was changed since" if digest(text_of(self.path)) != self.row_digest else None

    @property
    def row_digest(self) -> str | None:
        """The digest of the text that was promoted."""
        return None if self.row is None else self.row.digest


@dataclass(frozen=True)
class Versions:
    """All versions of one mapping, by number."""

    name: str
    all: dict[int, Version]

    @property
    def active(self) -> int | None:
        """The version that flows run with which follow the mapping."""
        for version in self.all.values():
            if version.row is not None and version.row.state == ACTIVE:
                return version.number
        # Nobody promoted one yet.
        return next((version.number for version in self.all.values() if not version.retired), None)

    def state(self, number: int) -> str:
        """draft, active or retired."""
        if self.all[number].retired:
            return RETIRED
        return ACTIVE if number == self.active else DRAFT


def versions(store: Store, include: Path, name: str) -> Versions:
    """Every version that has a file, or about which somebody decided something."""
    files = folder.mapping_versions(include, name)
    rows = {row.version: row for row in store.mapping_rows(name)}
    numbers = sorted({*files, *rows})
    return Versions(name, {number: Version(number, files.get(number), rows.get(number)) for number in numbers})


def active_versions(store: Store, include: Path) -> dict[str, int]:
    """The active version of every mapping that has a file."""
    found = {name: versions(store, include, name).active for name in folder.mapping_names(include)}
    return {name: number for name, number in found.items() if number is not None}


def resolve(store: Store, include: Path, flow: Flow, version: int | None = None) -> Mapping:
    """The mapping with which a flow runs now.

    :param version: instead of the pinned or the active one: with which a run began
    :raises ConfigError: there is no such mapping or version, it is retired, or its text is not valid
    """
    known = versions(store, include, flow.mapping_name)
    number = version or flow.mapping_pin or known.active
    found = None if number is None else known.all.get(number)
    if found is None:
        return load_mapping(include, flow.mapping_name, number, flow.file.country)  # which says what is missing
    if found.retired and version is None:
        message = f"mapping {known.name}@{found.number} is retired; pin another version, or follow `{known.name}`"
        raise ConfigError([Problem(folder.shown(include, flow.path), 1, 1, "mapping", message)])
    return compiled(include, known.name, found, flow.file.country)


def compiled(include: Path, name: str, version: Version, country: str | None) -> Mapping:
    """A version as it runs: as it was promoted, or as its file says while it never was.

    :raises ConfigError: with every problem of the text
    """
    if version.kept is None:
        return load_mapping(include, name, version.number, country)
    if (how := version.departed()) is not None:
        log.warning("mapping %s@%d runs as it was promoted: %s", name, version.number, how)
    place = f"{name}@{version.number} as promoted"
    return mapping_of_text(version.kept, place, name, version.number, country)


def text_of(path: Path) -> str:
    """The text of a mapping file; what is no text in it is refused when it is read as YAML."""
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def digest(text: str) -> str:
    """SHA-256 of a mapping's text."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
