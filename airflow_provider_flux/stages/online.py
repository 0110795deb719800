"""`check --online`: opens the connections of valid flows and compares each flow with what its systems say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.declare import Description
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.errors import FluxError, Problem
from airflow_provider_flux.flow.build import Parts, ValidSide
from airflow_provider_flux.flow.compare import (
    Fields,
    MappingRules,
    filter_findings,
    never_written,
    reading_problems,
    source_findings,
    writing_differences,
)
from airflow_provider_flux.flow.library import Library, in_order
from airflow_provider_flux.flow.models import FlowFile
from airflow_provider_flux.flow.problems import Finding
from airflow_provider_flux.flow.suggest import allowed
from airflow_provider_flux.stages.describe import ask, describe
from airflow_provider_flux.store import Store

FindCredentials = Callable[[str, str], Credentials]
"""Finds the fields of a connection by its id and its type. Raises CONNECTION_INVALID."""

_NAMES_OF_OBJECTS = ("object", "table", "query", "path")
_ABOUT_ONE_OBJECT = ("NOT_FOUND", "FIELD_NOT_FOUND", "BAD_REQUEST", "PERMISSION_DENIED")
"""Codes that say nothing of the other objects of a connection; after any other it is not asked again."""


@dataclass
class OnlineReport:
    """What the systems say of the flows.

    :param asked: connections whose systems described themselves
    :param silent: connections whose systems answer, but do not describe themselves
    """

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)


def check_online(
    flows: Iterable[tuple[FlowFile, Parts]],
    library: Library,
    store: Store,
    credentials: FindCredentials,
    pools: Callable[[], Collection[str] | None],
    report: Callable[[str, int], None],
) -> OnlineReport:
    """Compare every flow; one whose system cannot be asked is a problem, and the others go on.

    :param pools: the pools that Airflow has, None where they cannot be known; only called when a flow names one
    :param report: called with the number of flows that are through
    :raises FluxError: STORE_UNAVAILABLE
    """
    online = _Online(library, store, credentials)
    for number, (file, parts) in enumerate(flows, 1):
        online.compare(file, parts)
        if file.pool is not None:
            online.compare_pool(file.pool, parts, pools)
        report("check", number)
    found = online.report
    found.problems, found.warnings = in_order(found.problems), in_order(found.warnings)
    return found


class _Online:
    """Asks each system once for each of its objects, however many flows use it."""

    def __init__(self, library: Library, store: Store, credentials: FindCredentials) -> None:
        self.report = OnlineReport()
        self._library = library
        self._store = store
        self._credentials = credentials
        self._tried: set[str] = set()
        self._down: dict[str, FluxError] = {}
        self._answers: dict[str, Fields | FluxError | None] = {}
        self._pools: Collection[str] | None = None
        self._pools_asked = False
        self._no_pools = "Airflow is not installed here"

    def compare(self, file: FlowFile, parts: Parts) -> None:
        """One flow with both of its systems."""
        source = self._fields(parts.source)
        destination = self._fields(parts.destination)
        version = parts.mapping.version
        rules = MappingRules(parts.mapping, *self._library.mapping_file(parts.mapping.name, version))
        problems = self.report.problems
        if source is not None:
            problems += [parts.source.side.place(found) for found in source_findings(file.source, source)]
            problems += reading_problems(rules, source)
            if parts.condition is not None:
                problems += [parts.document.problem(("filter",), text) for text in filter_findings(
                    parts.condition, source
                )]  # fmt: skip
        if destination is not None:
            found = writing_differences(rules, file.destination, source, destination)
            problems += found.problems
            self.report.warnings += found.warnings
            missing = never_written(rules, file.destination, destination)
            problems += [parts.document.problem(("mapping",), text) for text in missing]

    def compare_pool(self, pool: str, parts: Parts, pools: Callable[[], Collection[str] | None]) -> None:
        """A task in a pool that does not exist waits for ever (design D13)."""
        if not self._pools_asked:
            self._pools_asked = True
            try:
                self._pools = pools()
            except FluxError as error:
                self._no_pools = f"{error.message}. {error.next_step}"
        if self._pools is None:
            message = f"whether Airflow has a pool `{pool}` is not known: {self._no_pools}"
            self.report.warnings.append(parts.document.problem(("pool",), message))
        elif pool not in self._pools:
            there = allowed(pool, sorted(self._pools))
            message = f"Airflow has no pool `{pool}`: the tasks would wait for ever.{there}"
            self.report.problems.append(parts.document.problem(("pool",), message))

    def _fields(self, side: ValidSide) -> Fields | None:
        """What the system says; None where it does not, after a problem where it should."""
        options: Any = side.options
        key = f"{type(options).__name__} {options.model_dump_json()}"
        if key not in self._answers:
            self._answers[key] = self._ask(options)
        answer = self._answers[key]
        if isinstance(answer, FluxError):
            self.report.problems.append(side.side.place(_finding(answer, options)))
            return None
        return answer

    def _ask(self, options: SourceOptions | DestinationOptions) -> Fields | FluxError | None:
        connection, connector = options.connection, options.connector
        if connection in self._down:
            return self._down[connection]
        conn_type = registry.get(connector).conn_type

        def find() -> Credentials:
            return self._credentials(connection, conn_type)

        try:
            found: Description | None = describe(self._store, connection, connector, find, options)
            if (found is None or not found.complete) and connection not in self._tried:
                # What a connector declares by itself needs no call; whether the system answers can still be known.
                ask(self._store, connection, connector, find, options)
                self._tried.add(connection)
        except FluxError as error:
            if error.code == "STORE_UNAVAILABLE":
                raise
            if error.code not in _ABOUT_ONE_OBJECT:
                self._down[connection] = error
            return error
        (self.report.silent if found is None else self.report.asked).add(connection)
        return None if found is None else Fields(found)


def _finding(error: FluxError, options: SourceOptions | DestinationOptions) -> Finding:
    """The error at the key that names what could not be asked."""
    message = f"{error.message}. {error.next_step}"
    named = next((name for name in _NAMES_OF_OBJECTS if getattr(options, name, None) is not None), None)
    if error.code == "NOT_FOUND" and named is not None:
        return Finding((named,), message)
    return Finding(("connection",), message)
