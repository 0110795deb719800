"""What a run may be started with: Airflow refuses the rest with an answer that names it, or the first task does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.airflow.flows import MAPPING, flow_text, make_database
from tests.airflow.running_airflow import RunningAirflow

pytestmark = pytest.mark.timeout(240)

WRONG: dict[str, tuple[Any, str]] = {
    "not an object": ("manual__1", "is not of type 'object', 'null'"),
    "a list": ([1, 2], "is not of type 'object', 'null'"),
    "empty": ({}, "is not valid under any of the given schemas"),
    "two selections": ({"run": "a", "errors": [1]}, "is valid under each of"),
    "a misspelt key": ({"run": "a", "recrods": 3}, "'recrods' was unexpected"),
    "an empty run": ({"run": ""}, "should be non-empty"),
    "a number as run": ({"run": 7}, "7 is not of type 'string'"),
    "no errors": ({"errors": []}, "should be non-empty"),
    "words as errors": ({"errors": ["first"]}, "'first' is not of type 'integer'"),
    "an error number that is none": ({"errors": [0]}, "0 is less than the minimum of 1"),
    "too many errors": ({"errors": list(range(1, 1002))}, "is too long"),
    "due, but not": ({"due": False}, "True was expected"),
    "another payload": ({"run": "a", "payload": "newest"}, "'newest' is not one of ['stored', 'source']"),
    "force in words": ({"run": "a", "force": "yes"}, "'yes' is not of type 'boolean'"),
    "a novel": ({"run": "a", "what": "x" * 1001}, "is too long"),
}


@pytest.fixture(scope="module")
def flow(airflow_standalone: RunningAirflow) -> str:
    airflow = airflow_standalone
    for name in ("conf_src", "conf_dst"):
        file = make_database(airflow.home / f"{name}.db", [])
        airflow.connection(name, conn_type="flux_sql", host=str(file), extra='{"dialect": "sqlite"}')
    airflow.write("mappings/contacts/v1.yaml", MAPPING)
    airflow.write("flows/conf.yaml", flow_text(source="conf_src", destination="conf_dst"))
    airflow.unpause("conf")
    return "conf"


@pytest.mark.parametrize("case", WRONG)
def test_airflow_refuses_a_replay_that_makes_no_sense(
    airflow_standalone: RunningAirflow, flow: str, case: str
) -> None:
    replay, why = WRONG[case]
    status, text = airflow_standalone.refusal(flow, {"replay": replay})
    assert status == 400
    assert "Invalid input for param replay" in text
    assert why in text
    assert airflow_standalone.runs(flow) == []


def test_a_key_that_airflow_lets_pass_is_refused_by_every_task(airflow_standalone: RunningAirflow, flow: str) -> None:
    airflow = airflow_standalone
    airflow.write("flows/conf_typo.yaml", flow_text(source="conf_src", destination="conf_dst"))
    run_id = airflow.trigger("conf_typo", {"repaly": {"run": "a"}, "limit": 10})
    assert airflow.wait("conf_typo", run_id) == "failed"
    log = airflow.log("conf_typo", run_id, "read")
    assert "the run was started with `limit`, `repaly`, which means nothing" in log
    assert 'Start a new run, with {"replay": {"run": "<run id>"}}' in log


def test_a_replay_of_a_run_that_never_was_says_so(airflow_standalone: RunningAirflow, flow: str) -> None:
    airflow = airflow_standalone
    airflow.write("flows/conf_gone.yaml", flow_text(source="conf_src", destination="conf_dst"))
    run_id = airflow.trigger("conf_gone", {"replay": {"run": "manual__never"}})
    assert airflow.wait("conf_gone", run_id) == "failed"
    for task in ("read", "settle"):
        assert "flow 'conf_gone' has no run 'manual__never' to replay" in airflow.log("conf_gone", run_id, task)
