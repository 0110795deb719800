"""The retry ladder, driven by a real Airflow: records that failed for a while are delivered in time by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.airflow.ladder import Ladder
from tests.airflow.running_airflow import RunningAirflow
from tests.processes.saas import Saas, serve

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def saas() -> Iterator[Saas]:
    with serve(Saas()) as server:
        yield server


def test_a_flow_on_demand_climbs_the_ladder_in_time(airflow_standalone: RunningAirflow, saas: Saas) -> None:
    ladder = Ladder(airflow_standalone, saas, "ladder_demand", "{max: 3, delay: [2s, 6s, 60s]}", refused=2, times=2)
    run_id = airflow_standalone.trigger(ladder.flow)
    assert airflow_standalone.wait(ladder.flow, run_id) == "success", airflow_standalone.log(
        ladder.flow, run_id, "settle"
    )
    ladder.finished()

    assert sorted(saas.upserted) == sorted(saas.contacts)
    assert {len(calls) for contact, calls in ladder.sent.items() if contact in ladder.refused} == {3}
    assert {len(calls) for contact, calls in ladder.sent.items() if contact not in ladder.refused} == {1}
    late = ladder.lateness()
    assert len(late) == 4
    assert all(0 <= seconds < 60 for seconds in late), late
    first, second = ladder.retries()  # both records share a run each time
    assert (first.read, first.failed, second.read, second.written) == (2, 2, 2, 2)
    assert {row.state for row in ladder.errors()} == {"resolved", "superseded"}
    assert len(ladder.timers()) == 2


def test_the_schedule_of_a_flow_goes_on_while_a_retry_waits(airflow_standalone: RunningAirflow, saas: Saas) -> None:
    more = "schedule: {every: 8s}\n"
    ladder = Ladder(airflow_standalone, saas, "ladder_tick", "{max: 3, delay: [30s]}", refused=2, times=1, more=more)
    airflow_standalone.unpause(ladder.flow)
    airflow_standalone.until("a retry waits", lambda: ladder.errors("retrying"))
    ladder.finished()
    airflow_standalone.pause(ladder.flow)

    [retry] = ladder.retries()
    [(first, due)] = {(row.occurred_at, row.due_at) for row in ladder.errors()}
    assert due is not None
    with ladder.store() as store:
        ticks = [run.started_at for run in store.runs(ladder.flow) if run.trigger == "scheduled"]
    assert len([tick for tick in ticks if first < tick < due]) >= 2
    assert retry.written == 2
    assert all(0 <= seconds < 60 for seconds in ladder.lateness())
    assert len(ladder.timers()) == 1
    assert {len(calls) for contact, calls in ladder.sent.items() if contact in ladder.refused} == {2}


def test_a_deleted_timer_is_made_up_for_by_the_next_run(airflow_standalone: RunningAirflow, saas: Saas) -> None:
    ladder = Ladder(airflow_standalone, saas, "ladder_deleted", "{max: 3, delay: [6s]}", refused=1, times=1)
    # An hour later: the next run begins behind the record that failed, and does not come across it again.
    saas.put({"id": "last", "name": "Last", "phone": "(415) 555-0100", "updated_at": "2026-01-01T01:00:00Z"})
    airflow_standalone.pause("flux_timer")
    run_id = airflow_standalone.trigger(ladder.flow)
    assert airflow_standalone.wait(ladder.flow, run_id) == "success"
    log = airflow_standalone.log(ladder.flow, run_id, "settle")
    assert "Airflow's DAG flux_timer is paused: unpause it" in log
    [timer] = ladder.timers()
    airflow_standalone.delete_run("flux_timer", timer)
    airflow_standalone.unpause("flux_timer")

    airflow_standalone.wait(ladder.flow, airflow_standalone.trigger(ladder.flow))
    ladder.finished()
    assert sorted(saas.upserted) == sorted(saas.contacts)
    assert [(run.read, run.written) for run in ladder.retries()] == [(1, 1)]


def test_without_the_timers_dag_the_run_says_what_to_do_and_goes_on(
    airflow_standalone: RunningAirflow, saas: Saas
) -> None:
    airflow = airflow_standalone
    ladder = Ladder(airflow, saas, "ladder_alone", "{max: 3, delay: [1s]}", refused=1, times=1)
    file = airflow.dags / "flux_system.py"
    text = file.read_text()
    file.unlink()

    def known() -> bool:
        entries: int = airflow.get("/api/v2/dags", dag_id_pattern="flux_timer")["total_entries"]
        return entries == 1

    try:
        airflow.until("the DAG is gone", lambda: not known())
        run_id = airflow.trigger(ladder.flow)
        assert airflow.wait(ladder.flow, run_id) == "success"
        log = airflow.log(ladder.flow, run_id, "settle")
    finally:
        file.write_text(text)
        airflow.until("the DAG is back", known)
    assert "DAG flux_timer is not there: copy dags/flux_system.py into Airflow's DAG folder" in log
    assert log.count("flux_timer") == 1


def test_a_timer_that_was_started_too_early_waits(airflow_standalone: RunningAirflow) -> None:
    due = datetime.now(UTC) + timedelta(seconds=10)
    run_id = airflow_standalone.trigger("flux_timer", {"flow": "nobody", "due": due.isoformat()})
    airflow_standalone.wait_for_task("flux_timer", run_id, "start", "up_for_reschedule")
    assert airflow_standalone.wait("flux_timer", run_id) == "success"
    ended = airflow_standalone.tasks("flux_timer", run_id)["start"]["end_date"]
    assert datetime.fromisoformat(ended) >= due
