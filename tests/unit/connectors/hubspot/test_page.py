"""docs/connectors/hubspot.md says what the connector does, and its flows are valid."""

from __future__ import annotations

import re
from pathlib import Path

from airflow_provider_flux.connectors.hubspot import Hubspot
from airflow_provider_flux.flow.check import check
from tests.unit.flow.conftest import write

PAGE = Path(__file__).parents[4] / "docs" / "connectors" / "hubspot.md"
TEXT = PAGE.read_text(encoding="utf-8")


def blocks() -> list[str]:
    """The YAML of the page."""
    return re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_the_flows_on_the_page_are_valid(tmp_path: Path) -> None:
    into, mapping, out_of = blocks()
    write(tmp_path / "include" / "flows" / "contacts.yaml", into)
    write(tmp_path / "include" / "flows" / "people.yaml", out_of)
    write(tmp_path / "include" / "mappings" / "contacts" / "v1.yaml", mapping)
    write(tmp_path / "include" / "mappings" / "people" / "v1.yaml", "rules:\n  - {from: id, to: id}\n")
    report = check(tmp_path / "include")
    assert (report.flows, report.problems, report.warnings) == (("contacts", "people"), (), ())


def test_every_object_and_mode_is_on_the_page() -> None:
    for declared in Hubspot.objects:
        assert f"`{declared.name}`" in TEXT
        assert [mode for mode in declared.modes if f"| `{mode}` |" not in TEXT] == []


def test_every_field_of_the_connection_is_on_the_page() -> None:
    assert Hubspot.form is not None
    assert [name for name in (*Hubspot.form.fields, "host", "password") if f"`{name}`" not in TEXT] == []


def test_a_field_that_the_source_does_not_read_is_seen_by_check(tmp_path: Path) -> None:
    out_of = blocks()[2]
    write(tmp_path / "include" / "flows" / "people.yaml", out_of)
    rules = "rules:\n  - {from: id, to: id}\n  - {from: phone, to: phone}\n"
    write(tmp_path / "include" / "mappings" / "people" / "v1.yaml", rules)
    (problem,) = check(tmp_path / "include").problems
    assert "`phone`" in problem.message and "does not read" in problem.message
