"""The JSON Schemas: valid, and of one mind with the models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from airflow_provider_flux.flow.schema import flow_schema, mapping_schema
from airflow_provider_flux.flow.yaml_file import read_file
from tests.unit.flow.conftest import FLOW, MAPPING

SHIPPED = Path(__file__).parents[3] / "include"


def faults(schema: dict[str, Any], data: Any) -> list[str]:
    """Every fault, those within the choices of an `anyOf` included."""
    waiting = list(jsonschema.Draft202012Validator(schema).iter_errors(data))
    found = []
    while waiting:
        error = waiting.pop()
        found.append(error.message)
        waiting.extend(error.context)
    return sorted(found)


@pytest.mark.parametrize("schema", [flow_schema(), mapping_schema()])
def test_the_schema_is_a_schema(schema: dict[str, Any]) -> None:
    assert schema["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"]
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", sorted((SHIPPED / "flows").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_flows_fit_the_schema(path: Path) -> None:
    assert faults(flow_schema(), read_file(path, path.name).data) == []


@pytest.mark.parametrize("path", sorted((SHIPPED / "mappings").glob("*/*.yaml")), ids=lambda path: path.parent.name)
def test_shipped_mappings_fit_the_schema(path: Path) -> None:
    assert faults(mapping_schema(), read_file(path, path.name).data) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("mapping: contacts", "maping: contacts", "'maping' was unexpected"),
        ("every: 1h", "evry: 1h", "'evry' was unexpected"),
        ("  path: /v1/contacts", "  pth: /v1/contacts", "'pth' was unexpected"),
        ("    kind: cursor", "    kind: curser", "'curser' is not one of"),
        ("    param: after", "    parm: after", "'parm' was unexpected"),
        ("  table: contacts", "  tabel: contacts", "'tabel' was unexpected"),
        ("  table: contacts", "  table: contacts\n  mode: upsertt", "'upsertt' is not one of"),
        ("  connector: rest\n", "", "'connector' is a required property"),
        ("  connection: crm\n", "", "'connection' is a required property"),
        ("description: Contacts", "batch: 0", "0 is less than the minimum of 1"),
    ],
)
def test_a_misspelt_flow_does_not_fit(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert faults(flow_schema(), data_of(tmp_path, FLOW)) == []
    assert any(expected in fault for fault in faults(flow_schema(), data_of(tmp_path, FLOW.replace(old, new, 1))))


@pytest.mark.parametrize(("old", "new"), [("to: crm_id", "too: crm_id"), ("trim,", "trimm,"), ("rules:", "rule:")])
def test_a_misspelt_mapping_does_not_fit(tmp_path: Path, old: str, new: str) -> None:
    assert faults(mapping_schema(), data_of(tmp_path, MAPPING)) == []
    assert faults(mapping_schema(), data_of(tmp_path, MAPPING.replace(old, new, 1)))


def test_a_connector_file_may_be_named_with_keys_that_a_schema_cannot_know(tmp_path: Path) -> None:
    text = FLOW.replace("connector: rest", "connector: nimbus\n  object: contacts", 1)
    assert faults(flow_schema(), data_of(tmp_path, text)) == []


def data_of(folder: Path, text: str) -> dict[str, Any]:
    path = folder / "f.yaml"
    path.write_text(text, encoding="utf-8")
    return read_file(path, "f.yaml").data
