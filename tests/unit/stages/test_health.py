"""The health of a connection in words, and what happens when it cannot be noted."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from airflow_provider_flux.stages.advice import advice
from airflow_provider_flux.stages.health import health_line, note_calls
from airflow_provider_flux.store import Store, open_store
from airflow_provider_flux.transport.tally import AUTH, CONNECTION, OUTAGE, RATE_LIMIT, REFUSED, Tally


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'flux.db'}?timeout=0.1") as store:
        yield store


def tally(*kinds: str) -> Tally:
    """Calls that ended in this order; an empty kind is a good one."""
    made = Tally()
    for kind in kinds:
        if kind:
            made.bad(kind, f"connection 'crm': GET /x: {kind}")
        else:
            made.good()
    return made


def test_the_line_says_state_trouble_and_last_good_call(store: Store) -> None:
    assert health_line(store, "crm") == "crm is pending: no call was made over it yet"
    before = datetime.now(UTC)
    note_calls(store, "crm", "rest", tally("", AUTH, AUTH, REFUSED, RATE_LIMIT, AUTH))
    line = health_line(store, "crm")
    assert line.startswith("crm is degraded: auth x 3, rate limit x 1 since ")
    assert line.endswith(f":00 UTC (last: GET /x: auth), last good call {before:%Y-%m-%d %H:%M}")
    note_calls(store, "crm", "rest", tally(""))
    assert health_line(store, "crm").startswith("crm is active: auth x 3, rate limit x 1 since ")
    later = datetime.now(UTC) + timedelta(hours=3)
    assert health_line(store, "crm", later).startswith("crm is active, last good call ")


def test_a_connection_that_only_failed_says_that_no_call_was_good(store: Store) -> None:
    note_calls(store, "crm", "rest", tally(OUTAGE))
    assert health_line(store, "crm").endswith("no good call yet")


def test_a_disabled_one_says_who_and_why(store: Store) -> None:
    store.disable_connection("crm", "rest", "ann", "in migration")
    assert health_line(store, "crm").endswith(" by ann: in migration")
    assert health_line(store, "crm").startswith("crm is disabled since 20")


def test_no_call_is_noted_as_nothing(store: Store) -> None:
    note_calls(store, "crm", "rest", Tally())
    assert store.connection("crm") is None


def test_a_store_that_fails_here_is_a_warning_and_nothing_else(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(tmp_path / "flux.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with caplog.at_level(logging.WARNING):
            note_calls(store, "crm", "rest", tally(AUTH))
    assert "the health of connection 'crm' could not be noted: STORE_UNAVAILABLE" in caplog.text


@pytest.mark.parametrize("kind", [AUTH, RATE_LIMIT, OUTAGE, CONNECTION])
def test_every_kind_of_trouble_has_advice(kind: str) -> None:
    assert all("{" not in line for line in advice("crm", kind))
    assert advice("crm", kind)


def test_without_trouble_there_is_no_advice_and_a_second_refusal_has_more() -> None:
    assert advice("crm", None) == advice("crm", REFUSED) == advice("crm", REFUSED, again=True) == ()
    assert advice("crm", OUTAGE, again=True) == advice("crm", OUTAGE)
    first, second = advice("crm", AUTH), advice("crm", AUTH, again=True)
    assert second[:-1] == first
    assert "revoked the app, removed a scope, or paused the account" in second[-1]
