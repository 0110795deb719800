"""One flow file -> `FlowFile`, or every problem of it and of the files that it names."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, NamedTuple

from pydantic import ValidationError

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.errors import ConfigError, Problem, preview
from airflow_provider_flux.flow import cross
from airflow_provider_flux.flow.layers import Layer, Side, SideName, model_of, plain_side, reused_side
from airflow_provider_flux.flow.library import Library, NoSuchMapping
from airflow_provider_flux.flow.models import FlowFile, split_mapping
from airflow_provider_flux.flow.problems import Finding, explain
from airflow_provider_flux.flow.suggest import allowed
from airflow_provider_flux.flow.yaml_file import Document, Where
from airflow_provider_flux.mapping.engine import Mapping
from airflow_provider_flux.mapping.expression import Expression

# Stand in for a side that is not valid, so that the rest of the file is still looked at.
_STAND_IN: dict[str, Any] = {
    "source": SourceOptions.model_construct(),
    "destination": DestinationOptions.model_construct(),
}


class ValidSide(NamedTuple):
    """A side of a flow that is valid: where its keys stand, and the options that they make."""

    side: Side
    options: Any


@dataclass(frozen=True)
class Parts:
    """A valid flow taken apart, to be compared with the systems that it names."""

    document: Document
    source: ValidSide
    destination: ValidSide
    mapping: Mapping
    condition: Expression | None


@dataclass
class Built:
    """What came of one flow file.

    :param file: the flow, if there are no problems
    :param parts: the same, taken apart
    :param warnings: what works but has a price
    :param uses: the files that it names, as `mapping contacts` and `connector crm`
    """

    file: FlowFile | None = None
    parts: Parts | None = None
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    uses: set[str] = field(default_factory=set)


def build_flow(document: Document, library: Library) -> Built:
    """Validate one flow with its mapping and its connector files; every problem at once.

    Which version of a mapping is active stands in the store, which is not asked here. So a flow that follows its
    mapping is valid with any version of it: a draft that is not fit yet stops no flow.
    """
    versions = _versions(document, library)
    newest = _Builder(document, library, versions[0]).build()
    if newest.file is not None:
        return newest
    for version in versions[1:]:
        built = _Builder(document, library, version).build()
        if built.file is not None:
            built.warnings.append(document.problem(("mapping",), _unfit(versions[0], newest.problems[0])))
            return built
    return newest


def build_with(document: Document, library: Library, version: int) -> Built:
    """Validate one flow as if it ran with this version of its mapping."""
    return _Builder(document, library, version).build()


def _versions(document: Document, library: Library) -> list[int | None]:
    """The versions of the mapping that the flow may run with, the newest first; None where there are none to choose."""
    try:
        name, pin = split_mapping(document.data.get("mapping"))
    except ValueError:
        return [None]  # said by the model of the file
    return [pin] if pin is not None else [*library.candidates(name)] or [None]


def _unfit(version: int | None, problem: Problem) -> str:
    return f"version {version} does not fit this flow, which goes on with an older one: {problem}"


class _Builder:
    """The parts of one flow, each validated alone, then together as far as they are valid."""

    def __init__(self, document: Document, library: Library, version: int | None) -> None:
        self.document = document
        self.library = library
        self.version = version
        self.country: str | None = None
        self.built = Built()

    def build(self) -> Built:
        data = self.document.data
        source = self.side("source") if isinstance(data.get("source"), dict) else None
        destination = self.side("destination") if isinstance(data.get("destination"), dict) else None
        file = self.flow_file({"source": source, "destination": destination})
        self.country = None if file is None else file.country
        mapping = self.mapping()
        condition = self.condition()
        if source is not None:
            self.check_source(source, mapping, condition)
        if destination is not None:
            self.check_destination(destination, source, mapping)
        if not self.built.problems:
            self.built.file = file
            if source is not None and destination is not None and mapping is not None:
                self.built.parts = Parts(self.document, source, destination, mapping, condition)
        return self.built

    def problem(self, path: Where, message: str) -> None:
        self.built.problems.append(self.document.problem(path, message))

    def flow_file(self, sides: dict[str, ValidSide | None]) -> FlowFile | None:
        """The keys of the file itself. A side that is a block has been judged already and does not count here."""
        values = dict(self.document.data)
        for name, side in sides.items():
            if isinstance(values.get(name), dict):
                values[name] = _STAND_IN[name] if side is None else side.options
        try:
            return FlowFile.model_validate(values)
        except ValidationError as error:
            top = Layer(self.document, ())
            self.built.problems += [top.place(finding) for finding in explain(error, FlowFile, values)]
            return None

    def side(self, name: SideName) -> ValidSide | None:
        """`source` or `destination`: its keys over those of its connector file, validated by the connector's model."""
        own = Layer(self.document, (name,))
        try:
            side, findings = self.assemble(name)
        except _Fault as fault:
            self.built.problems.append(own.place(fault.finding))
            return None
        except ConfigError as error:
            self.built.problems += error.problems
            return None
        options, problems = side.options()
        self.built.problems += [*problems, *(own.place(finding) for finding in findings)]
        return None if options is None else ValidSide(side, options)

    def assemble(self, name: SideName) -> tuple[Side, list[Finding]]:
        """:raises _Fault: when the connector is not one
        :raises ConfigError: when the connector file is not valid
        """
        connector = _connector_name(self.document.data[name], self.library)
        self.built.uses.add(f"connector {connector}")
        shared = None if connector in registry.names() else self.library.connector_file(connector)
        built_in = connector if shared is None else shared.connector
        model = model_of(registry.get(built_in), name)
        if model is None:
            raise _Fault(Finding(("connector",), f"connector `{connector}` cannot be a {name}"))
        if shared is None:
            return plain_side(self.document, name, model), []
        return reused_side(self.document, name, shared.document, model, built_in)

    def mapping(self) -> Mapping | None:
        try:
            name, _ = split_mapping(self.document.data.get("mapping"))
        except ValueError:
            return None  # said by the model of the file
        self.built.uses.add(f"mapping {name}")
        try:
            return self.library.mapping(name, self.version, self.country)
        except NoSuchMapping as error:
            self.problem(("mapping",), str(error))
        except ConfigError as error:
            self.built.problems += error.problems
        return None

    def condition(self) -> Expression | None:
        text = self.document.data.get("filter")
        if not isinstance(text, str) or not text:
            return None
        try:
            return self.library.filter_expression(text)
        except ValueError as error:
            self.problem(("filter",), str(error))
            return None

    def check_source(self, source: ValidSide, mapping: Mapping | None, condition: Expression | None) -> None:
        side, options = source
        self.built.problems += [side.place(finding) for finding in cross.source_findings(options)]
        self.built.warnings += [side.place(Finding((), advice)) for advice in options.advice()]
        if mapping is not None:
            for message in cross.unread(options, mapping.source_paths, f"mapping {mapping.label}"):
                self.problem(("mapping",), message)
        if condition is not None:
            for message in cross.unread(options, condition.paths, "this expression"):
                self.problem(("filter",), message)

    def check_destination(self, destination: ValidSide, source: ValidSide | None, mapping: Mapping | None) -> None:
        side, options = destination
        self.built.problems += [side.place(finding) for finding in cross.destination_findings(options, mapping)]
        self.built.warnings += [side.place(Finding((), advice)) for advice in options.advice()]
        if source is not None:
            self.built.warnings += [side.place(found) for found in cross.delete_findings(source.options, options)]


class _Fault(Exception):
    """What is wrong with a side before its options can be looked at."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def _connector_name(block: dict[str, Any], library: Library) -> str:
    """The built-in connector or connector file that a side names.

    :raises _Fault: when it names none that there is
    """
    name = block.get("connector")
    known = [*registry.names(), *library.connector_files.paths]
    if isinstance(name, str) and name in known:
        return name
    if isinstance(name, str) and name in registry.broken():
        raise _Fault(Finding(("connector",), f"{registry.broken()[name]}; mend or remove that package"))
    if name is not None:
        what = (
            f"there is no connector `{preview(name, 60)}`" if isinstance(name, str) else "write the name of a connector"
        )
        raise _Fault(Finding(("connector",), f"{what}.{allowed(name, known)}"))
    others = [key for key in block if key != "connection"]
    for misspelt in get_close_matches("connector", others, n=1, cutoff=0.75):
        raise _Fault(Finding((misspelt,), "unknown key. Did you mean `connector`?", on_key=True))
    message = f"is required: a built-in connector or the name of a connector file.{allowed('', known)}"
    raise _Fault(Finding(("connector",), message, on_key=True))
