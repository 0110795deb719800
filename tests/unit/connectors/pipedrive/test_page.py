"""docs/connectors/pipedrive.md says what the connector does, and its flows are valid."""

from __future__ import annotations

import re
from pathlib import Path

from airflow_provider_flux.cli.facts_view import object_facts
from airflow_provider_flux.connectors.pipedrive import Pipedrive
from airflow_provider_flux.flow.check import check
from tests.unit.flow.conftest import write

PAGE = Path(__file__).parents[4] / "docs" / "connectors" / "pipedrive.md"
TEXT = PAGE.read_text(encoding="utf-8")


def blocks() -> dict[str, str]:
    """The YAML of the page by its first line."""
    return {text.partition("\n")[0]: text for text in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)}


def test_the_flows_on_the_page_are_valid(tmp_path: Path) -> None:
    into, mapping, out_of = blocks().values()
    write(tmp_path / "include" / "flows" / "persons.yaml", into)
    write(tmp_path / "include" / "flows" / "deals.yaml", out_of)
    write(tmp_path / "include" / "mappings" / "persons" / "v1.yaml", mapping)
    write(tmp_path / "include" / "mappings" / "deals" / "v1.yaml", "rules:\n  - {from: id, to: id}\n")
    report = check(tmp_path / "include")
    assert (report.flows, report.problems, report.warnings) == (("deals", "persons"), (), ())


def test_every_object_and_what_it_is_looked_up_by_is_on_the_page() -> None:
    rows = {line.split("|")[1].strip(): line for line in TEXT.splitlines() if line.startswith("| `")}
    for declared in Pipedrive.objects:
        assert f"`{declared.name}`" in TEXT
        if declared.modes:
            assert [name for name in declared.match if f"`{name}`" not in rows[f"`{declared.name}`"]] == []


def test_connectors_describe_says_what_calls_cost() -> None:
    for declared in Pipedrive.objects:
        assert "tokens of the daily budget" in dict(object_facts(declared))["cost"]


def test_every_field_of_the_connection_is_on_the_page() -> None:
    assert Pipedrive.form is not None
    assert [name for name in (*Pipedrive.form.fields, "host", "password") if f"`{name}`" not in TEXT] == []
