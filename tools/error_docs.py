"""Prints docs/errors.md from the catalogue: `python -m tools.error_docs`."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_flux.catalogue import CATALOGUE, Category, Disposition, ErrorCode

PAGE = Path(__file__).parents[1] / "docs" / "errors.md"

_HEAD = """\
# Errors

<!-- Made by `python -m tools.error_docs` from airflow_provider_flux/catalogue.py; do not edit. -->

Every failure has a code. Logs, `airflow-flux show` and `airflow-flux errors` name it with what happened, to which
record and field, and what to do next.

A code also says what happens next by itself:

| next | meaning |
|---|---|
"""

_NEXT = {
    Disposition.RETRY: "The same call may succeed later: Airflow retries the task; with the strategy `retry` Flux "
    "tries single records again by itself.",
    Disposition.FIX: "The record waits, with its payload, until a person mends the data or the mapping and replays it.",
    Disposition.HOLD: "The record waits for a person; no machine sends it again.",
    Disposition.STOP: "Nothing of the run can succeed as it is: the task fails and is not retried.",
}

_OVERVIEW = """
## All codes

| code | title | category | stage | next |
|---|---|---|---|---|
"""

_STATUSES = """
## HTTP statuses

What a status means where neither a row of the flow nor the body of the answer knows better:

| status | for a whole request | for a single record |
|---|---|---|
"""


def page() -> str:
    """The whole page."""
    parts = [_HEAD, *(f"| {disposition} | {text} |\n" for disposition, text in _NEXT.items())]
    parts += [_OVERVIEW, *(_line(row) for row in CATALOGUE.values())]
    parts += [_STATUSES, *_statuses()]
    for category in Category:
        rows = [row for row in CATALOGUE.values() if row.category is category]
        parts.append(f"\n## {category.value.capitalize()}\n")
        parts += [_section(row) for row in rows]
    return "".join(parts)


def _line(row: ErrorCode) -> str:
    stages = ", ".join(row.stages)
    return f"| [{row.code}](#{row.code.lower()}) | {row.title} | {row.category} | {stages} | {row.disposition} |\n"


def _statuses() -> list[str]:
    from airflow_provider_flux.transport.classify import RECORD_CODES, REQUEST_CODES

    named = sorted({*REQUEST_CODES, *RECORD_CODES})
    lines = [
        f"| {status} | {REQUEST_CODES.get(status, 'BAD_REQUEST')} | {RECORD_CODES.get(status, 'RECORD_REJECTED')} |\n"
        for status in named
    ]
    lines.append("| other 4xx | BAD_REQUEST | RECORD_REJECTED |\n")
    lines.append("| 5xx | SOURCE_OUTAGE, DESTINATION_OUTAGE | DESTINATION_OUTAGE |\n")
    return lines


def _section(row: ErrorCode) -> str:
    lines = [
        f"\n### {row.code}\n\n{row.title}. {row.meaning}\n\n",
        f"* Cause: {row.cause}\n* What to do: {row.solution}\n",
        *(f"* {text}\n" for text in row.advice),
        f"* Stage: {', '.join(row.stages)}\n* Next: {row.disposition}\n",
    ]
    return "".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
