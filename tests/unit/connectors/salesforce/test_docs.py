"""The flows on Salesforce's page are valid, and its tables say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from airflow_provider_flux.connectors.salesforce.connection import VERSION
from airflow_provider_flux.connectors.salesforce.rows import CODES
from airflow_provider_flux.connectors.salesforce.sobjects import LOCK_BUDGET
from airflow_provider_flux.flow.check import check
from tests.unit.flow.conftest import write

TEXT = (Path(__file__).parents[4] / "docs" / "connectors" / "salesforce.md").read_text(encoding="utf-8")
ACCOUNTS = """\
rules:
  - {from: Id, to: id, required: true}
  - {from: Name, to: name}
  - {from: Owner.Email, to: owner}
"""


def test_the_flows_on_the_page_are_valid(tmp_path: Path) -> None:
    include = tmp_path / "include"
    examples = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    flows = [text for text in examples if text.startswith("description:")]
    (mapping,) = [text for text in examples if text.startswith("# include/mappings/contacts/v1.yaml")]
    for number, flow in enumerate(flows):
        write(include / "flows" / f"flow{number}.yaml", flow)
    write(include / "mappings" / "contacts" / "v1.yaml", mapping)
    write(include / "mappings" / "accounts" / "v1.yaml", ACCOUNTS)
    report = check(include)
    assert (report.problems, report.warnings) == ((), ())
    assert len(report.flows) == len(flows) == 2


def test_what_salesforce_says_is_what_the_rows_know() -> None:
    table = TEXT.partition("| Salesforce says | is |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", table, re.MULTILINE)[1:]
    for said, meaning in rows:
        for vendor in re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", said):
            assert CODES[vendor] in meaning, vendor


def test_numbers_on_the_page() -> None:
    assert f"`{VERSION}` unless given" in TEXT
    assert f"for at most {LOCK_BUDGET:.0f} seconds" in TEXT
