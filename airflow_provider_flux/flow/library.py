"""The files of one include folder, each read, validated and compiled at most once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from collections.abc import Mapping as AnyMapping
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from airflow_provider_flux.errors import ConfigError, Problem
from airflow_provider_flux.flow import folder
from airflow_provider_flux.flow.connector_file import ConnectorFile, load_connector_file
from airflow_provider_flux.flow.mapping_file import compiled, validated
from airflow_provider_flux.flow.suggest import allowed
from airflow_provider_flux.flow.yaml_file import Document, read_file
from airflow_provider_flux.mapping.engine import Mapping
from airflow_provider_flux.mapping.expression import Expression, compile_expression
from airflow_provider_flux.mapping.spec import MappingFile

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class NoSuchMapping(LookupError):
    """A flow names a mapping or a version that does not exist; the text says which there are."""


class _Once(Generic[Key, Value]):
    """Calls `make` at most once per key and keeps what it returned or the ConfigError it raised."""

    def __init__(self, make: Callable[[Key], Value]) -> None:
        self._make = make
        self._made: dict[Key, Value | ConfigError] = {}

    def __call__(self, key: Key) -> Value:
        if key not in self._made:
            try:
                self._made[key] = self._make(key)
            except ConfigError as error:
                self._made[key] = error
        made = self._made[key]
        if isinstance(made, ConfigError):
            raise made
        return made


class Library:
    """:param include: folder with `flows/`, `mappings/` and `connectors/`
    :param active: the active version of each mapping, where that is known; the store has it
    """

    def __init__(self, include: Path, active: AnyMapping[str, int] | None = None) -> None:
        self.include = include
        self._active = active or {}
        self._versions: dict[str, dict[int, Path]] = {}
        self._mapping = _Once(self._load_mapping)
        self._mapping_file = _Once(self._load_mapping_file)
        self._connector_file = _Once(self._load_connector_file)
        self._filters: dict[str, Expression | str] = {}

    @cached_property
    def connector_files(self) -> folder.Listing:
        """The connector files that exist."""
        return folder.list_connector_files(self.include)

    def connector_file(self, name: str) -> ConnectorFile:
        """:raises ConfigError: with every problem of the file
        :raises KeyError: when there is no such file
        """
        self.connector_files.paths[name]
        return self._connector_file(name)

    def versions(self, name: str) -> dict[int, Path]:
        """The versions of a mapping, oldest first."""
        if name not in self._versions:
            self._versions[name] = folder.mapping_versions(self.include, name)
        return self._versions[name]

    def candidates(self, name: str) -> list[int]:
        """The versions with which a flow may run that follows the mapping: the active one, or, where that is not known,
        every one, the newest first."""
        active = self._active.get(name)
        return [active] if active in self.versions(name) else [*reversed(self.versions(name))]

    def mapping(self, name: str, version: int | None, country: str | None = None) -> Mapping:
        """A compiled mapping; the newest version unless one is given.

        :param country: that the flow names, for phone numbers and addresses without one of their own
        :raises NoSuchMapping: when there is no such mapping or version
        :raises ConfigError: with every problem of the mapping file
        """
        number = max(self.expect_versions(name)) if version is None else version
        if number not in self.versions(name):
            listed = ", ".join(str(existing) for existing in self.versions(name))
            raise NoSuchMapping(f"mapping `{name}` has no version {number}. Allowed: {listed}.")
        return self._mapping((name, number, country))

    def expect_versions(self, name: str) -> dict[int, Path]:
        """:raises NoSuchMapping: when there is no such mapping"""
        if not self.versions(name):
            raise NoSuchMapping(f"there is no mapping `{name}`.{allowed(name, folder.mapping_names(self.include))}")
        return self.versions(name)

    def mapping_file(self, name: str, version: int) -> tuple[Document, MappingFile]:
        """A version of a mapping as its file has it, with the places of its rules.

        :raises ConfigError: with every problem of the file
        :raises KeyError: when there is no such version
        """
        self.versions(name)[version]
        return self._mapping_file((name, version))

    def filter_expression(self, text: str) -> Expression:
        """A compiled `filter`; flows often share the same one.

        :raises ValueError: when it is not an expression
        """
        if text not in self._filters:
            try:
                self._filters[text] = compile_expression(text)
            except ValueError as error:
                self._filters[text] = str(error)
        found = self._filters[text]
        if isinstance(found, str):
            raise ValueError(found)
        return found

    def _load_mapping(self, key: tuple[str, int, str | None]) -> Mapping:
        name, version, country = key
        document, file = self._mapping_file((name, version))
        return compiled(document, file, name, version, country)

    def _load_mapping_file(self, key: tuple[str, int]) -> tuple[Document, MappingFile]:
        name, version = key
        path = self.versions(name)[version]
        document = read_file(path, folder.shown(self.include, path))
        return document, validated(document)

    def _load_connector_file(self, name: str) -> ConnectorFile:
        path = self.connector_files.paths[name]
        return load_connector_file(path, folder.shown(self.include, path))


def in_order(problems: list[Problem]) -> list[Problem]:
    """Each problem once, by file, line and column."""
    return sorted(set(problems), key=lambda p: (p.file, p.line, p.column, p.path, p.message))
