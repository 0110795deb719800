"""The page of the flow file says what the models say, and its examples are valid."""

from __future__ import annotations

import re
from pathlib import Path

from airflow_provider_flux.flow.check import check
from airflow_provider_flux.flow.yaml_file import parse
from tests.unit.flow.conftest import MAPPING, write
from tools.flow_docs import PAGE, render, table_names

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_models() -> None:
    assert render(TEXT) == TEXT, "run `python -m tools.flow_docs`"


def test_every_table_is_on_the_page() -> None:
    assert sorted(re.findall(r"<!-- table: ([\w ]+) -->", TEXT)) == sorted(table_names())


def test_every_key_has_a_meaning() -> None:
    rows = [line.split(" | ") for line in TEXT.splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    assert [row[0] for row in rows if len(row) != 4 or row[3].strip(" |") == ""] == []


def test_the_flow_on_the_page_is_valid(tmp_path: Path) -> None:
    write(tmp_path / "include" / "flows" / "contacts.yaml", example("description: Contacts of the CRM"))
    write(tmp_path / "include" / "mappings" / "contacts" / "v1.yaml", MAPPING)
    report = check(tmp_path / "include")
    assert (report.flows, report.problems, report.warnings) == (("contacts",), (), ())


def test_the_connector_file_on_the_page_is_valid_and_fits_the_flow_that_names_it(tmp_path: Path) -> None:
    flow = example("description: Contacts of the CRM")
    begin, end = flow.index("source:"), flow.index("mapping:")
    source = example("source:\n  connector: nimbus")
    assert parse(source.encode(), "page").data["source"]["object"] == "contacts"
    write(tmp_path / "include" / "flows" / "contacts.yaml", f"{flow[:begin]}{source}{flow[end:]}")
    write(tmp_path / "include" / "connectors" / "nimbus.yaml", example("# include/connectors/nimbus.yaml"))
    write(tmp_path / "include" / "mappings" / "contacts" / "v1.yaml", MAPPING)
    report = check(tmp_path / "include")
    assert (report.flows, report.problems, report.warnings) == (("contacts",), (), ())


def example(beginning: str) -> str:
    """The YAML example of the page that begins so."""
    (found,) = [text for text in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL) if text.startswith(beginning)]
    return found
