"""`source` and `destination` of a flow over the reusable connector file that they name.

A connector file holds what all flows of one system share. Its keys lie under those of `objects.<object>`, and these
under the flow's own. Blocks of keys are merged key by key; any other value replaces the one below. A problem is placed
in the file that holds the key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from airflow_provider_flux.connectors.contract import Connector
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.errors import Problem
from airflow_provider_flux.flow.model_path import key_names
from airflow_provider_flux.flow.problems import Finding, explain
from airflow_provider_flux.flow.suggest import allowed
from airflow_provider_flux.flow.yaml_file import Document, Where, stands_in

SideName = Literal["source", "destination"]
OptionsModel = type[SourceOptions] | type[DestinationOptions]

OWN_KEYS = ("connector", "objects", "description")
"""Keys of a connector file that are not options."""


@dataclass(frozen=True)
class Layer:
    """A block of keys in a file."""

    document: Document
    base: Where

    def place(self, finding: Finding) -> Problem:
        """The finding, whose path counts from this block, as a problem of the file."""
        return self.document.problem((*self.base, *finding.path), finding.message, on_key=finding.on_key)

    def holds(self, path: Where) -> bool:
        """Whether this block has a value at the path."""
        return stands_in(self.document.data, (*self.base, *path))


@dataclass(frozen=True)
class Side:
    """One side of a flow: its merged keys, and the layers they come from, the flow's own first."""

    layers: tuple[Layer, ...]
    data: dict[str, Any]
    model: OptionsModel

    def place(self, finding: Finding) -> Problem:
        """The finding in the file that holds its key; in the flow where no file does."""
        holder = next((layer for layer in self.layers if layer.holds(finding.path)), self.layers[0])
        return holder.place(finding)

    def options(self) -> tuple[Any, list[Problem]]:
        """The validated options, or None with what is wrong."""
        try:
            return self.model.model_validate(self.data), []
        except ValidationError as error:
            return None, [self.place(finding) for finding in explain(error, self.model, self.data)]


def model_of(connector: type[Connector], side: SideName) -> OptionsModel | None:
    """The option model of a connector for that side; None where it cannot be one."""
    return connector.source_options if side == "source" else connector.destination_options


def merge(below: Any, above: Any) -> Any:
    """`above` over `below`: blocks key by key, anything else replaced.

    A block of another `kind` (of paging, of authentication) replaces the one below whole: the keys of the one kind mean
    nothing to the other.
    """
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    if "kind" in above and above["kind"] != below.get("kind", above["kind"]):
        return above
    merged = dict(below)
    for key, value in above.items():
        merged[key] = merge(below[key], value) if key in below else value
    return merged


def plain_side(flow: Document, side: SideName, model: OptionsModel) -> Side:
    """A side that names a built-in connector."""
    return Side((Layer(flow, (side,)),), flow.data[side], model)


def reused_side(
    flow: Document, side: SideName, shared: Document, model: OptionsModel, connector: str
) -> tuple[Side, list[Finding]]:
    """A side that names a connector file. Findings count from the flow's side.

    Of the connector file only those keys count that the model of this side knows: one file serves sources and
    destinations. A key that neither knows is a problem of the connector file itself (see `flow.connector_file`).
    """
    own = dict(flow.data[side])
    objects = shared.data.get("objects")
    layers = [Layer(flow, (side,)), Layer(shared, ())]
    findings: list[Finding] = []
    data = known_keys(shared.data, model)
    if isinstance(objects, dict) and "object" in own:
        name = own.pop("object")
        if isinstance(name, str) and isinstance(objects.get(name), dict):
            layers.insert(1, Layer(shared, ("objects", name)))
            data = merge(data, known_keys(objects[name], model))
        else:
            message = f"{shared.file} has no object `{name}`.{allowed(name, objects)}"
            findings.append(Finding(("object",), message))
    data = {**merge(data, own), "connector": connector}
    return Side(tuple(layers), data, model), findings


def known_keys(data: dict[str, Any], model: OptionsModel) -> dict[str, Any]:
    """The options in a block of a connector file that this model knows."""
    known = key_names(model)
    return {key: value for key, value in data.items() if key in known and key not in OWN_KEYS}
