"""One flow file -> `FlowFile`, or every problem of it and of the files that it names."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.errors import ConfigError, Problem
from airflow_provider_flux.flow import cross
from airflow_provider_flux.flow.layers import Layer, Side, SideName, model_of, plain_side, reused_side
from airflow_provider_flux.flow.library import Library, NoSuchMapping
from airflow_provider_flux.flow.models import FlowFile, split_mapping
from airflow_provider_flux.flow.problems import Finding, explain
from airflow_provider_flux.flow.suggest import allowed
from airflow_provider_flux.flow.yaml_file import Document
from airflow_provider_flux.mapping.engine import Mapping
from airflow_provider_flux.mapping.expression import Expression

# Stand in for a side that is not valid, so that the rest of the file is still looked at.
_STAND_IN: dict[str, Any] = {
    "source": SourceOptions.model_construct(),
    "destination": DestinationOptions.model_construct(),
}


@dataclass
class Built:
    """What came of one flow file.

    :param file: the flow, if there are no problems
    :param warnings: what works but has a price
    :param uses: the files that it names, as `mapping contacts` and `connector crm`
    """

    file: FlowFile | None = None
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    uses: set[str] = field(default_factory=set)


def build_flow(document: Document, library: Library) -> Built:
    """Validate one flow with its mapping and its connector files; every problem at once."""
    built = Built()
    sides: dict[str, tuple[Side, Any]] = {}
    values = dict(document.data)
    for name in ("source", "destination"):
        if isinstance(document.data.get(name), dict):
            side, options = _options(document, name, library, built)
            values[name] = _STAND_IN[name] if options is None else options
            if side is not None and options is not None:
                sides[name] = (side, options)
    file = _flow_file(document, values, built)
    mapping = _mapping(document, library, built)
    condition = _filter(document, library, built)
    _cross_checks(document, sides, mapping, condition, built)
    if file is not None and not built.problems:
        built.file = file
    return built


def _flow_file(document: Document, values: dict[str, Any], built: Built) -> FlowFile | None:
    try:
        return FlowFile.model_validate(values)
    except ValidationError as error:
        top = Layer(document, ())
        built.problems.extend(top.place(finding) for finding in explain(error, FlowFile, values))
        return None


def _options(document: Document, name: SideName, library: Library, built: Built) -> tuple[Side | None, Any]:
    """The merged and validated options of one side; None for what is not valid."""
    own = Layer(document, (name,))
    connector = document.data[name].get("connector")
    known = [*registry.names(), *library.connector_files.paths]
    if connector is None:
        built.problems.append(own.place(_no_connector(document.data[name], known)))
        return None, None
    if connector not in known:
        message = f"there is no connector `{connector}`.{allowed(connector, known)}"
        built.problems.append(own.place(Finding(("connector",), message)))
        return None, None
    built.uses.add(f"connector {connector}")
    try:
        side, findings = _side(document, name, connector, library)
    except ConfigError as error:
        built.problems.extend(error.problems)
        return None, None
    if side is not None:
        options, problems = side.options()
        built.problems.extend(problems)
    built.problems.extend(own.place(finding) for finding in findings)
    return (side, options) if side is not None else (None, None)


def _no_connector(block: dict[str, Any], known: list[str]) -> Finding:
    misspelt = get_close_matches("connector", [key for key in block if key != "connection"], n=1, cutoff=0.75)
    if misspelt:
        return Finding((misspelt[0],), "unknown key. Did you mean `connector`?", on_key=True)
    message = f"is required: a built-in connector or the name of a connector file.{allowed('', known)}"
    return Finding(("connector",), message, on_key=True)


def _side(document: Document, name: SideName, connector: str, library: Library) -> tuple[Side | None, list[Finding]]:
    shared = None if connector in registry.names() else library.connector_file(connector)
    built_in = connector if shared is None else shared.connector
    model = model_of(registry.get(built_in), name)
    if model is None:
        return None, [Finding(("connector",), f"connector `{connector}` cannot be a {name}")]
    if shared is None:
        return plain_side(document, name, model), []
    return reused_side(document, name, shared.document, model, built_in)


def _mapping(document: Document, library: Library, built: Built) -> Mapping | None:
    try:
        name, version = split_mapping(document.data.get("mapping"))
    except ValueError:
        return None  # said by the model
    built.uses.add(f"mapping {name}")
    try:
        return library.mapping(name, version)
    except NoSuchMapping as error:
        built.problems.append(document.problem(("mapping",), str(error)))
    except ConfigError as error:
        built.problems.extend(error.problems)
    return None


def _filter(document: Document, library: Library, built: Built) -> Expression | None:
    text = document.data.get("filter")
    if not isinstance(text, str) or not text:
        return None
    try:
        return library.filter_expression(text)
    except ValueError as error:
        built.problems.append(document.problem(("filter",), str(error)))
        return None


def _cross_checks(
    document: Document,
    sides: dict[str, tuple[Side, Any]],
    mapping: Mapping | None,
    condition: Expression | None,
    built: Built,
) -> None:
    """What only shows when the parts of a flow are seen together; each check needs its own parts to be valid."""
    if "source" in sides:
        side, source = sides["source"]
        built.problems.extend(side.place(finding) for finding in cross.source_findings(source))
        built.warnings.extend(side.place(Finding((), advice)) for advice in source.advice())
        if mapping is not None:
            unread = cross.unread(source, mapping.source_paths, f"mapping {mapping.label}")
            built.problems.extend(document.problem(("mapping",), message) for message in unread)
        if condition is not None:
            unread = cross.unread(source, condition.paths, "this expression")
            built.problems.extend(document.problem(("filter",), message) for message in unread)
    if "destination" in sides:
        side, destination = sides["destination"]
        built.problems.extend(side.place(finding) for finding in cross.destination_findings(destination, mapping))
        built.warnings.extend(side.place(Finding((), advice)) for advice in destination.advice())
    if "source" in sides and "destination" in sides:
        side, destination = sides["destination"]
        source = sides["source"][1]
        built.warnings.extend(side.place(finding) for finding in cross.delete_findings(source, destination))
