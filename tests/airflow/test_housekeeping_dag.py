"""The daily housekeeping, in a real Airflow: what Airflow knows of a run is what the store is brought in line with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.text import now_text
from tests.airflow.ladder import Ladder
from tests.airflow.running_airflow import RunningAirflow
from tests.processes.saas import Saas, serve

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def saas() -> Iterator[Saas]:
    with serve(Saas()) as server:
        yield server


def test_it_closes_what_airflow_ended_and_sets_lost_timers_again(
    airflow_standalone: RunningAirflow, saas: Saas
) -> None:
    airflow = airflow_standalone
    ladder = Ladder(airflow, saas, "house", "{max: 3, delay: [2s]}", refused=1, times=1)
    airflow.pause("flux_timer")
    airflow.wait(ladder.flow, airflow.trigger(ladder.flow))
    [timer] = ladder.timers()
    airflow.delete_run("flux_timer", timer)
    airflow.unpause("flux_timer")
    # A run that was marked as failed when its read had begun, and one of which Airflow has never heard.
    airflow.pause(ladder.flow)
    ended = f"manual__{ladder.flow}"
    with ladder.store() as store:
        store.start_run(ladder.flow, ended, "manual", ladder.flow, None)
        store.start_run(ladder.flow, "manual__unknown", "manual", ladder.flow, None)
    airflow.create_run(ladder.flow, ended)
    airflow.mark(ladder.flow, ended, "failed")
    airflow.unpause(ladder.flow)

    with ladder.store() as store:
        airflow.until("the retry is overdue", lambda: ladder.flow in store.overdue_flows(now_text()))
    run_id = airflow.trigger("flux_housekeeping")
    assert airflow.wait("flux_housekeeping", run_id) == "success"
    found = airflow.xcom("flux_housekeeping", run_id, "reconcile")
    assert found == {"closed": 1, "released": 0, "overdue": [ladder.flow]}
    assert airflow.xcom("flux_housekeeping", run_id, "purge") == {"staging": 0, "payloads": 0, "runs": 0}
    assert "API server error" not in airflow.log("flux_housekeeping", run_id, "reconcile")
    with ladder.store() as store:
        closed, unknown = store.run(ladder.flow, ended), store.run(ladder.flow, "manual__unknown")
    assert closed is not None and (closed.state, closed.error_code) == ("failed", "WORKER_DIED")
    assert unknown is not None and unknown.ended_at is None
    ladder.finished()
    with ladder.store() as store:
        assert store.count_errors(ErrorFilter(flow=ladder.flow, state="resolved")) == 1
