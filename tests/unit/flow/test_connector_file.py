"""Reusable connector files: what they give to a flow, and in which file a fault is shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from airflow_provider_flux.connectors.rest.destination_options import RestDestinationOptions
from airflow_provider_flux.connectors.rest.source_options import RestSourceOptions
from airflow_provider_flux.flow.check import check
from airflow_provider_flux.flow.loader import load_flow
from tests.unit.flow.conftest import CONNECTOR, change, write

FLOW = """\
source:
  connector: crm
  object: contacts
  connection: crm
mapping: contacts
destination:
  connector: sql
  connection: warehouse
  table: contacts
  key: crm_id
"""
FILE = "include/flows/contacts.yaml"
SHARED = "include/connectors/crm.yaml"


@pytest.fixture
def flow(include: Path) -> Path:
    """A flow whose source is an object of `connectors/crm.yaml`."""
    write(include / "connectors" / "crm.yaml", CONNECTOR)
    write(include / "flows" / "contacts.yaml", FLOW)
    return include / "flows" / "contacts.yaml"


@pytest.fixture
def shared(include: Path, flow: Path) -> Path:
    return include / "connectors" / "crm.yaml"


def source(include: Path) -> RestSourceOptions:
    found = load_flow(include, "contacts").file.source
    assert isinstance(found, RestSourceOptions)
    return found


def test_a_flow_takes_the_options_of_the_file_and_of_its_object(include: Path, flow: Path) -> None:
    found = source(include)
    assert (found.connector, found.path, found.key, found.records) == ("rest", "/v1/contacts", ("id",), "data")
    assert (found.page.kind, found.page.size) == ("page", 100)
    assert found.auth is not None
    assert found.auth.header == "X-Api-Key"
    assert found.cursor is not None


def test_the_flow_wins_over_the_object_and_the_object_over_the_file(include: Path, flow: Path, shared: Path) -> None:
    change(shared, "    path: /v1/contacts\n", "    path: /v1/contacts\n    records: contacts\n    timeout: 5s\n")
    change(flow, "  connection: crm\n", "  connection: crm\n  timeout: 9s\n")
    found = source(include)
    assert found.records == "contacts"
    assert found.timeout is not None
    assert found.timeout.total_seconds() == 9


def test_blocks_are_merged_key_by_key_and_other_values_replaced(include: Path, flow: Path) -> None:
    change(flow, "  connection: crm\n", "  connection: crm\n  page: {size: 7}\n  key: [a, b]\n")
    found = source(include)
    assert (found.page.kind, found.page.size_param, found.page.size) == ("page", "limit", 7)
    assert found.key == ("a", "b")


def test_a_block_of_another_kind_replaces_the_one_below_whole(include: Path, flow: Path) -> None:
    change(flow, "  connection: crm\n", "  connection: crm\n  page: {kind: cursor, param: after, next: next}\n")
    found = source(include)
    assert (found.page.kind, found.page.size) == ("cursor", None)


def test_one_file_serves_sources_and_destinations(include: Path, flow: Path, shared: Path) -> None:
    change(shared, "    key: id\n    cursor", "    key: id\n    mode: create\n    cursor")
    text = flow.read_text().partition("destination:")[0]
    flow.write_text(f"{text}destination:\n  connector: crm\n  object: contacts\n  connection: crm\n  key: crm_id\n")
    destination = load_flow(include, "contacts").file.destination
    assert isinstance(destination, RestDestinationOptions)
    assert (destination.path, destination.mode, destination.key) == ("/v1/contacts", "create", ("crm_id",))
    assert source(include).key == ("id",)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "    path: /v1/contacts",
            "    path: https://x/y",
            f"{SHARED}:11:11: objects.contacts.path: write only the path",
        ),
        (
            "    path: /v1/contacts",
            "    pth: /v1/contacts",
            f"{SHARED}:11:5: objects.contacts.pth: unknown key. Did you mean `p",
        ),
        ("  size: 100", "  size: many", f"{SHARED}:7:9: page.size: write a whole number, not 'many'"),
        ("  size: 100", "  siz: 100", f"{SHARED}:7:3: page.siz: unknown key. Did you mean `size`?"),
        ("records: data", "record: data", f"{SHARED}:8:1: record: unknown key. Did you mean `records`?"),
        ("cursor: {field: updated_at}", "cursor: {}", f"{SHARED}:13:5: objects.contacts.cursor.field: is required"),
        (
            "connector: rest",
            "connector: rst",
            f"{SHARED}:1:12: connector: there is no built-in connector `rst`. Did you",
        ),
        (
            "connector: rest",
            "connector: crm",
            f"{SHARED}:1:12: connector: there is no built-in connector `crm`. Allowed",
        ),
        (
            "connector: rest\n",
            "",
            f"{SHARED}:1:1: connector: is required: the built-in connector that this file builds on.",
        ),
        ("  companies:\n", "  companies: 5\n  other:\n", f"{SHARED}:14:14: objects.companies: write keys with values"),
        ("description: The CRM", "description: &x The CRM", f"{SHARED}:2:14: the anchor `&x` is not allowed"),
        (
            "    path: /v1/companies",
            "    path: 5",
            f"{SHARED}:15:11: objects.companies.path: write text, not the number 5",
        ),
    ],
)
def test_a_fault_is_placed_in_the_connector_file(
    shared: Path, problems: Callable[[], list[str]], old: str, new: str, expected: str
) -> None:
    change(shared, old, new)
    assert [problem for problem in problems() if problem.startswith(expected)], problems()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "object: contacts",
            "object: contact",
            "3:11: source.object: include/connectors/crm.yaml has no object `contact`. Did",
        ),
        (
            "object: contacts",
            "object: [a]",
            "3:11: source.object: include/connectors/crm.yaml has objects; write the name of one.",
        ),
        ("object: contacts", "objekt: contacts", "3:3: source.objekt: unknown key. Did you mean `object`?"),
        (
            "connector: crm",
            "connector: crn",
            "2:14: source.connector: there is no connector `crn`. Did you mean `crm`?",
        ),
        ("  connection: crm\n", "", "1:1: source.connection: is required"),
        (
            "  connection: crm\n",
            "  connection: crm\n  page: {sise: 1}\n",
            "5:10: source.page.sise: unknown key. Did you",
        ),
        (
            "  connection: crm\n",
            "  connection: crm\n  page: {size: x}\n",
            "5:16: source.page.size: write a whole number",
        ),
    ],
)
def test_a_fault_of_the_flow_is_placed_in_the_flow(
    flow: Path, problems: Callable[[], list[str]], old: str, new: str, expected: str
) -> None:
    change(flow, old, new)
    assert [problem for problem in problems() if problem.startswith(f"{FILE}:{expected}")], problems()


def test_an_object_that_is_not_chosen_is_suggested(flow: Path, problems: Callable[[], list[str]]) -> None:
    change(flow, "  object: contacts\n", "")
    assert problems() == [
        f"{FILE}:1:1: source.key: is required",
        f"{FILE}:1:1: source.object: is not chosen. Allowed: contacts, companies.",
        f"{FILE}:1:1: source.path: is required",
    ]


def test_what_a_flow_completes_is_no_fault_of_the_file(include: Path, flow: Path, shared: Path) -> None:
    change(shared, "  kind: page\n", "")
    change(flow, "  connection: crm\n", "  connection: crm\n  page: {kind: offset}\n")
    assert source(include).page.kind == "offset"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rest.yaml", "`rest` is the name of a built-in connector; rename the file"),
        ("shop.yml", "rename it to <name>.yaml"),
        ("my shop.yaml", "rename it to <name>.yaml"),
    ],
)
def test_a_connector_file_needs_a_name_of_its_own(include: Path, name: str, expected: str) -> None:
    write(include / "connectors" / name, CONNECTOR)
    (problem,) = check(include).problems
    assert str(problem).startswith(f"include/connectors/{name}:1:1: {expected}")
