"""Records that start runs of a flow: what is sent, how runs end, and each row of the platform's error reference."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.contract import Destination, Verdict, WriteItem, Written
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.errors import FluxError, OutcomeUnknown, RecordError
from tests.contracts.servers.wire import Call, Reply, Wire, serve
from tests.contracts.vendors.flow_platform import (
    CLEANER,
    FLOW,
    KEY,
    PROJECT,
    Deployed,
    FlowPlatform,
    checked,
    executed,
    refusal,
)

ADA, BOB = {"email": "ada@example.com", "name": "Ada"}, {"email": "bob@example.com", "name": "Bob"}


class Project:
    """A project at the platform, and the connector over it."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.platform = FlowPlatform()
        self.wire: Wire = stack.enter_context(serve(self.platform.answer))

    def credentials(self, **connection: Any) -> Credentials:
        extra = {"timeout": 2, "project_id": PROJECT, **connection.pop("extra", {})}
        fields = {"host": f"{self.wire.url}/api/graphql", "password": KEY, "one_try": True, **connection}
        return Credentials("platform", "flux_flow_platform", extra=extra, **fields)

    def destination(self, credentials: Credentials | None = None, **declared: Any) -> Destination:
        connector = registry.get("flow_platform")
        assert connector.destination_options is not None
        data = {"connector": "flow_platform", "connection": "platform", "workflow": FLOW, "key": "email", **declared}
        options = connector.destination_options.model_validate(data)
        destination = connector.destination(options, credentials or self.credentials())
        self._stack.callback(destination.close)
        return destination

    def write(self, *records: dict[str, Any], **declared: Any) -> list[Verdict]:
        return self.destination(**declared).write([WriteItem(record) for record in records])

    def looks(self) -> int:
        return sum(b"checkStatus" in call.body for call in self.wire.calls)


@pytest.fixture
def project() -> Iterator[Project]:
    with ExitStack() as stack:
        yield Project(stack)


def test_each_record_starts_a_run_and_the_id_of_the_run_is_its_key(project: Project) -> None:
    assert project.write(ADA, BOB) == [Written("req-1"), Written("req-2")]
    assert project.platform.payloads() == [ADA, BOB]
    assert {(call.path, call.headers["x-project-id"]) for call in project.wire.calls} == {("/api/graphql", PROJECT)}
    first = project.wire.calls[0].json()
    assert first["variables"] == {"workflowId": FLOW, "payload": ADA}
    assert project.looks() == 4, "runs are waited for together: one was still running, then both had ended"


def test_a_flow_that_answers_at_once_is_not_looked_at(project: Project) -> None:
    project.platform.flows[FLOW].in_background = False
    assert project.write(ADA) == [Written(None)]
    assert project.looks() == 0


def test_the_payload_is_what_the_input_schema_wants(project: Project) -> None:
    project.platform.flows[FLOW] = Deployed(schema={"contact": dict, "reason": str}, required=None)
    payload = {"contact": "{record}", "reason": "sync of {record.email}"}
    assert project.write(ADA, payload=payload) == [Written("req-1")]
    assert project.platform.payloads() == [{"contact": ADA, "reason": "sync of ada@example.com"}]


@pytest.mark.parametrize("in_background", [True, False])
def test_a_run_that_fails_is_an_error_of_its_record(project: Project, in_background: bool) -> None:
    flow = project.platform.flows[FLOW]
    flow.in_background = in_background
    flow.fails = lambda payload: ("Enrich", "model credentials are not set") if payload == ADA else None
    bad, good = project.write(ADA, BOB)
    assert isinstance(good, Written)
    assert isinstance(bad, RecordError)
    assert bad.code == "RECORD_REJECTED"
    assert "model credentials are not set" in bad.message and FLOW in bad.message
    if in_background:
        assert "run req-1 " in bad.message and "node 'Enrich'" in bad.message


def test_a_node_that_names_the_fault_of_the_record_gives_it_its_code(project: Project) -> None:
    project.platform.flows[FLOW].fails = lambda payload: ("Save", "email has already been taken")
    (error,) = project.write(ADA)
    assert isinstance(error, RecordError)
    assert (error.code, error.field) == ("DUPLICATE_RECORD", "email")


def test_without_waiting_a_run_that_was_started_counts(project: Project) -> None:
    project.platform.flows[FLOW].fails = lambda payload: ("Enrich", "boom")
    assert project.write(ADA, wait=False) == [Written("req-1")]
    assert project.looks() == 0


@pytest.mark.parametrize(("mode", "code"), [("create", "OUTCOME_UNKNOWN"), ("upsert", "CONNECTION_TIMEOUT")])
def test_a_run_that_does_not_end_in_time_is_named(project: Project, mode: str, code: str) -> None:
    project.platform.flows[FLOW].looks = 10_000
    (error,) = project.write(ADA, mode=mode, wait_timeout="0.05s")
    assert isinstance(error, RecordError)
    assert error.code == code
    assert "run req-1 had not ended" in error.message


def test_a_look_that_fails_for_now_is_repeated(project: Project) -> None:
    def busy(call: Call) -> Reply | None:
        return Reply(503, b"busy") if b"checkStatus" in call.body else project.platform.faults.append(busy)

    project.platform.faults.append(busy)
    assert project.write(ADA) == [Written("req-1")]


@pytest.mark.parametrize(
    "look",
    [
        refusal(401, "Invalid API key", "UNAUTHENTICATED"),
        checked("hibernating"),
        Reply(200, {"data": {"checkStatus": None}}),
        Reply(200, {"data": {"checkStatus": "success"}}),
    ],
)
def test_a_run_whose_end_cannot_be_seen_is_held_with_its_id(project: Project, look: Reply) -> None:
    def at_look(call: Call) -> Reply | None:
        return look if b"checkStatus" in call.body else project.platform.faults.append(at_look)

    project.platform.faults.append(at_look)
    (error,) = project.write(ADA)
    assert isinstance(error, RecordError)
    assert error.code == "OUTCOME_UNKNOWN"
    assert "run req-1 was started" in error.message


def test_deletes_are_handed_to_a_flow_of_their_own(project: Project) -> None:
    destination = project.destination(deletes="delete", delete_workflow=CLEANER, delete_payload={"email": "{key}"})
    found = destination.write([WriteItem({"email": ADA["email"]}, deleted=True), WriteItem(BOB)])
    assert found == [Written("req-1"), Written("req-2")]
    assert (project.platform.payloads(CLEANER), project.platform.payloads()) == ([{"email": ADA["email"]}], [BOB])


STATUSES = [
    (refusal(200, "The flow has no trigger", "FLOW_BROKEN"), "RECORD_REJECTED", ""),
    (refusal(400, "The payload does not match", None), "PAYLOAD_MISMATCH", "input node"),
    (refusal(401, "Invalid API key", None), "AUTHENTICATION_FAILED", "Studio, Settings, API Keys"),
    (refusal(403, "No access", None), "PERMISSION_DENIED", "'project_id' of the connection 'platform'"),
    (refusal(404, "No such flow", None), "NOT_FOUND", "Deploy the flow"),
    (refusal(429, "Too many requests", None), "RATE_LIMIT_EXCEEDED", "Limits & Quotas"),
    (refusal(503, "Maintenance", None), "DESTINATION_OUTAGE", "status page"),
]


@pytest.mark.parametrize(("reply", "code", "advice"), STATUSES)
def test_each_status_has_its_code_and_the_advice_of_the_error_reference(
    project: Project, reply: Reply, code: str, advice: str
) -> None:
    project.platform.faults += [reply, reply]
    try:
        found = project.write(ADA, BOB)
    except FluxError as error:
        assert (error.code, advice in error.next_step) == (code, True)
        assert reply.body["errors"][0]["message"] in error.message
        assert KEY not in f"{error.message} {error.answer} {error.next_step}"
    else:
        assert {verdict.code for verdict in found if isinstance(verdict, RecordError)} == {code}
        assert advice == ""


def test_one_payload_that_does_not_fit_costs_no_other(project: Project) -> None:
    records = [ADA, {**BOB, "shoe": 44}, {"name": "Nobody"}, {"email": 5}, BOB]
    found = project.write(*records)
    codes = [verdict.code if isinstance(verdict, RecordError) else None for verdict in found]
    assert codes == [None, "PAYLOAD_MISMATCH", "REQUIRED_FIELD_MISSING", "INVALID_FORMAT", None]
    assert project.platform.payloads() == [ADA, BOB]


@pytest.mark.parametrize("lost", [Reply(500, b"boom"), Reply(reset=True), executed("success", None)])
def test_a_record_whose_run_may_have_begun_is_never_handed_over_again(project: Project, lost: Reply) -> None:
    project.platform.faults.append(lost)
    destination = project.destination(project.credentials(one_try=False))
    assert not destination.idempotent
    first, second = destination.write([WriteItem(ADA), WriteItem(BOB)])
    if lost.body == executed("success", None).body:
        assert first == Written(None), "the flow answered at once, with nothing"
        return
    assert isinstance(first, RecordError) and first.code == "OUTCOME_UNKNOWN"
    assert isinstance(second, Written)
    project.platform.faults.append(lost)
    with pytest.raises(OutcomeUnknown):
        destination.write([WriteItem(ADA)])
    assert project.platform.payloads() == [BOB]


def test_a_flow_that_may_run_twice_is_called_again(project: Project) -> None:
    project.platform.faults.append(Reply(reset=True))
    destination = project.destination(project.credentials(one_try=False), mode="upsert")
    assert destination.idempotent
    assert destination.write([WriteItem(ADA)]) == [Written("req-1")]


def test_a_throttle_is_waited_for_as_the_platform_says(project: Project) -> None:
    throttle = refusal(429, "Too many requests", None)
    project.platform.faults.append(Reply(429, throttle.body, {"Retry-After": "0.1"}))
    assert project.destination(project.credentials(one_try=False)).write([WriteItem(ADA)]) == [Written("req-1")]


@pytest.mark.parametrize(
    ("connection", "code", "named"),
    [
        ({"extra": {"project_id": ""}}, "CONNECTION_INVALID", "extra.project_id"),
        ({"extra": {"project_id": "a\nb"}}, "CONNECTION_INVALID", "extra.project_id"),
        ({"password": None}, "CONNECTION_INVALID", "password"),
        ({"host": None}, "CONNECTION_INVALID", "host"),
        ({"password": "of-nobody"}, "AUTHENTICATION_FAILED", "password"),
        ({"extra": {"project_id": "project-8"}}, "PERMISSION_DENIED", "project_id"),
    ],
)
def test_the_test_of_a_connection_names_the_field_at_fault(
    project: Project, connection: dict[str, Any], code: str, named: str
) -> None:
    connector = registry.get("flow_platform")
    with pytest.raises(FluxError) as caught:
        connector.test(project.credentials(**connection))
    assert caught.value.code == code
    assert named in f"{caught.value.message} {caught.value.next_step}"


def test_the_test_of_a_connection_runs_no_flow(project: Project) -> None:
    assert "answered HTTP 200" in registry.get("flow_platform").test(project.credentials())
    assert project.platform.runs == {}


BROKEN = [
    Reply(200, b""),
    Reply(200, b"<!DOCTYPE html><html><title>Maintenance</title></html>", {"Content-Type": "text/html"}),
    Reply(200, b'{"data": {"executeWorkflow": {"status": "su'),
    Reply(200, b"[" * 90_000 + b"]" * 90_000),
    Reply(200, {"unexpected": True}),
    Reply(200, {"data": {"executeWorkflow": None}}),
    Reply(200, {"data": {"executeWorkflow": {"status": "pending", "result": None}}}),
    Reply(302, None, {"Location": "http://127.0.0.1:9/elsewhere"}),
]


@pytest.mark.parametrize("reply", BROKEN)
def test_an_answer_that_says_nothing_leaves_the_record_in_doubt(project: Project, reply: Reply) -> None:
    project.platform.faults += [reply, reply]
    first, second = project.write(ADA, BOB)
    for error in (first, second):
        assert isinstance(error, RecordError)
        assert error.code == "OUTCOME_UNKNOWN"
        assert KEY not in f"{error.message} {error.answer}"


def test_partial_data_is_no_success(project: Project) -> None:
    told = executed("success", {"requestId": "req-1"}).body
    project.platform.faults.append(Reply(200, {**told, "errors": [{"message": "The run could not be queued"}]}))
    first, second = project.write(ADA, BOB)
    assert isinstance(first, RecordError) and first.code == "OUTCOME_UNKNOWN"
    assert "could not be queued" in first.message
    assert isinstance(second, Written)


def test_a_platform_that_cannot_be_reached_gets_no_record(project: Project) -> None:
    nowhere = project.credentials(host="http://127.0.0.1:9")
    with pytest.raises(FluxError) as caught:
        project.destination(nowhere).write([WriteItem(ADA), WriteItem(BOB)])
    assert caught.value.code == "CONNECTION_TIMEOUT"
    assert not isinstance(caught.value, OutcomeUnknown)
