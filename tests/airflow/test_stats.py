"""What a run did reaches a real StatsD server, through Airflow's own stats."""

from __future__ import annotations

import pytest

from tests.airflow.flows import MAPPING, contacts, flow_text, make_database
from tests.airflow.running_airflow import RunningAirflow
from tests.airflow.statsd import listen

pytestmark = pytest.mark.timeout(240)


def test_a_run_sends_its_numbers_its_errors_and_its_duration(airflow_standalone: RunningAirflow) -> None:
    airflow = airflow_standalone
    source = make_database(airflow.home / "stats_src.db", contacts(10, bad=2))
    destination = make_database(airflow.home / "stats_dst.db", [])
    for name, file in (("stats_src", source), ("stats_dst", destination)):
        airflow.connection(name, conn_type="flux_sql", host=str(file), extra='{"dialect": "sqlite"}')
    airflow.write("mappings/contacts/v1.yaml", MAPPING)
    airflow.write("flows/stats.yaml", flow_text(source="stats_src", destination="stats_dst"))
    with listen(airflow.statsd_port) as received:
        assert airflow.wait("stats", airflow.trigger("stats")) == "success"
        received.wait("stats")
    assert received.of("stats") == [
        "flux.errors,flow=stats,code=INVALID_EMAIL,category=data:2|c",
        "flux.records.failed,flow=stats:2|c",
        "flux.records.read,flow=stats:10|c",
        "flux.records.written,flow=stats:8|c",
        "flux.runs,flow=stats,state=partial,trigger=manual:1|c",
    ]
    [milliseconds] = received.times("stats")
    assert 0 < milliseconds < 240_000
