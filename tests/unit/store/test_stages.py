from __future__ import annotations

import pytest

from airflow_provider_flux.errors import FluxError, Stage
from airflow_provider_flux.store import Store
from airflow_provider_flux.store.rows import Run
from tests.unit.store.data import NASTY, SHA, TUESDAY


def test_a_stage_is_started_progresses_and_is_sealed(store: Store, run: Run) -> None:
    started = store.start_stage(run, Stage.READ, 0)
    assert (started.stage, started.state, started.attempts, started.records) == ("read", "running", 1, 0)
    store.progress_stage(run, Stage.READ, 0, 500, 1)
    running = store.stage(run, "read", 0)
    assert running is not None
    assert (running.state, running.records, running.batches, running.ended_at) == ("running", 500, 1, None)
    store.seal_stage(run, "read", 0, records=800, batches=2, sha256=SHA, cursor_max=TUESDAY)
    sealed = store.stage(run, Stage.READ, 0)
    assert sealed is not None
    assert (sealed.state, sealed.records, sealed.batches, sealed.sha256) == ("sealed", 800, 2, SHA)
    assert sealed.cursor_max == TUESDAY
    assert sealed.ended_at is not None


def test_a_retry_counts_itself_and_forgets_why_the_last_attempt_ended(store: Store, run: Run) -> None:
    store.start_stage(run, "write", 0, input_epoch=0)
    store.progress_stage(run, "write", 0, 500, 1)
    cause = FluxError("DESTINATION_OUTAGE", f"down {NASTY}", next_step="Wait.", answer=f"503 {NASTY}")
    store.fail_stage(run, "write", 0, cause)
    failed = store.stage(run, "write", 0)
    assert failed is not None
    assert (failed.state, failed.error_code, failed.records) == ("failed", "DESTINATION_OUTAGE", 500)
    assert failed.error_message == f"down {NASTY}".replace("\x00", "\\u0000").replace("\udc80", "\\udc80")
    assert failed.error_next_step == "Wait."
    assert failed.error_answer == f"503 {NASTY}".replace("\x00", "\\u0000").replace("\udc80", "\\udc80")
    again = store.start_stage(run, "write", 0, input_epoch=1)
    assert (again.id, again.state, again.attempts, again.input_epoch) == (failed.id, "running", 2, 1)
    assert (again.error_code, again.error_message, again.ended_at, again.records) == (None, None, None, 0)
    assert (again.error_next_step, again.error_answer) == (None, None)


def test_every_epoch_has_its_own_row(store: Store, run: Run) -> None:
    store.start_stage(run, "read", 0)
    store.start_stage(run, "transform", 0, 0)
    store.start_stage(run, "read", 1)
    other = store.start_run("contacts", "run-2", "manual", "contacts")
    store.start_stage(other, "read", 0)
    assert [(row.stage, row.epoch) for row in store.stages(run)] == [("read", 0), ("transform", 0), ("read", 1)]
    assert store.stage(run, "write", 0) is None


def test_noting_the_end_of_a_stage_that_is_not_there_fails(store: Store, run: Run) -> None:
    with pytest.raises(FluxError, match="write stage of run 'run-1' is not in the store") as caught:
        store.seal_stage(run, "write", 0, records=1, batches=1, sha256=None)
    assert caught.value.code == "ACCOUNTING_MISMATCH"
