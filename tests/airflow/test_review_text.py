"""What a person is shown of held records: hostile content stays text, and there is an end to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_flux.errors import RecordError
from airflow_provider_flux.operators.review import LEAVE, decide, held_for_review, question, who
from airflow_provider_flux.store import Store, open_store
from airflow_provider_flux.store.rows import NewError, Run

HOSTILE = "| <script>alert(1)</script> | [x](javascript:1) **bold** `code`\n| another | row |"


@pytest.fixture
def held(tmp_path: Path) -> tuple[Store, Run]:
    """A run that holds 60 records by its strategy, and one of which nobody knows whether it arrived."""
    store = open_store(f"sqlite:///{tmp_path}/flux.db")
    run = store.start_run("contacts", "run-1", "manual", "contacts")
    held = [RecordError("INVALID_EMAIL", HOSTILE, field="email", value=HOSTILE) for _ in range(60)]
    held.append(RecordError("OUTCOME_UNKNOWN", "no answer came"))
    errors = [NewError(n, f"key {n}", None, error, "{}", state="held") for n, error in enumerate(held)]
    store.record_transform(run, 0, 0, [], errors, 1)
    return store, run


def test_the_first_fifty_are_shown_and_no_record_is_markup(held: tuple[Store, Run]) -> None:
    store, run = held
    numbers = held_for_review(store, run)
    assert len(numbers) == 60
    text = question(store, run, numbers)
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| error")]
    assert len(rows) == 50
    assert {row.count("|") for row in rows} == {6}
    assert "... and 10 more." in text
    assert "<script" not in text
    assert "](" not in text
    assert "&#60;script&#62;" in text


def test_what_is_left_to_the_inbox_stays_there(held: tuple[Store, Run], tmp_path: Path) -> None:
    store, run = held
    assert decide(store, tmp_path, run, LEAVE, "", "kim") == "The records stay in the inbox."
    assert len(held_for_review(store, run)) == 60


def test_who_answered_is_who_airflow_says() -> None:
    assert who({"responded_by_user": {"id": "7", "name": "Kim"}}) == "Kim"
    assert who({"responded_by_user": {"id": "7", "name": ""}}) == "7"
    assert who({"responded_by_user": None}) == "somebody in Airflow"
