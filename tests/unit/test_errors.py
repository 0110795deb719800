"""The catalogue, and what travels in its errors."""

from __future__ import annotations

import ast
import pickle
from pathlib import Path

import pytest

import airflow_provider_flux
from airflow_provider_flux.errors import (
    CATALOGUE,
    BatchRejected,
    ConfigError,
    FluxError,
    Problem,
    RecordError,
    preview,
)
from tools.error_docs import PAGE, page

PACKAGE = Path(airflow_provider_flux.__file__).parent
CODES = set(CATALOGUE)


def test_the_page_of_errors_is_the_catalogue() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tools.error_docs"


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_code_says_what_why_and_what_next(code: str) -> None:
    row = CATALOGUE[code]
    assert row.stages
    for text in (row.meaning, row.cause, row.solution, *row.advice):
        assert text[0].isupper() or text[0] == "`"
        assert text.endswith(".")


@pytest.mark.parametrize(
    ("code", "category", "words"),
    [
        # The table of categories.
        ("AUTHENTICATION_FAILED", "connection", ["expired", "revoked", "reconnect"]),
        ("CONNECTION_TIMEOUT", "connection", ["status page", "retries"]),
        ("RATE_LIMIT_EXCEEDED", "connection", ["less often"]),
        ("PERMISSION_DENIED", "connection", ["scope", "reconnect"]),
        ("REQUIRED_FIELD_MISSING", "data", ["`default`", "source"]),
        ("INVALID_FORMAT", "data", ["transform", "source"]),
        ("DUPLICATE_RECORD", "data", ["matching"]),
        ("VALUE_TOO_LONG", "data", ["`truncate`"]),
        ("INVALID_EMAIL", "data", ["validate", "skip"]),
        ("FIELD_NOT_FOUND", "mapping", ["fields that the system has now"]),
        ("TRANSFORM_FAILED", "mapping", ["rule", "mend the value"]),
        ("OBJECT_TYPE_CHANGED", "mapping", ["connection", "mapping"]),
        ("RECORD_NOT_FOUND", "data", ["`mode: upsert`", "`deletes: ignore`", "out-of-order"]),
        ("SOURCE_OUTAGE", "connection", ["status page", "support"]),
        ("DESTINATION_OUTAGE", "connection", ["status page", "support"]),
        ("PAYLOAD_MISMATCH", "configuration", ["field names or types", "input schema", "trigger or input"]),
        ("NOT_FOUND", "configuration", ["deployed", "project", "flow"]),
        ("UNKNOWN", "unknown", ["raw answer"]),
        # The common errors, each of their solutions.
        ("INVALID_FORMAT", "data", ["`phone_e164`", "`skip_invalid: true`", "in the source"]),
        ("REQUIRED_FIELD_MISSING", "data", ["non-required", "`default`", "filter"]),
        ("RATE_LIMIT_EXCEEDED", "connection", ["less often", "instead of everything", "higher limit", "stagger"]),
        ("DUPLICATE_RECORD", "data", ["matching", "`mode: upsert`", "duplicate source records"]),
        # The advice for statuses that is true of every system.
        ("AUTHENTICATION_FAILED", "connection", ["`bearer`", "active", "redeployed"]),
        ("PERMISSION_DENIED", "connection", ["`x-project-id`", "key must belong"]),
        ("RATE_LIMIT_EXCEEDED", "connection", ["`updated_since`"]),
    ],
)
def test_the_advice_that_people_expect_stands_with_its_code(code: str, category: str, words: list[str]) -> None:
    row = CATALOGUE[code]
    text = " ".join((row.meaning, row.cause, row.solution, *row.advice)).lower()
    assert row.category.value == category
    assert [word for word in words if word.lower() not in text] == []


def test_every_code_is_raised_or_recognised_somewhere() -> None:
    """A code that the package never names, outside its table, is a dead row."""
    named: set[str] = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name != "catalogue.py":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            named |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value in CODES}
    assert sorted(CODES - named) == []


@pytest.mark.parametrize(
    "error",
    [
        FluxError("RATE_LIMIT_EXCEEDED", "slow down", answer="429", retry_after=7.0),
        BatchRejected(RecordError("INVALID_FORMAT", "no number", field="amount")),
        ConfigError([Problem("flows/a.yaml", 3, 5, "source.key", "is missing")]),
    ],
)
def test_an_error_survives_the_way_between_processes(error: FluxError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_a_problem_names_its_place() -> None:
    problem = Problem("flows/a.yaml", 3, 5, "source.key", "is missing")
    assert str(problem) == "flows/a.yaml:3:5: source.key: is missing"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("short", "short"),
        ("x" * 300, "x" * 199 + "… (300 characters)"),
        ("a\x00b", "a\\x00b"),
        ("\udce9", "\\udce9"),
        ({"a": 1}, "{'a': 1}"),
    ],
)
def test_a_preview_is_short_and_printable(value: object, text: str) -> None:
    assert preview(value) == text
