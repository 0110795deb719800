"""Airflow 2.11 with a scheduler of its own: the retry ladder and the metrics, as on Airflow 3."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

import pytest

from tests.airflow.ladder import Ladder
from tests.airflow.running_airflow_2 import RunningAirflow2
from tests.airflow.statsd import listen
from tests.processes.saas import Saas, serve

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.skipif(not version("apache-airflow").startswith("2."), reason="Airflow 3 has tests of its own"),
]


@pytest.fixture
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAirflow2]:
    airflow = RunningAirflow2(tmp_path_factory.mktemp("airflow_2"))
    try:
        yield airflow
    finally:
        airflow.stop()


def test_the_ladder_is_climbed_in_time_and_every_run_sends_its_metrics(airflow: RunningAirflow2) -> None:
    with serve(Saas()) as saas, listen(airflow.statsd_port) as received:
        ladder = Ladder(airflow, saas, "ladder_2", "{max: 3, delay: [20s]}", refused=2, times=1)
        airflow.start()
        run_id = airflow.trigger(ladder.flow)
        assert airflow.wait(ladder.flow, run_id) == "success", airflow.log(ladder.flow, run_id, "settle")
        [timer] = ladder.timers()
        assert ladder.retries() == []
        ladder.finished(timeout=200)
        received.wait(ladder.flow, runs=2)

        assert sorted(saas.upserted) == sorted(saas.contacts)
    assert all(0 <= seconds < 60 for seconds in ladder.lateness()), ladder.lateness()
    [retry] = ladder.retries()
    assert (retry.read, retry.written) == (2, 2)
    assert ladder.timers() == [timer]
    [(state, date)] = airflow.rows("SELECT state, execution_date FROM dag_run WHERE run_id = ?", timer)
    [due] = {row.due_at for row in ladder.errors()} - {None}
    assert (state, date[:19]) == ("success", due[:19].replace("T", " "))
    assert received.of(ladder.flow) == [
        "flux.errors,flow=ladder_2,code=DESTINATION_OUTAGE,category=connection:2|c",
        "flux.records.failed,flow=ladder_2:2|c",
        "flux.records.read,flow=ladder_2:20|c",
        "flux.records.read,flow=ladder_2:2|c",
        "flux.records.written,flow=ladder_2:18|c",
        "flux.records.written,flow=ladder_2:2|c",
        "flux.retry.delivered,flow=ladder_2,trigger=retry:2|c",
        "flux.runs,flow=ladder_2,state=partial,trigger=manual:1|c",
        "flux.runs,flow=ladder_2,state=succeeded,trigger=retry:1|c",
    ]
