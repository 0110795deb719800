"""Calls of a flow on another platform: every status of its error reference, until the contact's run is there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.servers.wire import serve
from tests.scenarios.conftest import Desk
from tests.scenarios.platform import DeployedFlow, Platform
from tests.scenarios.systems import System, always, person

PROJECT = "contacts-project"
SCHEMA = {"externalId": "String!", "fullName": "String", "email": "String"}


@pytest.fixture
def studio(desk: Desk, crm: System) -> Iterator[Platform]:
    """The platform, with the flow of the page deployed on it, and two contacts to send."""
    platform = Platform(flows={"wf-enrich": DeployedFlow(PROJECT, dict(SCHEMA))}, keys={"key-1": PROJECT})
    desk.take("flows/enrich.yaml", "mappings/enrich/v1.yaml")
    crm.put(person(1), person(2))
    with serve(platform.answer) as wire:
        platform.url = wire.url
        desk.connect_system("studio", platform.url, "key-1")
        yield platform


def assert_delivered(desk: Desk, studio: Platform) -> None:
    """One run for each contact came to its end, and no error is left."""
    assert sorted(studio.arrived()) == ["c1", "c2"]
    assert set(desk.states("enrich").values()) <= {"resolved"}


# --- 401 ------------------------------------------------------------------------------------------


def test_401_wrong_key(desk: Desk, studio: Platform) -> None:
    desk.connect_system("studio", studio.url, "Bearer key-1")
    assert desk.tick("enrich").run.unsent == 2
    desk.do("look").shows("401")
    desk.connect_system("studio", studio.url, "key-1")
    desk.clear("scheduled__1", "enrich")
    assert_delivered(desk, studio)


def test_401_new_key_that_is_active_only_after_the_project_is_deployed_again(desk: Desk, studio: Platform) -> None:
    studio.keys = {}
    studio.new_keys = {"key-2": PROJECT}
    desk.connect_system("studio", studio.url, "key-2")
    desk.tick("enrich")
    desk.do("look").shows("401")
    studio.deploy()
    desk.clear("scheduled__1", "enrich")
    assert_delivered(desk, studio)


# --- 403 ------------------------------------------------------------------------------------------


def test_403_the_header_names_another_project(desk: Desk, studio: Platform) -> None:
    desk.change_flow("destination: {headers: {x-project-id: sales-project}}", "enrich")
    desk.tick("enrich")
    desk.do("look").shows("403")
    desk.fix("403", "enrich")
    desk.clear("scheduled__1", "enrich")
    assert_delivered(desk, studio)


def test_403_the_key_has_no_access(desk: Desk, studio: Platform) -> None:
    studio.keys = {"key-1": "sales-project", "key-2": PROJECT}
    desk.tick("enrich")
    desk.do("look").shows("403")
    desk.connect_system("studio", studio.url, "key-2")
    desk.clear("scheduled__1", "enrich")
    assert_delivered(desk, studio)


# --- 404 ------------------------------------------------------------------------------------------


def test_404_wrong_endpoint(desk: Desk, studio: Platform) -> None:
    desk.change_flow("destination: {path: /graphq}", "enrich")
    desk.tick("enrich")
    desk.do("look").shows("404-endpoint")
    desk.fix("404-endpoint", "enrich")
    desk.clear("scheduled__1", "enrich")
    assert_delivered(desk, studio)


def test_404_flow_not_deployed(desk: Desk, studio: Platform) -> None:
    studio.flows["wf-enrich"].deployed = False
    desk.tick("enrich")
    desk.do("look").shows("404-flow")
    studio.flows["wf-enrich"].deployed = True
    desk.clear("scheduled__1", "enrich")
    desk.do("retry-run")
    assert_delivered(desk, studio)


def test_404_wrong_flow_id(desk: Desk, studio: Platform) -> None:
    studio.flows["wf-enrich-2"] = studio.flows.pop("wf-enrich")
    desk.tick("enrich")
    desk.do("look").shows("404-flow")
    desk.fix("404-id", "enrich")
    desk.clear("scheduled__1", "enrich")
    desk.do("retry-run")
    assert_delivered(desk, studio)


# --- 400: the payload does not fit ----------------------------------------------------------------


def test_400_field_name(desk: Desk, studio: Platform) -> None:
    schema = studio.flows["wf-enrich"].schema
    schema["name"] = schema.pop("fullName")
    desk.tick("enrich")
    desk.do("look").shows("400-name")
    desk.fix("400-name", "enrich", "enrich")
    desk.clear("scheduled__1", "enrich")
    assert_delivered(desk, studio)


def test_400_type(desk: Desk, studio: Platform, crm: System) -> None:
    studio.flows["wf-enrich"].schema["employees"] = "Int"
    desk.write("mappings/enrich/v1.yaml", desk.read("mappings/enrich/v1.yaml") + "  - {from: size, to: employees}\n")
    crm.put(person(1, size="120"), person(2, size="7"))
    desk.tick("enrich")
    desk.do("look").shows("400-type")
    desk.fix("400-type", "enrich", "enrich")
    desk.do("retry-run")
    assert_delivered(desk, studio)
    assert {run["payload"]["employees"] for run in studio.runs} == {120, 7}


def test_400_query(desk: Desk, studio: Platform) -> None:
    desk.take("flows/outcomes.yaml", "mappings/outcomes/v1.yaml")
    desk.sql("CREATE TABLE outcomes (id TEXT PRIMARY KEY, contact TEXT, status TEXT)")
    desk.tick("enrich")
    desk.write("flows/outcomes.yaml", desk.read("flows/outcomes.yaml").replace("contact status", "contact state"))
    desk.tick("outcomes")
    desk.do("look-2").shows("400-query")
    desk.fix("400-query", "outcomes")
    desk.clear("scheduled__2", "outcomes")
    assert set(desk.rows("outcomes")) == {"run-1", "run-2"}


def test_400_required_variable(desk: Desk, studio: Platform) -> None:
    studio.flows["wf-enrich"].schema["locale"] = "String!"
    desk.tick("enrich")
    desk.do("look").shows("400-required")
    desk.fix("400-required", "enrich", "enrich")
    desk.do("retry-run")
    assert_delivered(desk, studio)


# --- 429, 500 -------------------------------------------------------------------------------------


def test_429_is_tried_again_by_itself(desk: Desk, studio: Platform) -> None:
    limit = {"errors": [{"message": "rate limit", "extensions": {"code": "RATE_LIMITED"}}]}
    studio.trouble = always(429, limit, Retry_After="60")
    assert desk.tick("enrich").run.unsent == 2
    desk.do("look").shows("429")
    studio.trouble = lambda call: None
    desk.tick("enrich", run_id="scheduled__1")  # Airflow's retry of the task
    assert_delivered(desk, studio)


def test_500_is_held_where_a_second_call_would_do_the_work_twice(desk: Desk, studio: Platform) -> None:
    studio.trouble = always(500, {"errors": [{"message": "Internal server error"}]})
    assert desk.tick("enrich").run.held == 2
    desk.do("look").shows("500-held")
    assert "approve --run 1" in desk.do("retry-run").err
    studio.trouble = lambda call: None
    desk.do("500-approve")  # a person looked: the platform has no run of these contacts
    assert_delivered(desk, studio)


def test_500_is_tried_again_where_a_second_call_does_no_harm(desk: Desk, studio: Platform) -> None:
    desk.fix("500-idempotent", "enrich")
    studio.trouble = always(500, {"errors": [{"message": "Internal server error"}]})
    desk.tick("enrich")
    desk.do("look").shows("500-outage")
    studio.trouble = lambda call: None
    desk.tick("enrich", run_id="scheduled__1")
    assert_delivered(desk, studio)


# --- 200 with errors ------------------------------------------------------------------------------


def test_200_with_errors_instead_of_data(desk: Desk, studio: Platform) -> None:
    refusal = {"message": "The plan has no credits left", "extensions": {"code": "NO_CREDITS"}}
    studio.trouble = always(200, {"data": None, "errors": [refusal]})
    report = desk.tick("enrich")
    assert report.run.written == 0
    desk.do("look").shows("200-errors")
    studio.trouble = lambda call: None
    desk.do("retry-run")
    assert_delivered(desk, studio)


def test_200_with_errors_beside_the_data(desk: Desk, studio: Platform) -> None:
    desk.take("flows/outcomes.yaml", "mappings/outcomes/v1.yaml")
    desk.sql("CREATE TABLE outcomes (id TEXT PRIMARY KEY, contact TEXT, status TEXT)")
    desk.tick("enrich")
    studio.runs[0]["archived"] = True
    desk.tick("outcomes")
    desk.do("look-2").shows("200-partial")
    assert set(desk.rows("outcomes")) == {"run-2"}
    studio.runs[0]["archived"] = False
    desk.tick("outcomes")
    assert set(desk.rows("outcomes")) == {"run-1", "run-2"}
    desk.do("200-discard")
    assert desk.states("outcomes") == {"": "discarded"}


# --- the request succeeds, but the run fails --------------------------------------------------------


def test_a_run_that_fails_at_a_node_is_no_success(desk: Desk, studio: Platform) -> None:
    studio.flows["wf-enrich"].node_fails = ("LLMNode_2", "model credentials are missing")
    assert desk.tick("enrich").run.written == 0
    desk.do("look").shows("node-failed")
    studio.flows["wf-enrich"].node_fails = None
    desk.do("retry-run")
    assert_delivered(desk, studio)
