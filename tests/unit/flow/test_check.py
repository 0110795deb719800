"""`check`: every file of the include folder, problems and warnings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from airflow_provider_flux.errors import Problem
from airflow_provider_flux.flow.check import check
from tests.unit.flow.conftest import CONNECTOR, FLOW, MAPPING, change, write


def lines(problems: Sequence[Problem]) -> list[str]:
    return [str(problem) for problem in problems]


def test_valid_files_are_counted_and_nothing_is_said(include: Path) -> None:
    write(include / "mappings" / "contacts" / "v2.yaml", MAPPING)
    report = check(include)
    assert (report.problems, report.warnings) == ((), ())
    assert report.flows == ("contacts",)
    assert report.mappings == ("contacts@1", "contacts@2")


def test_old_versions_and_unused_mappings_are_looked_at_too(include: Path) -> None:
    write(include / "mappings" / "contacts" / "v2.yaml", MAPPING)
    change(include / "mappings" / "contacts" / "v1.yaml", "trim,", "trimm,")
    write(include / "mappings" / "unused" / "v1.yaml", "rules: []\n")
    report = check(include)
    assert [line.split(": ")[0] for line in lines(report.problems)] == [
        "include/mappings/contacts/v1.yaml:6:18",
        "include/mappings/unused/v1.yaml:1:8",
    ]
    assert lines(report.warnings) == ["include/mappings/unused:1:1: no flow uses this mapping"]
    assert (report.flows, report.mappings) == (("contacts",), ("contacts@2",))


def test_an_unused_connector_file_is_a_warning_and_its_faults_are_problems(include: Path) -> None:
    write(include / "connectors" / "crm.yaml", CONNECTOR.replace("records: data", "recrods: data"))
    report = check(include)
    assert [line.split(": ")[:2] for line in lines(report.problems)] == [["include/connectors/crm.yaml:8:1", "recrods"]]
    assert lines(report.warnings) == ["include/connectors/crm.yaml:1:1: no flow uses this connector file"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mappings/contacts/2.yaml", "rename it to v<number>.yaml, for example v1.yaml"),
        ("mappings/contacts/v01.yaml", "rename it to v<number>.yaml, for example v1.yaml"),
        ("mappings/contacts/v2.yml", "rename it to v<number>.yaml, for example v1.yaml"),
        ("mappings/lost.yaml", "move it to mappings/<name>/v1.yaml"),
    ],
)
def test_a_mapping_that_no_flow_could_find_is_a_problem(include: Path, name: str, expected: str) -> None:
    write(include / name, MAPPING)
    assert lines(check(include).problems) == [f"include/{name}:1:1: {expected}"]


def test_flows_in_folders_below_are_a_warning(include: Path) -> None:
    write(include / "flows" / "team" / "x.yaml", FLOW)
    assert lines(check(include).warnings) == [
        "include/flows/team:1:1: flows in folders below flows/ are not loaded; move them up"
    ]


def test_what_a_connector_advises_against_is_a_warning_at_its_side(include: Path) -> None:
    change(
        include / "flows" / "contacts.yaml",
        "    kind: cursor\n    param: after\n    next: paging.next.after\n",
        "    kind: offset\n",
    )
    (warning,) = lines(check(include).warnings)
    assert warning.startswith(
        "include/flows/contacts.yaml:3:1: source: paging of kind offset can miss rows that move to"
    )
    text = (include / "flows" / "contacts.yaml").read_text().partition("destination:")[0]
    rest = "destination:\n  connector: rest\n  connection: ledger\n  path: /v1/customers\n  mode: create\n"
    write(include / "flows" / "contacts.yaml", text + rest)
    assert "destination: records whose answer was lost in a crash are held" in lines(check(include).warnings)[1]


def test_paths_limit_the_check_to_these_files_and_what_they_use(include: Path) -> None:
    write(include / "flows" / "bad.yaml", "x: 1\n")
    write(include / "mappings" / "other" / "v1.yaml", "x: 1\n")
    assert check(include).problems
    report = check(include, [include / "flows" / "contacts.yaml"])
    assert (report.problems, report.warnings, report.flows, report.mappings) == ((), (), ("contacts",), ())
    assert check(include, [include / "mappings" / "contacts"]).mappings == ("contacts@1",)
    change(include / "mappings" / "contacts" / "v1.yaml", "trim,", "trimm,")
    (problem,) = check(include, [include / "flows" / "contacts.yaml"]).problems
    assert problem.file == "include/mappings/contacts/v1.yaml"


def test_a_folder_around_the_include_folder_means_all_of_it(include: Path) -> None:
    write(include / "flows" / "bad.yaml", "x: 1\n")
    assert check(include, [include.parent]) == check(include, [include]) == check(include)


def test_a_relative_path_and_a_way_round_are_understood(include: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(include)
    assert check(Path("../include"), [Path("flows/../flows/contacts.yaml")]).flows == ("contacts",)


def test_a_path_elsewhere_is_a_problem(include: Path, tmp_path: Path) -> None:
    write(tmp_path / "flow.yaml", FLOW)
    (problem,) = check(include, [tmp_path / "flow.yaml"]).problems
    assert str(problem) == f"{tmp_path}/flow.yaml:1:1: not in the include folder {include}"


def test_a_misnamed_flow_outside_the_asked_part_is_not_reported(include: Path) -> None:
    write(include / "flows" / "con tacts.yaml", FLOW)
    assert check(include, [include / "flows" / "contacts.yaml"]).problems == ()
    assert len(check(include, [include / "flows"]).problems) == 1
