"""`metrics`: a table for people, numbers for programs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from airflow_provider_flux.cli.metrics import bar, default_since, span
from airflow_provider_flux.errors import RecordError
from airflow_provider_flux.store import open_store
from airflow_provider_flux.store.rows import NewError, Run
from tests.unit.cli.conftest import Call


def test_a_run_counts_by_day_with_its_categories(call: Call, runs: tuple[Run, Run]) -> None:
    said = call("metrics")
    heading, contacts, orders = said.out.splitlines()
    assert heading.split()[:6] == ["flow", "since", "runs", "read", "failed", "rate"]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert contacts.split() == ["contacts", today, "1", "10", "4", "40.0", "%", "████████", "data", "4"]
    assert orders.split() == ["orders", today, "1", "0", "0"]
    assert (said.code, said.err) == (0, "")


def test_retries_and_resolutions_are_shown(call: Call, runs: tuple[Run, Run], tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'flux.db'}") as store:
        run = store.start_run("contacts", "replay__1", "replay", "contacts")
        again = NewError(0, "c-0", None, RecordError("INVALID_EMAIL", "still bad"), "{}", replaces=1)
        store.record_transform(run, 0, 0, [], [again], 1)
        counts = {"read": 4, "written": 3, "failed": 1}
        store.finish_run(run, state="partial", counts=counts, cursor_after=None, trace=None)
    (found, _) = call("metrics", "--json").json
    assert (found["replayed"], found["replay_delivered"], found["retry_success"]) == (4, 3, 0.75)
    assert (found["read"], found["failed"], found["error_rate"]) == (10, 4, 0.4)
    assert "3 of 4 (75.0 %)" in call("metrics", "contacts", "--by", "week").out


def test_nothing_to_count_is_said_plainly(call: Call, runs: tuple[Run, Run]) -> None:
    said = call("metrics", "--since", "2199-01-01")
    assert said.out == "No runs since 2199-01-01 00:00 UTC: nothing to count. See further back with --since.\n"
    assert call("metrics", "--since", "2199-01-01", "--json").json == []


def test_a_flow_that_is_nowhere_is_wrong_use(call: Call, runs: tuple[Run, Run]) -> None:
    said = call("metrics", "contcts")
    assert said.code == 2
    assert "there is no flow 'contcts'" in said.err


def test_unless_told_otherwise_it_shows_whole_days_and_weeks() -> None:
    sunday = datetime(2026, 1, 11, 23, 59, tzinfo=UTC)
    assert default_since("day", sunday) == datetime(2025, 12, 29, tzinfo=UTC)
    assert default_since("week", sunday) == datetime(2025, 11, 17, tzinfo=UTC)
    assert default_since("week", datetime(2026, 1, 12, tzinfo=UTC)) == datetime(2025, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "most", "drawn"),
    [(None, 1.0, ""), (0.0, 1.0, ""), (1.0, 1.0, "████████"), (0.5, 1.0, "████"), (1e-9, 1.0, "▁"), (0.3, 1.0, "██▃")],
)
def test_a_bar_shows_even_a_trace(value: float | None, most: float, drawn: str) -> None:
    assert bar(value, most) == drawn


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, ""), (0.4, "0 s"), (59, "59 s"), (90, "2 min"), (5400, "1.5 h"), (200_000, "2.3 d")],
)
def test_a_span_is_said_as_people_do(seconds: float | None, said: str) -> None:
    assert span(seconds) == said
