"""What a person reads last in the log of a settle that fails: the whole trace."""

from __future__ import annotations

import pytest

from airflow_provider_flux.errors import CATALOGUE
from tests.airflow.flows import MAPPING, contacts, flow_text, make_database
from tests.airflow.running_airflow import RunningAirflow


@pytest.mark.timeout(240)
def test_the_trace_is_the_last_of_what_we_say_also_when_settle_itself_fails(airflow_standalone: RunningAirflow) -> None:
    airflow = airflow_standalone
    for name, rows in (("trace_src", contacts(10, bad=1)), ("trace_dst", [])):
        file = make_database(airflow.home / f"{name}.db", rows)
        airflow.connection(name, conn_type="flux_sql", host=str(file), extra='{"dialect": "sqlite"}')
    airflow.write("mappings/contacts/v1.yaml", MAPPING)
    airflow.write("flows/trace.yaml", flow_text(source="trace_src", destination="trace_dst"))
    run_id = airflow.trigger("trace")
    assert airflow.wait("trace", run_id) == "success"
    for manifest in (airflow.home / "flux" / "staging").glob("trace/**/manifest*"):
        manifest.unlink()

    airflow.clear("trace", run_id, "settle")
    assert airflow.wait("trace", run_id) == "failed"

    tries = airflow.tasks("trace", run_id)["settle"]["try_number"]
    said, _, _ = airflow.log("trace", run_id, "settle", tries).partition("Task failed with exception")
    trace = said[said.index("FAILED: run ") :]
    assert "failed in settle: " in trace
    assert "(STAGING_UNSEALED)" in trace
    assert "10 read = 9 written" in trace
    # The report's own end: what to do about its errors.
    assert " ".join(trace.split()).endswith(f"next: {CATALOGUE['INVALID_EMAIL'].solution}"), trace
