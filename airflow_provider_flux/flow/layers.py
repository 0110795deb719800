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
from airflow_provider_flux.errors import Problem, preview
from airflow_provider_flux.flow.model_path import key_names
from airflow_provider_flux.flow.problems import Finding, explain
from airflow_provider_flux.flow.suggest import allowed, nearest
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

    def depth(self, path: Where) -> int:
        """How many steps of the path lead to something in this block."""
        held = 0
        while held < len(path) and stands_in(self.document.data, (*self.base, *path[: held + 1])):
            held += 1
        return held


@dataclass(frozen=True)
class Side:
    """One side of a flow: its merged keys, and the layers they come from, the flow's own first.

    :param unchosen: the objects of the connector file, where the flow names none of them
    """

    layers: tuple[Layer, ...]
    data: dict[str, Any]
    model: OptionsModel
    unchosen: tuple[str, ...] = ()

    def place(self, finding: Finding) -> Problem:
        """The finding in the file that holds its key, or the block where the key is missing; else in the flow."""
        return max(self.layers, key=lambda layer: layer.depth(finding.path)).place(finding)

    def options(self) -> tuple[Any, list[Problem]]:
        """The validated options, or None with what is wrong."""
        try:
            return self.model.model_validate(self.data), []
        except ValidationError as error:
            findings = explain(error, self.model, self.data)
            if self.unchosen and any(finding.incomplete for finding in findings):
                findings.append(Finding(("object",), f"is not chosen.{allowed('', self.unchosen)}", on_key=True))
            return None, [self.place(finding) for finding in findings]


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
    objects = shared.data.get("objects", {})  # checked when the file was loaded: blocks of keys
    findings = _correct_object(own, objects, model)
    layers = [Layer(flow, (side,)), Layer(shared, ())]
    data = known_keys(shared.data, model)
    unchosen = tuple(objects) if "object" not in own else ()
    if objects and not unchosen:
        name = own.pop("object")
        if isinstance(name, str) and name in objects:
            layers.insert(1, Layer(shared, ("objects", name)))
            data = merge(data, known_keys(objects[name], model))
        else:
            what = f"no object `{preview(name, 60)}`" if isinstance(name, str) else "objects; write the name of one"
            findings.append(Finding(("object",), f"{shared.file} has {what}.{allowed(name, objects)}"))
    return Side(tuple(layers), {**merge(data, own), "connector": connector}, model, unchosen), findings


def _correct_object(own: dict[str, Any], objects: dict[str, Any], model: OptionsModel) -> list[Finding]:
    """Take a misspelt `object` for what it was meant to be, so that not all keys of the object seem to be missing."""
    if not objects or "object" in own:
        return []
    misspelt = nearest("object", [key for key in own if key not in key_names(model)])
    if misspelt is None:
        return []
    own["object"] = own.pop(misspelt)
    return [Finding((misspelt,), "unknown key. Did you mean `object`?", on_key=True)]


def known_keys(data: dict[str, Any], model: OptionsModel) -> dict[str, Any]:
    """The options in a block of a connector file that this model knows."""
    known = key_names(model)
    return {key: value for key, value in data.items() if key in known and key not in OWN_KEYS}
