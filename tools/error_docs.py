"""Prints docs/errors.md from the catalogue: `python -m tools.error_docs`."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_flux.errors import CATALOGUE, Category, Disposition, ErrorCode

PAGE = Path(__file__).parents[1] / "docs" / "errors.md"

_HEAD = """\
# Errors

<!-- Made by `python -m tools.error_docs` from airflow_provider_flux/errors.py; do not edit. -->

Every failure has a code. Logs, `airflow-flux show` and `airflow-flux errors` name it with what happened, to which
record and field, and what to do next.

A code also says what happens next by itself:

| next | meaning |
|---|---|
"""

_NEXT = {
    Disposition.RETRY: "The same call may succeed later: Airflow retries the task.",
    Disposition.FIX: "The record waits, with its payload, until a person mends the data or the mapping and replays it.",
    Disposition.HOLD: "The record waits for a person; no machine sends it again.",
    Disposition.STOP: "Nothing of the run can succeed as it is: the task fails and is not retried.",
}


def page() -> str:
    """The whole page."""
    parts = [_HEAD, "".join(f"| {disposition} | {text} |\n" for disposition, text in _NEXT.items())]
    for category in Category:
        rows = [row for row in CATALOGUE.values() if row.category is category]
        parts.append(f"\n## {category.value.capitalize()}\n")
        parts += [_section(row) for row in rows]
    return "".join(parts)


def _section(row: ErrorCode) -> str:
    return (
        f"\n### {row.code}\n\n{row.title}. {row.meaning}\n\n"
        f"* Cause: {row.cause}\n* What to do: {row.solution}\n* Next: {row.disposition}\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
