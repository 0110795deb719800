"""Faults within a flow file: each is named at its line and column, with what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from airflow_provider_flux.flow.loader import load_flow
from tests.unit.flow.conftest import change

FILE = "include/flows/contacts.yaml"


def test_a_valid_flow_is_read_with_its_defaults(include: Path) -> None:
    flow = load_flow(include, "contacts")
    assert (flow.id, flow.path) == ("contacts", include / "flows" / "contacts.yaml")
    assert (flow.mapping_name, flow.mapping_pin) == ("contacts", None)
    assert flow.file.schedule is not None
    assert flow.file.schedule.every == timedelta(hours=1)
    assert flow.file.source.connector == "rest"
    assert flow.file.source.cursor is not None
    assert flow.file.source.cursor.effective_lookback == timedelta(minutes=5)
    assert flow.file.destination.mode == "upsert"
    assert (flow.file.batch, flow.file.start_date, flow.file.pool) == (1000, date(2024, 1, 1), None)
    assert not flow.file.errors.run_fails(read=10, lost=10)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("mapping: contacts", "maping: contacts", "15:1: maping: unknown key. Did you mean `mapping`? Allowed: desc"),
        ("schedule: {every: 1h}", "schedule: {evry: 1h}", "2:12: schedule.evry: unknown key. Did you mean `every`?"),
        ("{every: 1h}", "{every: 1 hour}", "2:19: schedule.every: '1 hour' is not a duration"),
        ("{every: 1h}", "{every: 0s}", "2:19: schedule.every: must be between 1s and 366d"),
        ("{every: 1h}", '{every: 1h, cron: "0 6 * * *"}', "2:11: schedule: write either `every` or `cron`"),
        ("{every: 1h}", "{}", "2:11: schedule: write either `every` or `cron`"),
        ("{every: 1h}", '{cron: "0 25 * * *"}', "2:18: schedule.cron: '0 25 * * *' is not a cron expression: is not"),
        (
            "{every: 1h}",
            '{cron: "@daily"}',
            "2:18: schedule.cron: '@daily' is not a cron expression: write five fields",
        ),
        (
            "{every: 1h}",
            '{cron: "0 0 30 2 *"}',
            "2:18: schedule.cron: '0 0 30 2 *' is not a cron expression: can never",
        ),
        ("{every: 1h}", '{cron: "R 6 * * *"}', "2:18: schedule.cron: 'R 6 * * *': `R` and `H` stand for random times"),
        (
            "{every: 1h}",
            '{cron: "0 6 * * *", timezone: Europe/Berln}',
            "2:41: schedule.timezone: 'Europe/Berln' is not a time zone; write one such as `Europe/Berlin` or `UTC`. D",
        ),
        ("description: Contacts", "description: [Contacts]", "1:14: description: write text, not a list"),
        ("description: Contacts", "start_date: 20240101", "1:13: start_date: write a date such as 2026-01-31"),
        ("description: Contacts", "start_date: 2024-13-01", "1:13: start_date: write a date such as 2026-01-31, not"),
        ("description: Contacts", "batch: 0", "1:8: batch: must be 1 or more, not the number 0"),
        ("description: Contacts", "batch: true", "1:8: batch: write a whole number, not true"),
        ("description: Contacts", "batch: '5'", "1:8: batch: write a whole number, not '5'"),
        ("description: Contacts", "tags: crm", "1:7: tags: write a list, not text"),
        ("description: Contacts", "tags: [crm, '']", "1:13: tags[1]: must not be empty"),
        ("description: Contacts", "pool: ''", "1:7: pool: must not be empty"),
        (
            "description: Contacts",
            "errors: {fail_run_when: rate > 5}",
            "1:25: errors.fail_run_when: write `never`, `any`",
        ),
        (
            "description: Contacts",
            "errors:\n  fail_when: any",
            "2:3: errors.fail_when: unknown key. Did you mean `fail_run",
        ),
        ("filter: record.stage != 'spam'", "filter: record.stage !=", "14:9: filter: "),
        ("filter: record.stage != 'spam'", "filter: stage != 'spam'", "14:9: filter: there is no `stage` here"),
        ("filter: record.stage != 'spam'", "filter: ''", "14:9: filter: must not be empty"),
        ("connector: rest", "conector: rest", "4:3: source.conector: unknown key. Did you mean `connector`?"),
        ("  connector: rest\n", "", "3:1: source.connector: is required: a built-in connector or the name of"),
        (
            "connector: rest",
            "connector: rst",
            "4:14: source.connector: there is no connector `rst`. Did you mean `rest`?",
        ),
        (
            "connector: rest",
            "connector: [rest]",
            "4:14: source.connector: write the name of a connector.",
        ),
        ("  connection: crm\n", "", "3:1: source.connection: is required"),
        (
            "connection: crm",
            "conection: crm",
            "5:3: source.conection: unknown key. Did you mean `connection`? Allowed:",
        ),
        (
            "    kind: cursor",
            "    kind: cursors",
            "9:11: source.page.kind: 'cursors' is not allowed. Did you mean `cursor`?",
        ),
        (
            "    param: after",
            "    parm: after",
            "10:5: source.page.parm: unknown key. Did you mean `param`? Allowed: kind,",
        ),
        ("    next: paging.next.after\n", "", "8:3: source.page: kind cursor needs `next`"),
        ("cursor: {field: updated_at}", "cursor: {}", "13:3: source.cursor.field: is required"),
        ("cursor: {field: updated_at}", "cursor: updated_at", "13:11: source.cursor: write keys with values, not text"),
        ("key: id", "key: []", "12:8: source.key: must not be empty"),
        ("key: id", "key: id..x", "12:8: source.key: 'id..x' is not a path: "),
        (
            "key: id",
            "key: [id, '[0]']",
            "12:13: source.key[1]: '[0]' is not a field of a record: a path begins with a name",
        ),
        (
            "field: updated_at",
            "field: updated_at, type: integer, lookback: 5m",
            "13:56: source.cursor.lookback: a lookback",
        ),
        (
            "field: updated_at",
            "field: n, type: integer, settle: 5m",
            "13:45: source.cursor.settle: `settle` needs a cursor",
        ),
        (
            "table: contacts",
            "tables: contacts",
            "19:3: destination.tables: unknown key. Did you mean `table`? Allowed: ",
        ),
        ("  key: crm_id", "  key: id", "20:8: destination.key: mapping contacts@1 does not write the field `id`."),
        (
            "  key: crm_id",
            "  mode: upsertt",
            "20:9: destination.mode: 'upsertt' is not allowed. Did you mean `upsert`?",
        ),
        ("  key: crm_id", "  batch_size: 0", "20:15: destination.batch_size: must be 1 or more, not the number 0"),
        (
            "mapping: contacts",
            "mapping: contact",
            "15:10: mapping: there is no mapping `contact`. Did you mean `contacts`?",
        ),
        (
            "mapping: contacts",
            "mapping: contacts@2",
            "15:10: mapping: mapping `contacts` has no version 2. Allowed: 1.",
        ),
        (
            "mapping: contacts",
            "mapping: contacts@v1",
            "15:10: mapping: write the name of a mapping, or name@version with",
        ),
        (
            "mapping: contacts",
            "mapping: ../contacts",
            "15:10: mapping: write the name of a mapping, or name@version with",
        ),
        ("mapping: contacts", "mapping: 5", "15:10: mapping: write text, not the number 5"),
        ("mapping: contacts\n", "", "1:1: mapping: is required"),
    ],
)
def test_a_fault_is_named_at_its_place(
    include: Path, problems: Callable[[], list[str]], old: str, new: str, expected: str
) -> None:
    change(include / "flows" / "contacts.yaml", old, new)
    assert any(problem.startswith(f"{FILE}:{expected}") for problem in problems()), problems()


def test_every_problem_of_a_flow_comes_at_once(include: Path, problems: Callable[[], list[str]]) -> None:
    flow = include / "flows" / "contacts.yaml"
    change(flow, "every: 1h", "every: never")
    change(flow, "kind: cursor", "kind: curser")
    change(flow, "filter: record", "filter: recrd")
    change(flow, "mapping: contacts", "mapping: contract")
    change(flow, "table: contacts", "tabel: contacts")
    change(include / "mappings" / "contacts" / "v1.yaml", "trim", "trimm")
    assert [problem.split(": ")[0:2] for problem in problems()] == [
        [f"{FILE}:2:19", "schedule.every"],
        [f"{FILE}:9:11", "source.page.kind"],
        [f"{FILE}:14:9", "filter"],
        [f"{FILE}:15:10", "mapping"],
        [f"{FILE}:19:3", "destination.tabel"],
    ]


@pytest.mark.parametrize("side", ["source", "destination"])
@pytest.mark.parametrize("value", ["", " rest", " [1, 2]", " 5"])
def test_a_side_that_is_not_a_block_is_a_problem(
    include: Path, problems: Callable[[], list[str]], side: str, value: str
) -> None:
    flow = include / "flows" / "contacts.yaml"
    text = flow.read_text()
    begin = text.index(f"{side}:")
    end = text.index("filter:") if side == "source" else len(text)
    flow.write_text(f"{text[:begin]}{side}:{value}\n{text[end:]}")
    (found,) = problems()
    assert f": {side}: write keys with values, not " in found


def test_a_run_is_red_by_the_policy_of_its_flow(include: Path) -> None:
    change(include / "flows" / "contacts.yaml", "description: Contacts", "errors: {fail_run_when: rate > 0.05}")
    policy = load_flow(include, "contacts").file.errors
    assert [policy.run_fails(100, lost) for lost in (0, 5, 6)] == [False, False, True]
    change(include / "flows" / "contacts.yaml", "rate > 0.05", "any")
    assert [load_flow(include, "contacts").file.errors.run_fails(100, lost) for lost in (0, 1)] == [False, True]
