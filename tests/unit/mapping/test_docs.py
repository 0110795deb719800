"""The page on mapping files says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from airflow_provider_flux.mapping.expression import LONGEST
from airflow_provider_flux.mapping.filters import CONCAT, FILTERS, TESTS
from airflow_provider_flux.mapping.sandbox import BUDGET, METHODS
from airflow_provider_flux.mapping.spec import Rule
from tests.unit.mapping.building import mapping

PAGE = (Path(__file__).parents[3] / "docs" / "mapping-file.md").read_text(encoding="utf-8")


def _row(title: str) -> set[str]:
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| {title}"))
    return set(re.findall(r"`([^`]+)`", line.split("|")[2]))


def test_the_example_is_a_mapping() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    record = {
        "id": 7,
        "properties": {"email": "Ada@example.com", "phone": "none", "firstname": "ada", "lastname": "king"},
        "tags": ["VIP"],
        "orders": [{"total": 2}, {"total": 3.5}],
    }
    assert mapping(*yaml.safe_load(example)["rules"]).apply(record) == (
        {
            "crm_id": 7,
            "email": "ada@example.com",
            "phone": None,
            "name": "Ada King",
            "tags": ["vip"],
            "address": {"city": "unknown"},
            "total": 5.5,
            "source": "crm",
        },
        [],
    )


def test_every_key_of_a_rule_is_described() -> None:
    rules = PAGE.partition("## A rule")[2].partition("## Paths")[0]
    described = re.findall(r"^\| `(\w+)` \|", rules, re.MULTILINE)
    assert described == [field.alias or name for name, field in Rule.model_fields.items()]


@pytest.mark.parametrize(
    ("title", "names"), [("filters", set(FILTERS) - {CONCAT}), ("tests", set(TESTS)), ("methods of text", set(METHODS))]
)
def test_all_that_expressions_may_use_is_listed(title: str, names: set[str]) -> None:
    assert _row(title) - {"is"} == names


def test_the_limits_are_stated() -> None:
    assert f"at most {LONGEST:,} characters" in PAGE
    assert f"may handle {BUDGET:,} characters" in PAGE
