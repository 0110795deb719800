"""A replay delivers each record once, takes none from another, and loses none: also when it fails or is cleared."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_flux.inbox.retry import Queued, queue
from airflow_provider_flux.stages.promotion import promote
from airflow_provider_flux.store.error_rows import UNSETTLED
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import ErrorRow
from tests.processes.conftest import Flux, assert_sum_holds, contacts

BAD = 5
ALL = ErrorFilter(flow="contacts")
ITEM = "  item: {path: '/contacts/{key}'}\n"


def mend(flux: Flux, version: int = 2) -> None:
    """A mapping version that leaves a bad phone out."""
    first = flux.folder / "include/mappings/contacts/v1.yaml"
    mended = first.read_text().replace("country: US}}]", "country: US}}], skip_invalid: true")
    first.with_name(f"v{version}.yaml").write_text(mended)
    with flux.open_store() as store:
        promote(store, flux.folder / "include", "contacts", version, by="ann", reason=None)


def waiting(flux: Flux) -> list[ErrorRow]:
    """The inbox."""
    with flux.open_store() as store:
        return store.errors(ErrorFilter(flow="contacts", state=UNSETTLED))


def inbox(flux: Flux) -> dict[str | None, int]:
    """How often each record stands in the inbox."""
    return Counter(row.source_key for row in waiting(flux))


def replay(flux: Flux, run_id: str, stages: str = "read transform write settle", **order: Any) -> dict[str, Any]:
    epoch = order.pop("epoch", 0)
    run = flux.run(run_id, stages, trigger="replay", epoch=epoch, replay=order or {"run": "r1"})
    assert_sum_holds(run)
    return run


@pytest.fixture
def failed(flux: Flux) -> Flux:
    """Run `r1` delivered 20 records less five, whose phones are bad."""
    flux.saas.put(*contacts(20, bad_phones=BAD))
    assert flux.run("r1", trigger="scheduled")["failed"] == BAD
    return flux


@pytest.fixture
def bad_keys() -> list[str]:
    return [record["id"] for record in contacts(BAD)]


# --- clears --------------------------------------------------------------------------------------------


def test_a_cleared_replay_reads_the_same_records_again_and_loses_none(failed: Flux, bad_keys: list[str]) -> None:
    assert replay(failed, "r2")["failed"] == BAD
    run = replay(failed, "r2", epoch=1)
    assert (run["read"], run["failed"]) == (BAD, BAD)
    assert inbox(failed) == dict.fromkeys(bad_keys, 1)
    mend(failed)
    run = replay(failed, "r2", epoch=2)
    assert (run["read"], run["written"]) == (BAD, BAD)
    assert inbox(failed) == {}
    # And once more: what it delivered itself is done again in full.
    assert replay(failed, "r2", epoch=3)["written"] == BAD
    assert inbox(failed) == {}


@pytest.mark.parametrize("stages", ["settle", "write settle", "transform write settle", "read transform write settle"])
def test_whatever_is_cleared_of_a_replay_every_record_stands_there_once(
    failed: Flux, bad_keys: list[str], stages: str
) -> None:
    replay(failed, "r2")
    assert replay(failed, "r2", stages, epoch=1)["failed"] == BAD
    assert inbox(failed) == dict.fromkeys(bad_keys, 1)


def test_a_cleared_replay_leaves_what_another_replay_took_over(failed: Flux, bad_keys: list[str]) -> None:
    replay(failed, "r2")
    taken, *_ = waiting(failed)
    replay(failed, "r3", errors=[taken.id])
    run = replay(failed, "r2", epoch=1)
    assert run["read"] == BAD - 1
    assert inbox(failed) == dict.fromkeys(bad_keys, 1)


def test_a_clear_of_the_failed_run_itself_and_its_replay_agree(failed: Flux, bad_keys: list[str]) -> None:
    replay(failed, "r2")
    assert failed.run("r1", trigger="scheduled", epoch=1)["failed"] == BAD
    assert inbox(failed) == dict.fromkeys(bad_keys, 1)


# --- failures ------------------------------------------------------------------------------------------


def test_a_replay_that_fails_gives_its_records_back(failed: Flux, bad_keys: list[str]) -> None:
    mend(failed)
    failed.saas.status = 503
    order = {"trigger": "replay", "replay": {"run": "r1"}}
    for stage, code in (("read", 0), ("transform", 0), ("write", 1), ("settle", 0)):
        assert failed.stage(stage, "r2", **order).code == code
    assert inbox(failed) == dict.fromkeys(bad_keys, 1)
    assert all(row.replay_active == 0 for row in waiting(failed))
    failed.saas.status = 200
    assert replay(failed, "r3")["written"] == BAD
    assert inbox(failed) == {}


def test_a_failed_replay_may_be_cleared_unless_another_one_has_its_records(failed: Flux) -> None:
    mend(failed)
    failed.saas.status = 503
    order = {"trigger": "replay", "replay": {"run": "r1"}}
    for stage in ("read", "transform", "write", "settle"):
        failed.stage(stage, "r2", **order)
    one, *rest = waiting(failed)
    failed.saas.status = 200
    assert failed.stage("read", "r3", trigger="replay", replay={"errors": [one.id]}).code == 0
    run = replay(failed, "r2", epoch=1)
    assert (run["read"], run["written"]) == (len(rest), len(rest))
    assert [row.id for row in waiting(failed)] == [one.id]


def test_a_read_that_dies_takes_the_same_records_when_it_is_tried_again(failed: Flux) -> None:
    with failed.open_store() as store:
        run = store.run("contacts", "r1")
        assert store.claim_errors("r2", ErrorFilter(run=run), limit=2) == 2  # all that an attempt came to
    assert replay(failed, "r2")["read"] == 2


# --- beside other runs ---------------------------------------------------------------------------------


def test_a_newer_version_that_a_tick_delivered_is_not_overwritten(failed: Flux) -> None:
    mend(failed)
    order = {"trigger": "replay", "replay": {"run": "r1"}}
    assert failed.stage("read", "r2", **order).code == 0
    failed.saas.put(*contacts(1, minute=5))
    failed.run("r3", trigger="scheduled")
    run = failed.run("r2", "transform write settle", **order)
    assert_sum_holds(run)
    assert (run["written"], run["skipped"]) == (BAD - 1, 1)
    assert failed.saas.upserted["c00000"]["phone"] == "+14155550000"
    assert inbox(failed) == {}


def test_ten_thousand_records_are_replayed_in_one_run(flux: Flux) -> None:
    many = 10_000
    flux.saas.put(*contacts(many, bad_phones=many))
    assert flux.run("r1", trigger="scheduled")["failed"] == many
    mend(flux)
    run = replay(flux, "r2")
    assert (run["read"], run["written"]) == (many, many)
    assert len(flux.saas.upserted) == many
    assert inbox(flux) == {}


def test_two_replays_of_the_same_selection_share_it_out(failed: Flux, bad_keys: list[str]) -> None:
    started: list[tuple[str, str]] = []

    def ask(filter: ErrorFilter) -> list[Queued]:
        with failed.open_store() as store:
            return queue(
                store,
                Path(failed.folder / "include"),
                filter,
                by="ann",
                start=lambda flow, run_id, conf: started.append((flow, run_id)),
            )

    first, *others = [row.id for row in waiting(failed)]
    assert [one.records for one in ask(ErrorFilter(ids=[first]))] == [1]
    assert [one.records for one in ask(ALL)] == [len(others)]
    mend(failed)
    reads = [replay(failed, run_id, claimed=True)["read"] for _, run_id in started]
    assert reads == [1, len(others)]
    assert inbox(failed) == {}


# --- payloads ------------------------------------------------------------------------------------------


def let_items_be_read(flux: Flux) -> None:
    flow = flux.folder / "include/flows/contacts.yaml"
    flow.write_text(flow.read_text().replace("  records: data\n", f"  records: data\n{ITEM}", 1))


def test_a_replay_may_read_the_source_again(failed: Flux) -> None:
    let_items_be_read(failed)
    failed.saas.put(*contacts(1, minute=5))
    del failed.saas.contacts["c00001"]
    run = replay(failed, "r2", run="r1", payload="source")
    assert (run["read"], run["written"], run["failed"], run["replay_payload"]) == (BAD, 1, BAD - 1, "source")
    assert failed.saas.upserted["c00000"]["phone"] == "+14155550000"
    codes = {row.source_key: row.code for row in waiting(failed)}
    assert codes["c00001"] == "SOURCE_RECORD_GONE"
    assert codes["c00002"] == "INVALID_FORMAT"


def test_a_source_that_cannot_be_asked_is_told_before_anything_is_taken(failed: Flux) -> None:
    result = failed.stage("read", "r2", trigger="replay", replay={"run": "r1", "payload": "source"})
    assert result.answer["code"] == "CONFIG_INVALID"
    assert "cannot be asked for single records" in result.answer["message"]
    assert all(row.replay is None for row in waiting(failed))


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ({"errors": [1, 999]}, "there is no error 999 of flow contacts"),
        ({"claimed": True}, "no records were set aside for the run 'r2'"),
        ({"run": "nope"}, "flow 'contacts' has no run 'nope' to replay"),
    ],
)
def test_a_replay_of_nothing_says_so_and_takes_nothing(failed: Flux, order: dict[str, Any], message: str) -> None:
    result = failed.stage("read", "r2", trigger="replay", replay=order)
    assert result.answer["code"] == "CONFIG_INVALID"
    assert message in result.answer["message"]
    assert all(row.replay is None for row in waiting(failed))


# --- destinations that double --------------------------------------------------------------------------


def test_a_record_in_doubt_is_sent_only_by_the_replay_it_was_approved_for(flux: Flux) -> None:
    flux.write_flow(mode="create", errors="{strategy: review}")
    flux.saas.put(*contacts(20, long_names=1))
    assert flux.run("r1", trigger="scheduled")["held"] == 1
    flux.saas.record_status = lambda record: 200
    [held] = waiting(flux)
    flux.saas.put({**contacts(1)[0], "name": "short", "updated_at": flux.saas.contacts["c00000"]["updated_at"]})
    run = flux.run("r2", trigger="manual")
    assert (run["written"], held.source_key in {record["id"] for record in flux.saas.inserted}) == (0, False)

    with flux.open_store() as store:
        assert store.approve([held.id], "ann") == 1
        assert store.correct(held.id, held.payload.replace("x" * 41, "short"), "ann")
        assert store.claim_errors("r3", ErrorFilter(ids=[held.id])) == 1
    assert replay(flux, "r3", claimed=True)["written"] == 1
    assert Counter(record["id"] for record in flux.saas.inserted)["c00000"] == 1
    assert inbox(flux) == {}


# --- the ladder ----------------------------------------------------------------------------------------


def test_a_due_record_climbs_the_ladder_attempt_by_attempt(flux: Flux) -> None:
    flux.write_flow(errors="{strategy: retry, retry: {max: 2, delay: [1s]}}")
    flux.saas.put(*contacts(20))
    flux.saas.record_status = lambda record: 503 if record["id"] == "c00003" else 200
    flux.run("r1", trigger="scheduled")
    for number, state in ((2, "retrying"), (3, "open")):
        [row] = waiting(flux)
        assert row.state == "retrying"
        assert row.due_at is not None
        _wait_until(row.due_at)
        run = flux.run(f"r{number}", trigger="retry", replay={"due": True})
        assert (run["read"], run["failed"]) == (1, 1)
        [row] = waiting(flux)
        assert (row.attempt, row.rung, row.state) == (number, number - 1, state)
    flux.saas.record_status = lambda record: 200
    assert replay(flux, "r4", errors=[row.id])["written"] == 1
    with flux.open_store() as store:
        answers = [(attempt.run_id, attempt.state) for attempt in store.attempts(row)]
    assert answers == [("r1", "superseded"), ("r2", "superseded"), ("r3", "resolved")]


def _wait_until(due_at: str) -> None:
    due = datetime.fromisoformat(due_at)
    time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
