from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import DataError

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.store import Store, open_store
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.records import STOPPED
from airflow_provider_flux.store.rows import Outcome, Run
from tests.unit.store.data import OTHER_SHA, SHA, error, failed, link, written


def test_a_retry_of_transform_replaces_what_the_last_attempt_recorded(store: Store, run: Run) -> None:
    defect = error(2, "c", stage="read", code="INVALID_ENCODING")
    store.record_transform(run, 0, 0, [failed(1), failed(2, "INVALID_ENCODING")], [error(1), defect], 1)
    store.record_transform(run, 0, 1, [failed(9)], [error(9, "z")], 1)
    store.record_transform(run, 0, 0, [failed(1)], [error(1, "b")], 2)
    assert store.count(run, 0, None).buckets == {"failed": 2}
    assert [(row.batch, row.ordinal, row.source_key, row.mapping_version) for row in store.errors()] == [
        (1, 9, "z", 1),
        (0, 1, "b", 2),
    ]


def test_transform_and_write_of_a_batch_do_not_replace_each_other(store: Store, run: Run) -> None:
    store.record_transform(run, 0, 0, [failed(0)], [error(0, "a")], 1)
    store.ack(run, 0, 0, SHA, [failed(1)], [error(1, "b")], [], 1)
    store.record_transform(run, 0, 0, [failed(0)], [error(0, "a")], 1)
    store.ack(run, 0, 0, SHA, [failed(1)], [error(1, "b")], [], 1)
    assert store.count(run, 0, 0).buckets == {"failed": 2}
    assert sorted((row.stage, row.ordinal) for row in store.errors()) == [("transform", 0), ("write", 1)]


def test_a_batch_is_sent_then_acknowledged(store: Store, run: Run) -> None:
    store.mark_sent(run, 0, 0, SHA, 1)
    store.mark_sent(run, 0, 1, OTHER_SHA, 1)
    assert store.batch_states(run, 0) == {0: ("sent", SHA), 1: ("sent", OTHER_SHA)}
    store.ack(run, 0, 0, SHA, [written(0, 9)], [], [], 1)
    assert store.batch_states(run, 0) == {0: ("acked", SHA), 1: ("sent", OTHER_SHA)}
    assert store.batch_states(run, 1) == {}


def test_several_batches_are_noted_at_once_and_none_is_no_note(store: Store, run: Run) -> None:
    store.ack(run, 0, 0, SHA, [written(0, 9)], [], [], 1)
    store.mark_all_sent(run, 0, {0: SHA, 1: SHA, 2: OTHER_SHA}, 1)
    store.mark_all_sent(run, 0, {}, 1)
    assert store.batch_states(run, 0) == {0: ("acked", SHA), 1: ("sent", SHA), 2: ("sent", OTHER_SHA)}


def test_acknowledgements_together_are_there_at_the_end_all_or_none(store: Store, run: Run) -> None:
    store.mark_all_sent(run, 0, {0: SHA, 1: OTHER_SHA}, 1)
    with store.together():
        store.ack(run, 0, 0, SHA, [written(0, 9)], [], [link("a")], 1)
        store.ack(run, 0, 1, OTHER_SHA, [written(10, 19)], [], [link("b")], 1)
        assert store.batch_states(run, 0)[0] == ("sent", SHA)  # as others see it
    assert store.count(run, None, 0).buckets == {"written": 20}
    assert set(store.links("contacts", ["a", "b"])) == {"a", "b"}
    with pytest.raises(FluxError, match="the worker dies"):
        _ack_and_die(store, run)
    assert (2 in store.batch_states(run, 0), store.links("contacts", ["c"])) == (False, {})
    store.ack(run, 0, 2, SHA, [written(20, 29)], [], [], 1)  # what comes after is a transaction of its own again
    assert store.count(run, None, 0).buckets == {"written": 30}


def _ack_and_die(store: Store, run: Run, meanwhile: Callable[[], None] = lambda: None) -> None:
    with store.together():
        store.ack(run, 0, 2, SHA, [written(20, 29)], [], [link("c")], 1)
        meanwhile()
        raise FluxError("WORKER_DIED", "the worker dies")


def test_what_another_thread_writes_meanwhile_is_its_own(postgres_url: str) -> None:
    store = open_store(postgres_url)  # SQLite has one writer: there the other thread waits
    run = store.start_run("contacts", "run-1", "scheduled", "contacts")
    with ThreadPoolExecutor(1) as pool, pytest.raises(FluxError):
        _ack_and_die(store, run, lambda: pool.submit(store.mark_sent, run, 0, 7, SHA, 1).result())
    assert store.batch_states(run, 0) == {7: ("sent", SHA)}
    store.close()


def test_an_acknowledgement_is_not_undone_by_sending_the_same_again(store: Store, run: Run) -> None:
    store.ack(run, 0, 0, SHA, [written(0, 9)], [], [], 1)
    store.mark_sent(run, 0, 0, SHA, 1)
    store.forget_sent(run, 0, 0)
    assert store.batch_states(run, 0) == {0: ("acked", SHA)}
    store.mark_sent(run, 0, 0, OTHER_SHA, 1)
    assert store.batch_states(run, 0) == {0: ("sent", OTHER_SHA)}


def test_a_batch_that_surely_was_not_stored_is_forgotten(store: Store, run: Run) -> None:
    store.mark_sent(run, 0, 0, SHA, 1)
    store.forget_sent(run, 0, 0)
    store.forget_sent(run, 0, 7)
    assert store.batch_states(run, 0) == {}


def test_what_was_found_of_a_batch_in_doubt_is_known_as_delivered(store: Store, run: Run) -> None:
    store.mark_sent(run, 0, 0, SHA, 1)
    store.forget_sent(run, 0, 0, [link("a")])
    assert store.batch_states(run, 0) == {}
    assert set(store.links(run.flow, ["a", "b"])) == {"a"}


def test_an_acknowledgement_twice_counts_once(store: Store, run: Run) -> None:
    for _ in range(2):
        store.ack(run, 0, 0, SHA, [written(0, 8), failed(9)], [error(9)], [link("a")], 1)
    assert store.count(run, None, 0).buckets == {"written": 9, "failed": 1}
    assert store.count(run, None, 0).overlaps == ()
    assert store.count_errors() == 1


def test_an_acknowledgement_is_all_or_nothing(store: Store, run: Run) -> None:
    too_much = Outcome("written", "created", 0, 2**63)
    with pytest.raises((OverflowError, DataError)):
        store.ack(run, 0, 0, SHA, [failed(0), too_much], [error(0)], [link("a")], 1)
    assert store.batch_states(run, 0) == {}
    assert store.count(run, None, 0).buckets == {}
    assert store.links("contacts", ["a"]) == {}


def test_a_newer_epoch_finds_what_earlier_ones_acknowledged(store: Store, run: Run) -> None:
    other = store.start_run("contacts", "run-2", "manual", "contacts")
    store.ack(run, 0, 0, SHA, [], [], [], 1)
    store.ack(run, 0, 1, "c" * 64, [], [], [], 1)
    store.ack(run, 1, 5, SHA, [], [], [], 1)
    store.mark_sent(run, 1, 6, OTHER_SHA, 1)
    store.ack(other, 0, 0, "d" * 64, [], [], [], 1)
    assert store.acked_elsewhere(run, 2) == {SHA: 1, "c" * 64: 0}
    assert store.acked_elsewhere(run, 1) == {SHA: 0, "c" * 64: 0}
    assert store.acked_elsewhere(run, 0) == {}


def test_a_clear_comes_back_to_a_batch_of_which_a_record_failed_or_the_rest_is_unsent(store: Store, run: Run) -> None:
    store.ack(run, 0, 0, SHA, [written(0, 7), failed(8)], [error(8, "i")], [], 1)
    store.ack(run, 0, 1, OTHER_SHA, [written(9, 12)], [], [], 1, state=STOPPED)
    store.ack(run, 0, 2, "c" * 64, [written(13, 13), Outcome("held", "OUTCOME_UNKNOWN", 14, 14)], [], [], 1)
    assert store.acked_elsewhere(run, 1) == {"c" * 64: 0}
    assert store.batch_states(run, 0)[1] == (STOPPED, OTHER_SHA)
    assert store.count(run, None, 0).buckets == {"written": 13, "failed": 1, "held": 1}


def test_an_acknowledgement_of_an_earlier_epoch_holds_for_an_equal_batch(store: Store, run: Run) -> None:
    outcomes = [written(0, 7), failed(8), Outcome("held", "OUTCOME_UNKNOWN", 9, 9)]
    errors = [error(8, "i"), error(9, "j", code="OUTCOME_UNKNOWN", field=None, state="held")]
    store.ack(run, 0, 3, SHA, outcomes, errors, [], 7)
    store.ack(run, 0, 4, OTHER_SHA, [written(10, 19)], [], [], 7)
    for _ in range(2):
        store.copy_ack(run, 0, 1, 5, SHA)
    assert store.batch_states(run, 1) == {5: ("acked", SHA)}
    assert store.count(run, None, 1).buckets == {"written": 8, "failed": 1, "held": 1}
    copies = [row for row in store.errors() if row.epoch == 1]
    assert [(row.batch, row.ordinal, row.source_key, row.state, row.mapping_version) for row in copies] == [
        (5, 8, "i", "open", 7),
        (5, 9, "j", "held", 7),
    ]
    assert copies[0].fingerprint == store.errors()[0].fingerprint


def test_a_copied_error_is_unsettled_again_unless_it_was_resolved(store: Store, run: Run) -> None:
    errors = [error(0, "a"), error(1, "b", code="OUTCOME_UNKNOWN", state="held"), error(2, "c")]
    store.ack(run, 0, 0, SHA, [], errors, [], 1)
    later = store.start_run("contacts", "run-2", "replay", "contacts")
    store.ack(later, 0, 0, SHA, [], [], [link("c")], 1)
    again = [error(0, "a"), error(1, "b", code="OUTCOME_UNKNOWN", state="held")]
    store.record_transform(later, 0, 0, [], again, 1)
    store.close_errors(later, {"transform": 0, "write": 0}, complete=True)
    assert [row.state for row in store.errors(ErrorFilter(run=run))] == ["superseded", "superseded", "resolved"]
    store.copy_ack(run, 0, 1, 0, SHA)
    copies = {row.source_key: row.state for row in store.errors() if row.epoch == 1}
    assert copies == {"a": "open", "b": "held", "c": "resolved"}


def test_what_was_never_acknowledged_cannot_be_copied(store: Store, run: Run) -> None:
    store.mark_sent(run, 0, 0, SHA, 1)
    with pytest.raises(FluxError, match="epoch 0 acknowledged no batch") as caught:
        store.copy_ack(run, 0, 1, 0, SHA)
    assert caught.value.code == "ACCOUNTING_MISMATCH"
    assert store.batch_states(run, 1) == {}
