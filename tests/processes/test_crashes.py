"""kill -9 at any batch: the destination holds exactly the right rows afterwards, and the sums hold."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter

import pytest

from airflow_provider_flux.store.filters import ErrorFilter
from tests.processes.conftest import Flux, assert_sum_holds, contacts

RECORDS = 300
BAD = 7


def _kill_at(flux: Flux, number: int, moment: str) -> None:
    """Kill the stage's process at the given write, just before or just after the destination stored it."""

    def on_write(count: int, now: str) -> None:
        if (count, now) == (number, moment):
            os.kill(flux.pid, signal.SIGKILL)

    flux.saas.on_write = on_write


def _heal(flux: Flux) -> None:
    flux.saas.on_write = lambda number, moment: None


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("in_flight", [1, 4])
@pytest.mark.parametrize("seed", range(3))
def test_a_killed_write_is_finished_by_its_retry(flux: Flux, moment: str, in_flight: int, seed: int) -> None:
    flux.write_flow(in_flight=in_flight)
    flux.saas.put(*contacts(RECORDS, bad_phones=BAD, long_names=3))
    flux.stage("read", "r1")
    flux.stage("transform", "r1")
    _kill_at(flux, random.Random(f"{moment}{in_flight}{seed}").randint(1, 14), moment)
    assert flux.killed("write", "r1")
    _heal(flux)

    run = flux.run("r1", "write settle")

    assert_sum_holds(run)
    assert (run["state"], run["read"], run["written"], run["failed"]) == ("partial", RECORDS, RECORDS - 10, 10)
    assert set(flux.saas.upserted) == set(sorted(flux.saas.contacts)[10:])


def test_a_retry_sends_only_what_was_not_acknowledged(flux: Flux) -> None:
    flux.saas.put(*contacts(RECORDS))
    flux.stage("read", "r1")
    flux.stage("transform", "r1")
    _kill_at(flux, 9, "before")
    assert flux.killed("write", "r1")
    _heal(flux)
    flux.saas.writes = 0
    flux.run("r1", "write settle")
    assert flux.saas.writes == RECORDS // 20 - 8


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("in_flight", [1, 4])
def test_an_insert_in_doubt_is_held_and_never_doubled(flux: Flux, moment: str, in_flight: int) -> None:
    flux.write_flow(mode="create", in_flight=in_flight)
    flux.saas.put(*contacts(RECORDS, bad_phones=BAD))
    flux.stage("read", "r1")
    flux.stage("transform", "r1")
    _kill_at(flux, 5, moment)
    assert flux.killed("write", "r1")
    _heal(flux)

    run = flux.run("r1", "write settle")

    assert_sum_holds(run)
    stored = Counter(record["id"] for record in flux.saas.inserted)
    assert max(stored.values()) == 1
    assert run["failed"] == BAD
    assert 1 <= run["held"] <= 20 * in_flight
    assert run["written"] == RECORDS - BAD - run["held"]
    # Whoever looks at the held records finds each of them either stored or not; all the others are stored.
    store = flux.open_store()
    held = {error.source_key for error in store.errors(ErrorFilter(flow="contacts", state="held"))}
    store.close()
    assert len(held) == run["held"]
    bad = {f"c{number:05d}" for number in range(BAD)}
    assert set(flux.saas.contacts) - set(stored) - bad <= held


def test_the_next_tick_does_not_send_again_what_a_dead_run_left_in_doubt(flux: Flux) -> None:
    flux.write_flow(mode="create")
    flux.saas.put(*contacts(RECORDS))
    flux.stage("read", "r1")
    flux.stage("transform", "r1")
    _kill_at(flux, 5, "after")
    assert flux.killed("write", "r1")  # and no retry, and no settle: the machine is gone
    _heal(flux)

    run = flux.run("r2", trigger="scheduled")

    assert_sum_holds(run)
    assert run["read"] == RECORDS
    assert run["skipped"] == 5 * 20  # four batches were delivered, the fifth is held
    stored = Counter(record["id"] for record in flux.saas.inserted)
    assert set(stored) == set(flux.saas.contacts)
    assert max(stored.values()) == 1


def test_a_run_that_failed_for_good_holds_what_is_in_doubt(flux: Flux) -> None:
    flux.write_flow(mode="create")
    flux.saas.put(*contacts(RECORDS))
    flux.stage("read", "r1")
    flux.stage("transform", "r1")
    _kill_at(flux, 5, "after")
    assert flux.killed("write", "r1")
    _heal(flux)

    run = flux.run("r1", "settle")

    assert_sum_holds(run)
    assert (run["state"], run["written"], run["held"], run["unsent"]) == ("failed", 80, 20, 200)
    assert (run["error_stage"], run["error_code"]) == ("write", "WORKER_DIED")
    assert run["cursor_after"] is None


@pytest.mark.parametrize("page", [1, 3, 6])
def test_a_killed_read_begins_again_with_the_same_window(flux: Flux, page: int) -> None:
    flux.saas.put(*contacts(RECORDS))

    def on_page(count: int) -> None:
        if count == page:
            os.kill(flux.pid, signal.SIGKILL)

    flux.saas.on_page = on_page
    assert flux.killed("read", "r1")
    flux.saas.on_page = lambda count: None
    run = flux.run("r1")
    assert_sum_holds(run)
    assert (run["read"], run["written"]) == (RECORDS, RECORDS)


@pytest.mark.parametrize("stage", ["transform", "write", "settle"])
def test_a_stage_killed_at_any_instant_is_finished_by_its_retry(flux: Flux, stage: str) -> None:
    flux.saas.put(*contacts(RECORDS, bad_phones=BAD))
    stages = ["read", "transform", "write", "settle"]
    for earlier in stages[: stages.index(stage)]:
        assert flux.stage(earlier, "r1").code == 0
    for delay in (0.35, 0.45, 0.55, 0.7):
        process = flux.start(stage, "r1")
        time.sleep(delay)
        process.kill()
        process.communicate()
    run = flux.run("r1", " ".join(stages[stages.index(stage) :]))
    assert_sum_holds(run)
    assert (run["read"], run["written"], run["failed"]) == (RECORDS, RECORDS - BAD, BAD)
    assert len(flux.saas.upserted) == RECORDS - BAD
