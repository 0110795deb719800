"""JSON Schema (draft 2020-12) of flow and mapping files, for editors.

Built from the same models that validate the files, with the options of every connector in the registry.
"""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.flow.layers import SideName, model_of
from airflow_provider_flux.flow.models import FlowFile
from airflow_provider_flux.mapping.spec import MappingFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def flow_schema() -> dict[str, Any]:
    """The schema of `include/flows/*.yaml`."""
    sides: dict[SideName, dict[str, Any]] = {}
    models: list[Any] = [FlowFile]
    for side in ("source", "destination"):
        sides[side] = {
            name: model for name in registry.names() if (model := model_of(registry.get(name), side)) is not None
        }
        models.extend(sides[side].values())
    keys, top = models_json_schema([(model, "validation") for model in models], by_alias=True)
    definitions = top["$defs"]
    root = definitions.pop("FlowFile")
    for side, of_side in sides.items():
        references = {name: keys[(model, "validation")] for name, model in of_side.items()}
        root["properties"][side] = _side_schema(root["properties"][side].get("description", ""), references)
    for base in (SourceOptions, DestinationOptions):
        definitions.pop(base.__name__, None)
    return {"$schema": DIALECT, "title": "Flow", **root, "$defs": definitions}


def mapping_schema() -> dict[str, Any]:
    """The schema of `include/mappings/*/v*.yaml`."""
    schema = MappingFile.model_json_schema(by_alias=True)
    return {"$schema": DIALECT, **schema, "title": "Mapping"}


def _side_schema(description: str, references: dict[str, Any]) -> dict[str, Any]:
    """The connector decides on the other keys. Any other name is a connector file, whose keys a schema cannot know."""
    return {
        "description": description,
        "type": "object",
        "required": ["connector"],
        "properties": {
            "connector": {
                "description": "A built-in connector, or the name of a file in include/connectors/.",
                "anyOf": [{"enum": list(references)}, {"type": "string", "minLength": 1}],
            }
        },
        "allOf": [
            {
                "if": {"properties": {"connector": {"const": name}}, "required": ["connector"]},
                "then": reference,
            }
            for name, reference in references.items()
        ],
    }
