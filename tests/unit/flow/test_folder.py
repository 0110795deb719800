"""What the names of files mean, and which flows are loaded from an include folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_flux.errors import ConfigError
from airflow_provider_flux.flow.loader import flow_ids, load_flow, load_flows, load_mapping
from tests.unit.flow.conftest import FLOW, MAPPING, change, write


def said(include: Path) -> list[str]:
    return [str(problem) for problem in load_flows(include)[1]]


def loaded(include: Path) -> list[str]:
    return [flow.id for flow in load_flows(include)[0]]


def test_flows_are_sorted_by_their_id_and_named_by_their_file(include: Path) -> None:
    for name in ("b.yaml", "A-1.yml", "c.v2.yaml"):
        write(include / "flows" / name, FLOW)
    for name in (".hidden.yaml", "notes.txt", "contacts.yaml~", "README.md"):
        write(include / "flows" / name, "x")
    assert flow_ids(include) == loaded(include) == ["A-1", "b", "c.v2", "contacts"]


def test_a_bad_flow_is_alone(include: Path) -> None:
    write(include / "flows" / "bad.yaml", FLOW.replace("mapping: contacts", "maping: contacts"))
    assert loaded(include) == ["contacts"]
    assert [line.split(" ")[0] for line in said(include)] == ["include/flows/bad.yaml:15:1:"]
    with pytest.raises(ConfigError):
        load_flow(include, "bad")
    assert load_flow(include, "contacts").id == "contacts"


def test_a_file_that_is_not_yaml_is_alone(include: Path) -> None:
    (include / "flows" / "bad.yaml").write_bytes(b"\xff\xfe")
    assert loaded(include) == ["contacts"]
    assert said(include) == ["include/flows/bad.yaml:1:1: the file is not UTF-8: byte 0xff"]


def test_two_files_with_one_id_are_both_refused(include: Path) -> None:
    write(include / "flows" / "contacts.yml", FLOW)
    write(include / "flows" / "other.yaml", FLOW)
    assert loaded(include) == ["other"]
    assert said(include) == [
        "include/flows/contacts.yaml:1:1: the flow id `contacts` is also that of contacts.yml; rename one of them",
        "include/flows/contacts.yml:1:1: the flow id `contacts` is also that of contacts.yaml; rename one of them",
    ]
    with pytest.raises(ConfigError, match="is also that of"):
        load_flow(include, "contacts")


def test_ids_that_differ_only_in_capitals_are_both_refused(include: Path) -> None:
    write(include / "flows" / "Contacts.yaml", FLOW)
    assert loaded(include) == []
    assert said(include) == [
        "include/flows/Contacts.yaml:1:1: the flow id `Contacts` is also that of contacts.yaml; rename one of them",
        "include/flows/contacts.yaml:1:1: the flow id `contacts` is also that of Contacts.yaml; rename one of them",
    ]


@pytest.mark.parametrize(
    "name", ["con tacts.yaml", "_x.yaml", "ünder.yaml", "a" * 245 + "+.yaml", "-a.yml", "a:b.yaml"]
)
def test_a_name_that_cannot_be_a_dag_id_is_a_problem(include: Path, name: str) -> None:
    write(include / "flows" / name, FLOW)
    (problem,) = said(include)
    assert problem.startswith(
        f"include/flows/{name}:1:1: the name of the file is the id of the flow and of its DAG: letters"
    )
    assert loaded(include) == ["contacts"]


def test_a_folder_with_the_name_of_a_flow_is_a_problem(include: Path) -> None:
    (include / "flows" / "folder.yaml").mkdir()
    assert said(include) == ["include/flows/folder.yaml:1:1: is not a file"]


def test_without_the_folder_there_is_one_problem(tmp_path: Path) -> None:
    assert said(tmp_path / "include") == ["include/flows:1:1: the folder does not exist"]


def test_an_unknown_flow_is_answered_with_the_nearest(include: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_flow(include, "contact")
    assert str(caught.value) == (
        "include/flows:1:1: there is no flow `contact`. Did you mean `contacts`? Allowed: contacts."
    )


def test_the_newest_version_of_a_mapping_is_used_unless_one_is_pinned(include: Path) -> None:
    for number in (2, 10):
        write(include / "mappings" / "contacts" / f"v{number}.yaml", MAPPING)
    assert load_mapping(include, "contacts", None).label == "contacts@10"
    assert load_mapping(include, "contacts", 2).label == "contacts@2"
    change(include / "flows" / "contacts.yaml", "mapping: contacts", "mapping: contacts@2")
    flow = load_flow(include, "contacts")
    assert (flow.mapping_name, flow.mapping_pin) == ("contacts", 2)


@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [
        ("contact", None, "there is no mapping `contact`. Did you mean `contacts`? Allowed: contacts, extra."),
        ("zzz", None, "there is no mapping `zzz`. Allowed: contacts, extra."),
        ("../flows", None, "there is no mapping `../flows`. Allowed: contacts, extra."),
        ("contacts", 3, "mapping `contacts` has no version 3. Allowed: 1."),
    ],
)
def test_an_unknown_mapping_or_version_is_answered_with_those_there_are(
    include: Path, name: str, version: int | None, expected: str
) -> None:
    write(include / "mappings" / "extra" / "v1.yaml", MAPPING)
    with pytest.raises(ConfigError) as caught:
        load_mapping(include, name, version)
    assert str(caught.value) == f"include/mappings:1:1: {expected}"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("to: crm_id", "too: crm_id", "3:16: rules[0].too: unknown key. Did you mean `to`? Allowed: from, "),
        ("required: true", "required: always", "3:38: rules[0].required: write true or false, not 'always'"),
        ("trim,", "trimm,", "6:18: rules[1].transforms[0]: there is no transform 'trimm'; did you mean trim?"),
        ("to: updated_at", "to: email", "7:28: rules[2].to: `email` is already written by rule"),
        ("from: properties.email", "from: properties..email", "4:11: rules[1].from: "),
        ("- {from: updated_at, to: updated_at}", "- {to: x, expression: record.(}", "7:25: rules[2].expression: "),
    ],
)
def test_a_fault_of_a_mapping_is_placed_in_its_file(include: Path, old: str, new: str, expected: str) -> None:
    path = include / "mappings" / "contacts" / "v1.yaml"
    write(path, path.read_text().replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load_mapping(include, "contacts", None)
    assert any(str(p).startswith(f"include/mappings/contacts/v1.yaml:{expected}") for p in caught.value.problems), str(
        caught.value
    )


def test_a_fault_of_a_mapping_is_said_once_for_all_flows_that_use_it(include: Path) -> None:
    write(include / "flows" / "second.yaml", FLOW)
    change(include / "mappings" / "contacts" / "v1.yaml", "trim,", "trimm,")
    assert loaded(include) == []
    (problem,) = said(include)
    assert problem.startswith("include/mappings/contacts/v1.yaml:6:18: ")


def test_the_same_files_give_the_same_answer(include: Path) -> None:
    for name in ("z", "a", "m"):
        write(include / "flows" / f"{name}.yaml", FLOW.replace("key: id", "kee: id"))
    assert load_flows(include) == load_flows(include)
    assert [line.split(":")[0] for line in said(include)] == sorted(line.split(":")[0] for line in said(include))


def test_the_id_of_a_dag_of_flux_s_own_is_taken(include: Path) -> None:
    write(include / "flows" / "flux_timer.yaml", FLOW)
    assert loaded(include) == ["contacts"]
    assert said(include) == [
        "include/flows/flux_timer.yaml:1:1: `flux_timer` is the id of a DAG of Flux's own; rename the file"
    ]
