"""What is older than its retention goes, and nothing that anybody may still need."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from airflow_provider_flux.errors import CATALOGUE, FluxError
from airflow_provider_flux.housekeeping import Purged, purge
from airflow_provider_flux.staging import Staging, open_staging
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.purge import only_key
from airflow_provider_flux.store.rows import Link, Run, Trace
from airflow_provider_flux.store.tables import errors
from tests.unit.housekeeping.conftest import KEEP, NOW, Past, ended, staged
from tests.unit.store.data import SHA, error
from tests.unit.store.test_health import bad

SECRET = "kim@customer.example"


def run_purge(store: Store, staging: Staging, *, dry_run: bool = False) -> Purged:
    return purge(store, staging, NOW, KEEP, dry_run=dry_run)


def folders(staging: Staging) -> set[tuple[str, str]]:
    return set(staging.runs())


def test_files_of_an_ended_run_go_after_their_retention(store: Store, staging: Staging, past: Past) -> None:
    for run_id, days in (("old/1:00+0", 8), ("young", 6)):
        past.age(ended(store, run_id), days)
        staged(staging, "contacts", run_id)
    assert run_purge(store, staging, dry_run=True).staging == 1
    assert folders(staging) == {("contacts", "old/1:00+0"), ("contacts", "young")}
    assert run_purge(store, staging).staging == 1
    assert folders(staging) == {("contacts", "young")}
    assert run_purge(store, staging).staging == 0


def test_files_stay_while_the_run_works_is_cleared_or_is_in_doubt(store: Store, staging: Staging, past: Past) -> None:
    working = store.start_run("contacts", "working", "scheduled", "contacts")
    past.age(working, 30)
    cleared = ended(store, "cleared")
    past.age(cleared, 30)
    store.start_stage(cleared, "read", 1)  # begun now, in the eyes of the store
    past.set("flux_stages", {"run": cleared.id, "epoch": 1}, started_at="2026-05-31T00:00:00.000000Z")
    doubt = ended(store, "doubt")
    store.mark_sent(doubt, 0, 0, SHA, 1)
    past.age(doubt, 30)
    for run_id in ("working", "cleared", "doubt"):
        staged(staging, "contacts", run_id, days=30)
    assert run_purge(store, staging).staging == 0
    store.forget_sent(doubt, 0, 0)
    run_purge(store, staging)
    assert folders(staging) == {("contacts", "working"), ("contacts", "cleared")}


def test_files_of_a_run_that_the_store_does_not_know_go_by_their_age(store: Store, staging: Staging) -> None:
    staged(staging, "gone", "old", days=8)
    staged(staging, "gone", "young", days=6)
    (Path(str(staging._root)) / "gone" / "empty").mkdir()
    assert run_purge(store, staging).staging == 2
    assert folders(staging) == {("gone", "young")}


def test_files_that_are_half_removed_are_no_sealed_stage_and_go_with_the_next_purge(
    store: Store, staging: Staging, past: Past
) -> None:
    past.age(ended(store, "old"), 8)
    folder = staged(staging, "contacts", "old")
    (folder / "manifest.json").unlink()  # what a purge does first
    with pytest.raises(FluxError, match="no sealed manifest"):
        staging.files("contacts", "old", "read", 0).manifest()
    assert run_purge(store, staging).staging == 1


def test_an_object_store_is_purged_too(store: Store, past: Past) -> None:
    pytest.importorskip("upath")
    staging = open_staging(f"memory://flux-{os.getpid()}")
    past.age(ended(store, "old"), 8)
    files = staging.files("contacts", "old", "read", 0)
    files.start()
    files.add([{"id": 1}])
    files.seal()
    run_purge(store, staging)
    with pytest.raises(FluxError):
        staging.files("contacts", "old", "read", 0).manifest()


def failing(store: Store, past: Past, days: float, run_id: str = "r1") -> Run:
    payload = json.dumps({"email": SECRET})
    new = [
        error(0, "open", payload=payload, message=f"'{SECRET}' is bad", sent=payload),
        error(1, "done", payload=payload, message=f"'{SECRET}' is bad", sent=payload),
    ]
    new[0].error.value = new[0].error.answer = new[1].error.value = SECRET
    run = ended(store, run_id, new)
    past.age(run, days)
    return run


def test_customer_data_goes_and_the_row_still_says_what_failed(store: Store, staging: Staging, past: Past) -> None:
    run = failing(store, past, 31)
    past.set("flux_errors", {"source_key": "open"}, corrected=json.dumps({"email": SECRET}))
    past.set("flux_errors", {"source_key": "done"}, state="resolved")
    before = store.errors(ErrorFilter(run=run))
    assert run_purge(store, staging, dry_run=True).payloads == 2
    assert run_purge(store, staging).payloads == 2
    after = store.errors(ErrorFilter(run=run))
    assert SECRET not in repr(after)
    for was, now in zip(before, after, strict=True):
        assert now.purged_at is not None
        assert (now.id, now.state, now.code, now.field, now.source_key) == (
            was.id, was.state, was.code, was.field, was.source_key,
        )  # fmt: skip
        assert now.message == f"{CATALOGUE['INVALID_EMAIL'].meaning} (payload purged)"
        assert (now.payload, now.sent, now.answer, now.value, now.corrected) == ("{}", None, None, None, None)
    assert run_purge(store, staging).payloads == 0


def test_younger_data_and_what_a_replay_has_in_its_hands_stay(store: Store, staging: Staging, past: Past) -> None:
    failing(store, past, 29)
    assert run_purge(store, staging).payloads == 0
    failing(store, past, 31, "r2")
    past.set("flux_errors", {"source_key": "open"}, replay="replay-1", replay_active=1)
    assert run_purge(store, staging).payloads == 1
    assert sum(SECRET in row.payload for row in store.errors()) == 3


def test_thousands_of_payloads_go_in_small_transactions(store: Store, staging: Staging, past: Past) -> None:
    codes = ("INVALID_EMAIL", "INVALID_FORMAT")
    run = ended(store, "r1", [error(number, f"k{number}", code=codes[number % 2]) for number in range(2500)])
    past.age(run, 31)
    assert run_purge(store, staging).payloads == 2500
    assert store.purge_payloads("2026-06-01") == 0


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("BAD_REQUEST", "the trouble with kim@customer.example"),
        ("STOPPED_AT_FIRST_ERROR", f"{CATALOGUE['STOPPED_AT_FIRST_ERROR'].meaning} (payload purged)"),
    ],
)
def test_traces_lose_their_answers_and_what_they_quote_of_records(
    store: Store, staging: Staging, past: Past, code: str, message: str
) -> None:
    run = ended(store, "r1")
    failure = FluxError(code, f"the trouble with {SECRET}", answer=SECRET)
    store.fail_stage(run, "transform", 0, failure)
    run = store.finish_run(run, state="failed", counts={}, cursor_after=None, trace=Trace("write", failure))
    past.age(run, 29)
    run_purge(store, staging)
    assert store.runs("contacts")[0].error_answer == SECRET
    past.age(run, 31)
    run_purge(store, staging)
    (found,) = store.runs("contacts")
    assert (found.error_code, found.error_answer, found.error_message) == (code, None, message)
    assert [(stage.error_answer, stage.error_message) for stage in store.stages(run)] == [(None, message)]
    assert store.purge_traces("2199-01-01") == 0


def test_old_runs_go_with_their_rows_and_leave_links_and_cursors(store: Store, staging: Staging, past: Past) -> None:
    old, young = ended(store, "old"), ended(store, "young")
    store.ack(old, 0, 0, SHA, [], [error(0, "a")], [Link("b", "dest", None, "0" * 32)], 1)
    past.set("flux_errors", {"run": old.id}, state="resolved")
    store.move_cursor("contacts", "2026-01-01", "old")
    past.age(old, 401)
    past.age(young, 399)
    assert run_purge(store, staging, dry_run=True).runs == 1
    assert run_purge(store, staging).runs == 1
    assert [run.run_id for run in store.runs()] == ["young"]
    assert store.errors() == []
    assert store.stages(old) == []
    assert store.cursor("contacts") == "2026-01-01"
    assert set(store.links("contacts", ["b"])) == {"b"}


@pytest.mark.parametrize("state", ["open", "retrying", "held", "approved"])
def test_a_run_with_an_unsettled_error_stays(store: Store, staging: Staging, past: Past, state: str) -> None:
    run = ended(store, "old", [error(0, "a")])
    past.set("flux_errors", {"run": run.id}, state=state)
    past.age(run, 500)
    assert run_purge(store, staging).runs == 0
    past.set("flux_errors", {"run": run.id}, state="discarded")
    assert run_purge(store, staging).runs == 1


def test_a_run_stays_while_a_later_attempt_at_its_record_is_unsettled(
    store: Store, staging: Staging, past: Past
) -> None:
    first = ended(store, "first", [error(0, "a")])
    past.set("flux_errors", {"run": first.id}, state="superseded")
    second = ended(store, "second", [error(0, "a", replaces=1)])
    past.age(first, 500)
    assert run_purge(store, staging).runs == 0
    past.set("flux_errors", {"run": second.id}, state="resolved")
    assert run_purge(store, staging).runs == 1
    assert [run.run_id for run in store.runs()] == ["second"]


def test_a_run_of_many_rows_goes_a_thousand_at_a_time(store: Store, staging: Staging, past: Past) -> None:
    run = ended(store, "old", [error(number, f"k{number}") for number in range(1500)])
    past.acknowledge(run, batches=2100)
    past.set("flux_errors", {"run": run.id}, state="superseded")
    past.age(run, 500)
    assert run_purge(store, staging) == Purged(0, 1500, 1)
    assert store.count_errors() == 0


def test_calls_are_forgotten_with_the_runs_and_their_messages_with_the_payloads(store: Store, staging: Staging) -> None:
    for month in ("2025-01", "2026-04", "2026-05"):
        store.note_calls(bad(f"{month}-20T10:00:00.000000Z", message=f"{SECRET} was refused"))
    run_purge(store, staging)
    assert [(row.hour, row.last_message) for row in store.calls("2020-01-01T00")] == [
        ("2026-05-20T10", f"{SECRET} was refused"),
        ("2026-04-20T10", None),
    ]


@pytest.mark.parametrize(
    ("payload", "key", "kept"),
    [
        ({"id": 7, "name": "Kim", "age": 8}, "7", {"id": 7}),
        ({"id": "7", "ok": True}, "7", {"id": "7"}),
        ({"properties": {"id": "x", "email": SECRET}, "tags": ["x"]}, "x", {"properties": {"id": "x"}}),
        ({"shop": "eu", "number": 12, "name": "Kim"}, '["eu", "12"]', {"shop": "eu", "number": 12}),
        ({"name": "Kim"}, None, {}),
        ({"name": "Kim"}, "~digest", {}),
        ([1, 2], "[", {}),
    ],
)
def test_of_a_record_only_its_key_stays(payload: object, key: str | None, kept: object) -> None:
    assert json.loads(only_key(json.dumps(payload), key)) == kept


def test_an_automatic_retry_without_its_payload_waits_for_a_person(
    store: Store, staging: Staging, past: Past
) -> None:
    run = ended(store, "r1", [error(0, "a", state="retrying", due_in=timedelta(days=60))])
    past.age(run, 31)
    run_purge(store, staging)
    (row,) = store.errors()
    assert (row.state, row.due_at) == ("open", None)
    assert store.next_due("contacts") is None


def test_a_purged_record_is_retried_from_its_source_only(store: Store, staging: Staging, past: Past) -> None:
    failing(store, past, 31)
    run_purge(store, staging)
    everything = ErrorFilter(flow="contacts")
    assert store.count_claimable(everything) == {}
    assert store.claim_errors("replay-1", everything) == 0
    assert store.count_claimable(everything, "source") == {"contacts": 2}
    assert store.claim_errors("replay-1", everything, payload="source") == 2


def test_every_column_of_an_error_is_known_to_hold_customer_data_or_not() -> None:
    """A new column must be put on one side: emptied by `store.purge`, or kept because it quotes no record."""
    emptied = {"payload", "sent", "corrected", "answer", "value", "message"}
    kept = {
        "id", "run", "flow", "stage", "epoch", "batch", "ordinal", "source_key", "source_version", "mapping_version",
        "state", "code", "category", "field", "source_path", "transform", "fingerprint", "occurred_at", "resolved_at",
        "resolved_by", "connector", "connection", "mapping", "source_hash", "origin", "attempt", "rung", "due_at",
        "replay", "replay_active", "purged_at",
    }  # fmt: skip
    assert {column.name for column in errors.c} == emptied | kept
