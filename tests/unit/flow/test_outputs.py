"""What a rule can write, as far as its file and the field that it reads tell."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_flux.connectors.declare import FieldInfo
from airflow_provider_flux.flow.outputs import Outputs, outputs
from airflow_provider_flux.mapping.spec import Rule

NAME = FieldInfo("name", "string", max_length=40)
STAGE = FieldInfo("stage", "string", enum=("lead", "won"))
STATES = {"value_map": {"map": {"lead": "open", "won": "closed"}}}


def known(*values: str, chosen: bool = True) -> Outputs:
    return Outputs(frozenset(values), max(map(len, values)), chosen)


@pytest.mark.parametrize(
    ("rule", "source", "expected"),
    [
        ({"value": "new"}, None, known("new")),
        ({"value": 7}, None, Outputs()),
        ({"from": "name"}, None, Outputs()),
        ({"from": "name"}, NAME, Outputs(longest=40)),
        ({"from": "name", "transforms": ["trim", "lowercase"]}, NAME, Outputs(longest=40)),
        ({"from": "name", "transforms": [{"truncate": {"length": 60}}]}, NAME, Outputs(longest=40)),
        ({"from": "name", "transforms": [{"truncate": {"length": 10}}]}, None, Outputs(longest=10)),
        ({"from": "name", "transforms": [{"truncate": {"length": 10}}, {"replace": {"find": "a", "with": "bb"}}]}, NAME,
         Outputs()),
        ({"from": "phone", "transforms": [{"phone_e164": {"country": "US"}}]}, None, Outputs(longest=16)),
        ({"from": "stage"}, STAGE, known("lead", "won", chosen=False)),
        ({"from": "stage", "transforms": ["uppercase"]}, STAGE, known("LEAD", "WON", chosen=False)),
        ({"from": "stage", "transforms": [STATES]}, STAGE, known("open", "closed")),
        ({"from": "stage", "transforms": [{"value_map": {"map": {"lead": "open"}, "default": "other"}}]}, STAGE,
         known("open", "other")),
        ({"from": "stage", "transforms": [STATES], "default": "none"}, None, known("open", "closed", "none")),
        ({"from": "stage", "transforms": [{"default": {"value": "lost"}}]}, STAGE,
         known("lead", "won", "lost", chosen=False)),
        ({"expression": "record.a ~ record.b"}, None, Outputs()),
    ],
)  # fmt: skip
def test_what_a_rule_can_write(rule: dict[str, Any], source: FieldInfo | None, expected: Outputs) -> None:
    assert outputs(Rule.model_validate({"to": "x", **rule}), source) == expected
