"""Finding errors among a million: the queries behind `errors list`, on SQLite and PostgreSQL.

Twenty flows on five connectors fail with fifteen codes on sixty fields, some often and some seldom. Three of ten errors
are still in the inbox.
"""

from __future__ import annotations

import itertools
import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pgserver
from rich.console import Console
from rich.table import Table

from airflow_provider_flux.errors import RecordError
from airflow_provider_flux.store import Store, open_store, upgrade_store
from airflow_provider_flux.store.error_rows import UNSETTLED
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import NewError
from airflow_provider_flux.store.text import instant_text
from benchmarks import error_data

PAGE = 50
REPEATS = 5
GROUPS_TARGET, ONE_TARGET, TWO_TARGET, CHANGE_TARGET = 0.2, 0.2, 1.0, 2.0
"""Most seconds: `errors list --by field`, a page with one filter, a page with two, a change of ten thousand errors."""
_SLOWEST_PAIR = "page, two filters, all states: the slowest pair"
FLOW, REPLAY = "flow_04", "replay__new"

ONE: dict[str, dict[str, Any]] = {
    "flow": {"flow": "flow_03"},
    "code": {"code": "INVALID_FORMAT"},
    "field": {"field": "field_07"},
    "connector": {"connector": "connector_1"},
    "category": {"category": "data"},
    "mapping": {"mapping": "mapping_03"},
    "since": {"since": instant_text(datetime(2026, 3, 25, tzinfo=UTC))},
    "a code that no error has": {"code": "STAGING_FAILED"},
}

Work = Callable[[Store], object]


def main(count: int) -> int:
    """Make the stores, measure and print; 1 when a target is missed."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="flux-bench-") as folder:
        server = pgserver.get_server(f"{folder}/pg", cleanup_mode="stop")
        urls = {
            "SQLite": f"sqlite:///{folder}/flux.db",
            "PostgreSQL": server.get_uri().replace("postgresql:", "postgresql+psycopg:"),
        }
        figures = {}
        for name, url in urls.items():
            console.print(f"{name}: {count:,} errors ...", style="dim")
            upgrade_store(url)
            error_data.fill(url, count)
            with open_store(url) as store:
                figures[name] = {what: _seconds(work, store) for what, (work, _) in _works().items()}
                figures[name][_SLOWEST_PAIR] = max(_seconds(work, store) for work in _pairs())
                figures[name] |= {what: _once(work, store) for what, (work, _) in _changes().items()}
        server.cleanup()
    return _print(console, figures)


def _works() -> dict[str, tuple[Work, float]]:
    """By name: what is measured, and the most seconds that it may take."""
    works: dict[str, tuple[Work, float]] = {}
    for by in ("field", "code", "flow", "connector"):
        works[f"--by {by}"] = (_groups(by, ErrorFilter(state=UNSETTLED)), GROUPS_TARGET)
    works["page"] = (_page(ErrorFilter(state=UNSETTLED)), ONE_TARGET)
    for state in ("open", "held", "resolved", "discarded"):
        works[f"page, state {state}"] = (_page(ErrorFilter(state=state)), ONE_TARGET)
    for name, one in ONE.items():
        works[f"page, {name}"] = (_page(ErrorFilter(state=UNSETTLED, **one)), ONE_TARGET)
        works[f"page, {name}, all states"] = (_page(ErrorFilter(**one)), ONE_TARGET)
    works["page, record"] = (_page(ErrorFilter(key="key-4711")), ONE_TARGET)
    return works


def _pairs() -> list[Work]:
    """A page for every two filters."""
    pairs = itertools.combinations(ONE.values(), 2)
    return [_page(ErrorFilter(**one, **other)) for one, other in pairs if not one.keys() & other.keys()]


def _changes() -> dict[str, tuple[Work, float]]:
    """What writes to a store with so many errors; done once, in this order."""
    return {
        "a run writes 20 batches of 500 errors": (_fail, CHANGE_TARGET),
        "a replay takes 10,000 errors": (_claim, CHANGE_TARGET),
        "... and reads them": (lambda store: sum(1 for _ in store.claimed(FLOW, REPLAY)), CHANGE_TARGET),
        "... and gives them back": (lambda store: store.release_claims(FLOW, REPLAY), CHANGE_TARGET),
    }


def _fail(store: Store) -> None:
    run = store.start_run(FLOW, "scheduled__new", "scheduled", "mapping_04")
    for batch in range(20):
        new = [_new_error(500 * batch + place) for place in range(500)]
        store.record_transform(run, 0, batch, [], new, 1)


def _new_error(ordinal: int) -> NewError:
    error = RecordError("INVALID_FORMAT", "not what it should be", f"field_{ordinal % 20:02}", "properties.x")
    return NewError(ordinal, f"new-{ordinal}", None, error, json.dumps({"text": "x" * 460}), connector="connector_4")


def _claim(store: Store) -> None:
    taken = store.claim_errors(REPLAY, ErrorFilter(flow=FLOW), limit=10_000)
    if taken != 10_000:
        raise SystemExit(f"only {taken} errors of {FLOW} could be taken; use more --errors")


def _groups(by: str, filter: ErrorFilter) -> Work:
    return lambda store: store.error_groups([by], filter)


def _page(filter: ErrorFilter) -> Work:
    """What `errors list` asks: how many there are, and the newest."""
    return lambda store: (store.count_errors(filter), store.errors(filter, limit=PAGE, newest_first=True))


def _seconds(work: Work, store: Store) -> float:
    """The best of several: other programs only ever make it slower."""
    work(store)
    return min(_once(work, store) for _ in range(REPEATS))


def _once(work: Work, store: Store) -> float:
    start = time.perf_counter()
    work(store)
    return time.perf_counter() - start


def _print(console: Console, figures: dict[str, dict[str, float]]) -> int:
    table = Table("what", *(f"{name}, ms" for name in figures), "at most")
    missed = 0
    targets = {what: target for what, (_, target) in {**_works(), **_changes()}.items()}
    targets[_SLOWEST_PAIR] = TWO_TARGET
    for what in next(iter(figures.values())):
        target = targets[what]
        seconds = [figures[name][what] for name in figures]
        missed += max(seconds) > target
        shown = [f"[red]{value * 1000:.1f}" if value > target else f"{value * 1000:.1f}" for value in seconds]
        table.add_row(what, *shown, f"{target * 1000:.0f}")
    console.print(table)
    return 1 if missed else 0
