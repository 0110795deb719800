"""`connectors describe` and `check --online` against an org, as a person calls them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from airflow_provider_flux.cli import main
from tests.contracts.salesforce.conftest import Org

FLOW = """\
source: {connector: salesforce, connection: org, object: Contact, fields: [LastName, Stage__c, Account.Name]}
mapping: people
destination:
  connector: salesforce
  connection: org
  object: Contact
  key: Email__c
"""
MAPPING = """\
rules:
  - {from: Id, to: Email__c, required: true}
  - {from: LastName, to: LastName}
  - {from: Account.Name, to: Account.Key__c}
  - from: Stage__c
    to: Stage__c
    transforms: [{value_map: {map: {new: new, won: won}}}]
"""


@pytest.fixture
def include(org: Org, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A flow from an org into itself that fits it."""
    include = tmp_path / "include"
    (include / "flows").mkdir(parents=True)
    (include / "flows/people.yaml").write_text(FLOW)
    (include / "mappings/people").mkdir(parents=True)
    (include / "mappings/people/v1.yaml").write_text(MAPPING)
    monkeypatch.setenv("AIRFLOW__FLUX__INCLUDE", str(include))
    monkeypatch.setenv("AIRFLOW__FLUX__STORE", f"sqlite:///{tmp_path / 'flux.db'}")
    monkeypatch.setenv("AIRFLOW__FLUX__FERNET_KEY", Fernet.generate_key().decode())
    monkeypatch.setenv("AIRFLOW_CONN_ORG", json.dumps(org.vendor.connection(org.wire.url)))
    return include


def test_the_org_lists_the_fields_of_the_flows_object_once(
    org: Org, include: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["connectors", "describe", "org"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "org: Contact"
    assert lines[2].split() == ["LastName", "string", "required", "80"]
    (stage,) = [line for line in lines if line.startswith("Stage__c")]
    assert stage.split() == ["Stage__c", "string", "custom", "255", "new,", "won"]
    assert len([line for line in lines if line.startswith("Email__c")]) == 1


def test_a_flow_that_fits_the_org_has_no_problem(
    org: Org, include: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--online"]) == 0
    assert capsys.readouterr().out == "1 valid flow, 1 valid mapping, 0 problems, 0 warnings\n"
    assert org.calls() == ["GET /services/data/v63.0/sobjects/Contact/describe"] * 2
    assert len(org.vendor.grants) == 1, "the second question uses the token of the first"


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("flows/people.yaml", "Stage__c,", "Stage__c, Emial__c,",
         "flows/people.yaml:1:96: source.fields[2]: Contact has no field `Emial__c`. Did you mean `Email__c`?"),
        ("flows/people.yaml", "object: Contact\n  key", "object: Contacts\n  key",
         "flows/people.yaml:6:11: destination.object: connection 'org': GET "),
        ("mappings/people/v1.yaml", "to: LastName", "to: SystemModstamp",
         "mappings/people/v1.yaml:3:26: rules[1].to: `SystemModstamp` cannot be written"),
        ("mappings/people/v1.yaml", "  - {from: LastName, to: LastName}\n", "",
         "flows/people.yaml:2:10: mapping: Contact requires `LastName` in a new record"),
        ("mappings/people/v1.yaml", "won: won", "won: lost",
         "mappings/people/v1.yaml:7:18: rules[3].transforms[0]: the rule writes `lost`, which `Stage__c` does not"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_org_is_told_at_its_place(
    include: Path, capsys: pytest.CaptureFixture[str], file: str, old: str, new: str, expected: str
) -> None:
    path = include / file
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))
    assert main(["check", "--online"]) == 1
    out = capsys.readouterr().out
    assert any(line.startswith(f"include/{expected}") for line in out.splitlines()), out


def test_a_refused_sign_in_is_a_problem_of_the_connection(
    include: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = json.loads(os.environ["AIRFLOW_CONN_ORG"])
    fields["extra"]["consumer_secret"] = "wr0ng-secret"
    monkeypatch.setenv("AIRFLOW_CONN_ORG", json.dumps(fields))
    assert main(["check", "--online"]) == 1
    out = capsys.readouterr().out
    assert "include/flows/people.yaml:1:45: source.connection: " in out
    assert "include/flows/people.yaml:5:15: destination.connection: " in out
    assert "wr0ng" not in out
