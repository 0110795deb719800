"""Metrics of real runs: ticks that read again, a replay that delivers."""

from __future__ import annotations

import pytest

from airflow_provider_flux.store.metrics import Metrics
from tests.processes.conftest import Flux, contacts
from tests.processes.test_replay import mend


def metrics(flux: Flux) -> Metrics:
    with flux.open_store() as store:
        (found,) = store.metrics("2000-01-01", "week")
    return found


def test_ticks_that_read_the_same_again_do_not_change_the_rate(flux: Flux) -> None:
    flux.saas.put(*contacts(10, bad_phones=2))
    flux.run("r1", trigger="scheduled")
    first = metrics(flux)
    assert (first.runs, first.read, first.failed, first.categories) == (1, 10, 2, {"data": 2})
    for number in range(2, 5):
        run = flux.run(f"r{number}", trigger="scheduled")
        assert run["skipped"] == run["read"] > 0  # the lookback read them again
    again = metrics(flux)
    assert (again.runs, again.read, again.failed) == (4, 10, 2)


def test_a_replay_that_delivers_is_a_retry_that_succeeded_and_resolves(flux: Flux) -> None:
    flux.saas.put(*contacts(10, bad_phones=2, long_names=1))
    flux.run("r1", trigger="scheduled")
    mend(flux)
    flux.run("r2", trigger="replay", replay={"run": "r1"})
    found = metrics(flux)
    assert (found.read, found.failed) == (10, 3)
    assert (found.replayed, found.replay_delivered) == (3, 2)
    assert found.retry_success == pytest.approx(2 / 3)
    assert found.resolved == 2
    assert found.resolution_median is not None and 0 <= found.resolution_median < 60


def test_a_failing_run_counts_nothing_until_its_records_have_a_fate(flux: Flux) -> None:
    flux.saas.put(*contacts(10))
    flux.saas.status = 503
    for stage in ("read", "transform", "write", "settle"):
        flux.stage(stage, "r1")
    assert (metrics(flux).read, metrics(flux).failed) == (0, 0)
    flux.saas.status = 200
    flux.run("r2", trigger="scheduled")
    assert (metrics(flux).read, metrics(flux).failed) == (10, 0)
