"""Reusable connector files: `include/connectors/<name>.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.contract import Connector
from airflow_provider_flux.errors import ConfigError
from airflow_provider_flux.flow.layers import OWN_KEYS, Layer, OptionsModel, known_keys, merge, model_of
from airflow_provider_flux.flow.model_path import key_names
from airflow_provider_flux.flow.problems import Finding, explain, key_findings
from airflow_provider_flux.flow.suggest import allowed
from airflow_provider_flux.flow.yaml_file import Document, read_file


@dataclass(frozen=True)
class ConnectorFile:
    """A valid connector file and the built-in connector that it builds on."""

    document: Document
    connector: str


def load_connector_file(path: Path, file: str) -> ConnectorFile:
    """Read a connector file and check what can be checked without a flow.

    Required options may still be missing: the flow brings them.

    :raises ConfigError: with every problem of the file
    """
    document = read_file(path, file)
    connector = _connector(document)
    models = [model for model in (model_of(connector, "source"), model_of(connector, "destination")) if model]
    found = [(Layer(document, ()), finding) for finding in _block_findings({}, document.data, models, OWN_KEYS)]
    objects = document.data.get("objects", {})
    if not isinstance(objects, dict):
        found.append((Layer(document, ("objects",)), Finding((), "write the objects as keys with their options below")))
        objects = {}
    for name, options in objects.items():
        layer = Layer(document, ("objects", name))
        if isinstance(options, dict):
            found.extend((layer, finding) for finding in _block_findings(document.data, options, models, ()))
        else:
            found.append((layer, Finding((), "write keys with values")))
    if found:
        raise ConfigError([layer.place(finding) for layer, finding in found])
    return ConnectorFile(document, document.data["connector"])


def _connector(document: Document) -> type[Connector]:
    name = document.data.get("connector")
    if name is None:
        message = f"is required: the built-in connector that this file builds on.{allowed('', registry.names())}"
        raise ConfigError([document.problem(("connector",), message, on_key=True)])
    if name not in registry.names():
        message = f"there is no built-in connector `{name}`.{allowed(name, registry.names())}"
        raise ConfigError([document.problem(("connector",), message)])
    return registry.get(name)


def _block_findings(
    below: dict[str, Any], block: dict[str, Any], models: list[OptionsModel], own_keys: tuple[str, ...]
) -> list[Finding]:
    """What is wrong with one block of options, apart from what a flow may still add."""
    known = list(dict.fromkeys(key for model in models for key in key_names(model)))
    options = [key for key in known if key not in OWN_KEYS]
    findings = key_findings(block, [*own_keys, *options])
    for model in models:
        data = merge(known_keys(below, model), known_keys(block, model))
        try:
            model.model_validate(data)
        except ValidationError as error:
            findings.extend(
                finding
                for finding in explain(error, model, data)
                if not finding.incomplete and finding.path[0] in block
            )
    return list(dict.fromkeys(findings))
