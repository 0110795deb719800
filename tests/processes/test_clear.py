"""A clear does its stages again in a new epoch, and nothing is there twice."""

from __future__ import annotations

from collections import Counter

import pytest

from airflow_provider_flux.store.error_rows import UNSETTLED
from airflow_provider_flux.store.filters import ErrorFilter
from tests.processes.conftest import Flux, assert_sum_holds, contacts

RECORDS = 120
BAD = 5


@pytest.fixture
def finished(flux: Flux) -> Flux:
    flux.saas.put(*contacts(RECORDS, bad_phones=BAD))
    assert flux.run("r1")["state"] == "partial"
    return flux


@pytest.mark.parametrize("stages", ["settle", "write settle", "transform write settle", "read transform write settle"])
def test_a_clear_and_what_follows_ends_with_the_same_sums(finished: Flux, stages: str) -> None:
    run = finished.run("r1", stages, epoch=1)
    assert_sum_holds(run)
    assert (run["read"], run["written"], run["failed"]) == (RECORDS, RECORDS - BAD, BAD)
    assert len(finished.saas.upserted) == RECORDS - BAD
    store = finished.open_store()
    assert store.count_errors(ErrorFilter(flow="contacts", state="open")) == BAD
    store.close()


@pytest.mark.parametrize("stage", ["read", "transform", "write"])
def test_a_stage_cleared_alone_changes_no_sum(finished: Flux, stage: str) -> None:
    assert finished.stage(stage, "r1", epoch=1).code == 0
    store = finished.open_store()
    run = store.run("contacts", "r1")
    assert run is not None
    assert (run.state, run.read, run.written, run.failed) == ("partial", RECORDS, RECORDS - BAD, BAD)
    store.close()
    assert len(finished.saas.upserted) == RECORDS - BAD


def test_a_cleared_write_writes_again_what_the_destination_lost(finished: Flux) -> None:
    finished.saas.upserted.clear()
    finished.run("r1", "write settle", epoch=1)
    assert len(finished.saas.upserted) == RECORDS - BAD


def test_a_clear_after_the_mapping_was_mended_delivers_what_was_missing(finished: Flux) -> None:
    finished.new_mapping()

    run = finished.run("r1", "transform write settle", epoch=1)

    assert (run["state"], run["written"], run["failed"], run["mapping_version"]) == ("succeeded", RECORDS, 0, 2)
    assert len(finished.saas.upserted) == RECORDS
    store = finished.open_store()
    assert store.count_errors(ErrorFilter(flow="contacts", state="open")) == 0
    store.close()


def test_a_retry_keeps_the_mapping_version_it_began_with(flux: Flux) -> None:
    flux.saas.put(*contacts(RECORDS, bad_phones=BAD))
    flux.stage("read", "r1")
    flux.stage("transform", "r1")
    flux.new_mapping()
    assert flux.run("r1", "transform write settle")["mapping_version"] == 1


@pytest.mark.parametrize("stages", ["write settle", "transform write settle", "read transform write settle"])
def test_a_clear_does_not_double_inserts(flux: Flux, stages: str) -> None:
    flux.write_flow(mode="create")
    flux.saas.put(*contacts(RECORDS, bad_phones=BAD))
    flux.run("r1")
    run = flux.run("r1", stages, epoch=1)
    assert_sum_holds(run)
    assert set(Counter(record["id"] for record in flux.saas.inserted).values()) == {1}
    assert len(flux.saas.inserted) == RECORDS - BAD
    assert run["failed"] == BAD


@pytest.mark.parametrize("mode", ["upsert", "create"])
@pytest.mark.parametrize("stages", ["write settle", "read transform write settle"])
def test_a_clear_sends_again_what_the_destination_had_refused(flux: Flux, stages: str, mode: str) -> None:
    flux.write_flow(mode=mode)
    flux.saas.put(*contacts(RECORDS))
    flux.saas.record_status = lambda record: 422 if record["id"] in ("c00003", "c00050") else 200
    assert flux.run("r1")["failed"] == 2
    flux.saas.record_status = lambda record: 200

    run = flux.run("r1", stages, epoch=1)

    assert_sum_holds(run)
    assert (run["state"], run["failed"]) == ("succeeded", 0)
    arrived = flux.saas.upserted or Counter(record["id"] for record in flux.saas.inserted)
    assert set(arrived) == set(flux.saas.contacts)
    if mode == "create":
        assert set(arrived.values()) == {1}
    with flux.open_store() as store:
        assert store.count_errors(ErrorFilter(flow="contacts", state=UNSETTLED)) == 0


def test_a_replay_delivers_the_mended_records_and_leaves_the_old_run_as_it_was(finished: Flux) -> None:
    finished.new_mapping()
    finished.saas.pages = 0

    replay = finished.run("r2", trigger="replay", replay={"run": "r1"})

    assert (replay["state"], replay["read"], replay["written"]) == ("succeeded", BAD, BAD)
    assert replay["cursor_after"] is None
    assert finished.saas.pages == 0  # from the stored payloads
    assert len(finished.saas.upserted) == RECORDS
    store = finished.open_store()
    old = store.run("contacts", "r1")
    assert old is not None
    assert (old.state, old.failed) == ("partial", BAD)
    resolved = store.errors(ErrorFilter(flow="contacts", state="resolved"))
    assert {error.resolved_by for error in resolved} == {"r2"}
    assert len(resolved) == BAD
    store.close()


def test_a_replay_that_fails_again_leaves_one_open_error_per_record(finished: Flux) -> None:
    replay = finished.run("r2", trigger="replay", replay={"run": "r1"})
    assert (replay["state"], replay["failed"]) == ("partial", BAD)
    store = finished.open_store()
    errors = store.errors(ErrorFilter(flow="contacts", state="open"))
    assert {error.run_id for error in errors} == {"r2"}
    assert len(errors) == BAD
    store.close()


def test_a_replay_of_a_run_that_does_not_exist_says_so(finished: Flux) -> None:
    result = finished.stage("read", "r2", trigger="replay", replay={"run": "nope"})
    assert result.answer["code"] == "CONFIG_INVALID"
    assert "no run 'nope'" in result.answer["message"]
