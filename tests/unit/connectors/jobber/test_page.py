"""docs/connectors/jobber.md says what the connector does, and its flows are valid."""

from __future__ import annotations

import re
from pathlib import Path

from airflow_provider_flux.connectors.jobber import VERSION, Jobber
from airflow_provider_flux.connectors.jobber.objects import SHAPES
from airflow_provider_flux.flow.check import check
from tests.unit.flow.conftest import write

PAGE = Path(__file__).parents[4] / "docs" / "connectors" / "jobber.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_flows_on_the_page_are_valid(tmp_path: Path) -> None:
    into, mapping, out_of = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    write(tmp_path / "include" / "flows" / "into.yaml", into)
    write(tmp_path / "include" / "flows" / "out_of.yaml", out_of)
    write(tmp_path / "include" / "mappings" / "jobber_clients" / "v1.yaml", mapping)
    write(tmp_path / "include" / "mappings" / "clients" / "v1.yaml", "rules:\n  - {from: id, to: id}\n")
    report = check(tmp_path / "include")
    assert (report.flows, report.problems, report.warnings) == (("into", "out_of"), (), ())


def test_every_object_its_lists_and_what_it_is_looked_up_by_are_on_the_page() -> None:
    for declared in Jobber.objects:
        assert f"`{declared.name}`" in TEXT
        assert [name for name in (*declared.match, *SHAPES[declared.name].lists) if f"`{name}`" not in TEXT] == []


def test_every_field_of_the_connection_is_on_the_page() -> None:
    assert Jobber.form is not None
    assert [name for name in (*Jobber.form.fields, "host", "password") if f"`{name}`" not in TEXT] == []
    assert f"`{VERSION}`" in TEXT
