"""The catalogue, and what travels in its errors."""

from __future__ import annotations

import pickle

import pytest

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


def test_the_page_of_errors_is_the_catalogue() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tools.error_docs"


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_code_says_what_why_and_what_next(code: str) -> None:
    row = CATALOGUE[code]
    assert row.stages
    for text in (row.meaning, row.cause, row.solution, *row.advice):
        assert text[0].isupper()
        assert text.endswith(".")


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
