"""The pages of `graphql` and `flow_platform` say what the connectors do, and their flows are valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.rest.options import ErrorRow
from airflow_provider_flux.flow.check import check
from tests.unit.flow.conftest import write

DOCS = Path(__file__).parents[4] / "docs" / "connectors"
RULES = "rules:\n" + "".join(f"  - {{from: {name}, to: {name}}}\n" for name in ("id", "email", "name"))


def text_of(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def blocks(name: str) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", text_of(name), re.DOTALL)


@pytest.mark.parametrize(("name", "count"), [("graphql", 3), ("flow_platform", 1)])
def test_the_flows_on_the_page_are_valid(name: str, count: int, tmp_path: Path) -> None:
    include = tmp_path / "include"
    flows = [text for text in blocks(name) if text.startswith("description")]
    for number, text in enumerate(flows):
        write(include / "flows" / f"flow{number}.yaml", text)
    write(include / "mappings" / "contacts" / "v1.yaml", RULES)
    extra = "  - {from: phone, to: phone}\n  - {from: id, to: customer_id}\n"
    write(include / "mappings" / "customers" / "v1.yaml", RULES + extra)
    report = check(include)
    assert report.problems == ()
    assert len(report.flows) == count


def test_the_row_on_the_page_is_valid() -> None:
    (row,) = [text for text in blocks("graphql") if text.startswith("errors")]
    assert [ErrorRow.model_validate(one).code for one in yaml.safe_load(row)["errors"]] == ["RECORD_NOT_FOUND"]


@pytest.mark.parametrize("name", ["graphql", "flow_platform"])
def test_every_field_of_the_connection_is_on_the_page(name: str) -> None:
    form = registry.get(name).form
    assert form is not None
    shown = {*form.fields, "host", "password"}
    assert [field for field in shown if f"`{field}`" not in text_of(name)] == []
