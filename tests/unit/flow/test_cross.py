"""What only shows when the parts of a flow are seen together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from airflow_provider_flux.flow.check import check
from airflow_provider_flux.flow.loader import load_flow
from tests.unit.flow.conftest import MAPPING, change, write

FILE = "include/flows/contacts.yaml"

SQL_FLOW = """\
source:
  connector: sql
  connection: shop
  table: contacts
  columns: [id, email, updated_at, gone]
  key: id
  cursor: {field: updated_at}
filter: record.email
mapping: rows
destination:
  connector: sql
  connection: warehouse
  table: contacts
  key: id
"""
SQL_MAPPING = "rules:\n  - {from: id, to: id}\n  - {from: email, to: mail}\n"


@pytest.fixture
def sql_flow(include: Path) -> Path:
    """A flow whose source names its columns."""
    write(include / "mappings" / "rows" / "v1.yaml", SQL_MAPPING)
    write(include / "flows" / "contacts.yaml", SQL_FLOW)
    return include / "flows" / "contacts.yaml"


def test_a_flow_that_reads_what_it_uses_is_valid(include: Path, sql_flow: Path) -> None:
    change(sql_flow, "  key: id\n  cursor", "  version: updated_at\n  deleted: {field: gone}\n  key: id\n  cursor")
    assert load_flow(include, "contacts").file.source.selected_fields() == {"id", "email", "updated_at", "gone"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "field: updated_at",
            "field: update_at",
            "7:19: source.cursor.field: the source does not read the field `update_at`. Did you mean `updated_at`? "
            "Allowed: email, gone, id, updated_at.",
        ),
        (
            "  key: id\n  cur",
            "  key: [id, part]\n  cur",
            "6:13: source.key[1]: the source does not read the field `part`.",
        ),
        (
            "  key: id\n  cur",
            "  key: [id]\n  version: rev\n  cur",
            "7:12: source.version: the source does not read the field `rev`.",
        ),
        (
            "  key: id\n  cur",
            "  key: id\n  deleted: {field: removed}\n  cur",
            "7:20: source.deleted.field: the source does not read the field `removed`.",
        ),
        (
            "id, email,",
            "id, mail,",
            "9:10: mapping: mapping rows@1 needs the field `email`, which the source does not read. Did you mean "
            "`mail`? The source reads: gone, id, mail, updated_at.",
        ),
        (
            "filter: record.email",
            "filter: record.phone != '' and record.email",
            "8:9: filter: this expression needs the field `phone`, which the source does not read.",
        ),
    ],
)
def test_a_field_that_the_source_does_not_read_is_named(
    sql_flow: Path, problems: Callable[[], list[str]], old: str, new: str, expected: str
) -> None:
    change(sql_flow, old, new)
    assert any(problem.startswith(f"{FILE}:{expected}") for problem in problems()), problems()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("  table: contacts\n  key: id\n", "  table: contacts\n", "destination: `mode: upsert` needs `key`"),
        ("warehouse\n", "warehouse\n  mode: update\n", None),
        ("  key: id\n", "  mode: create\n", None),
        ("  key: id\n", "  mode: create\n  deletes: delete\n", "deletes: delete` needs `key`"),
    ],
)
def test_a_write_by_key_needs_the_key(
    sql_flow: Path, include: Path, problems: Callable[[], list[str]], old: str, new: str, expected: str | None
) -> None:
    text = sql_flow.read_text()
    head, _, tail = text.partition("destination:")
    assert old in tail
    sql_flow.write_text(f"{head}destination:{tail.replace(old, new)}")
    if expected is None:
        assert load_flow(include, "contacts").file.destination.mode in ("update", "create")
    else:
        (found,) = problems()
        assert expected in found


def test_a_rest_destination_needs_the_key_for_upsert(sql_flow: Path, problems: Callable[[], list[str]]) -> None:
    text = sql_flow.read_text().partition("destination:")[0]
    rest = "destination:\n  connector: rest\n  connection: c\n  path: /x\n  idempotent: true\n"
    sql_flow.write_text(text + rest)
    assert problems() == [
        f"{FILE}:10:1: destination.key: is required for mode upsert: the target field that identifies a record"
    ]


@pytest.mark.parametrize(("key", "valid"), [("mail", True), ("[id, mail]", True), ("[id, name]", False), ("Id", False)])
def test_the_mapping_must_write_the_key(
    sql_flow: Path, include: Path, problems: Callable[[], list[str]], key: str, valid: bool
) -> None:
    head, _, tail = sql_flow.read_text().partition("destination:")
    sql_flow.write_text(f"{head}destination:{tail.replace('key: id', f'key: {key}')}")
    if valid:
        assert load_flow(include, "contacts").id == "contacts"
    else:
        (found,) = problems()
        assert "mapping rows@1 does not write the field `" in found
        assert "It writes: id, mail." in found


def test_the_mapping_must_write_the_fallback_keys(sql_flow: Path, problems: Callable[[], list[str]]) -> None:
    head, _, tail = sql_flow.read_text().partition("destination:")
    sql_flow.write_text(f"{head}destination:{tail}  fallback_keys: [mail, [mail, phone], fax]\n")
    phone, fax = problems()
    assert "fallback_keys[1][1]: mapping rows@1 does not write the field `phone`" in phone
    assert "fallback_keys[2]: mapping rows@1 does not write the field `fax`" in fax


def test_a_key_may_be_part_of_an_object_that_the_mapping_writes(sql_flow: Path, include: Path) -> None:
    write(include / "mappings" / "rows" / "v1.yaml", "rules:\n  - {from: id, to: ref.id}\n")
    head, _, tail = sql_flow.read_text().partition("destination:")
    sql_flow.write_text(f"{head}destination:{tail.replace('key: id', 'key: ref.id')}")
    assert load_flow(include, "contacts").file.destination.key == ("ref.id",)


def test_deletes_that_can_never_come_are_a_warning_and_no_problem(sql_flow: Path, include: Path) -> None:
    change(sql_flow, "connection: warehouse", "connection: warehouse\n  deletes: delete")
    report = check(include, [sql_flow])
    assert report.problems == ()
    assert [str(warning) for warning in report.warnings] == [
        f"{FILE}:13:12: destination.deletes: nothing will be deleted: `source.deleted` does not say how a deleted "
        "record is recognised"
    ]
    change(sql_flow, "  cursor:", "  deleted: {field: gone}\n  cursor:")
    assert check(include, [sql_flow]).warnings == ()


def test_a_nested_field_counts_as_read_with_the_column_that_holds_it(sql_flow: Path, include: Path) -> None:
    write(include / "mappings" / "rows" / "v1.yaml", SQL_MAPPING.replace("from: email", "from: 'email[0].text'"))
    assert load_flow(include, "contacts").id == "contacts"


def test_without_a_list_of_columns_any_field_may_be_there(sql_flow: Path, include: Path) -> None:
    change(sql_flow, "  columns: [id, email, updated_at, gone]\n", "")
    write(include / "mappings" / "rows" / "v1.yaml", MAPPING.replace("to: crm_id", "to: id"))
    assert load_flow(include, "contacts").file.source.selected_fields() is None
