"""A project of a flow platform: keys, deployed flows with an input schema, and runs that fail at a node.

Statuses and codes are those of the platform's error reference; the shapes of runs are those of its public SDK (see
`connectors.flow_platform.runs`). It can only be written to, so the suite, which reads too, does not run over it:
tests/contracts/test_flow_platform.py does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.contracts.servers.wire import Call, Reply

KEY, PROJECT, FLOW, CLEANER = "lt-key-31c0ffee", "project-7", "flow-42", "flow-43"


@dataclass
class Deployed:
    """A flow.

    :param schema: fields of its input and their types
    :param in_background: answers with the id of a run that has begun, instead of its result
    :param looks: how many looks at a run find it still running
    :param fails: the node at which the run of a payload fails, and what it says; None where it does not
    """

    schema: dict[str, type] = field(default_factory=lambda: {"email": str, "name": str})
    required: str | None = "email"
    in_background: bool = True
    looks: int = 1
    fails: Callable[[dict[str, Any]], tuple[str, str] | None] = lambda payload: None


@dataclass
class FlowPlatform:
    """:param runs: every run that was started, by its id
    :param faults: answers of the next calls, before the platform itself is asked
    """

    flows: dict[str, Deployed] = field(default_factory=lambda: {FLOW: Deployed(), CLEANER: Deployed()})
    keys: dict[str, str] = field(default_factory=lambda: {KEY: PROJECT})
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: list[Reply | Callable[[Call], Reply | None]] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)

    def answer(self, call: Call) -> Reply:
        with self.lock:
            if self.faults:
                fault = self.faults.pop(0)
                reply = fault if isinstance(fault, Reply) else fault(call)
                if reply is not None:
                    return reply
            return self._refused(call) or self._done(call.json())

    def payloads(self, flow: str = FLOW) -> list[dict[str, Any]]:
        """What the flow was handed, in order."""
        return [run["payload"] for run in self.runs.values() if run["flow"] == flow]

    def _refused(self, call: Call) -> Reply | None:
        key = call.headers.get("authorization", "").removeprefix("Bearer ")
        if key not in self.keys:
            return refusal(401, "Invalid API key", "UNAUTHENTICATED")
        if call.headers.get("x-project-id") != self.keys[key]:
            return refusal(403, "The key has no access to this project", "FORBIDDEN")
        return None

    def _done(self, body: dict[str, Any]) -> Reply:
        if "__typename" in body["query"]:
            return Reply(200, {"data": {"__typename": "Query"}})
        if "checkStatus" in body["query"]:
            return self._status(body["variables"]["requestId"])
        return self._execute(**body["variables"])

    def _execute(self, workflowId: str, payload: dict[str, Any]) -> Reply:
        flow = self.flows.get(workflowId)
        if flow is None:
            return refusal(404, f"Flow {workflowId} was not found or is not deployed", "NOT_FOUND")
        if mismatch := _mismatch(payload, flow):
            return refusal(400, mismatch, None)
        number = f"req-{len(self.runs) + 1}"
        self.runs[number] = {"flow": workflowId, "payload": payload, "looks": flow.looks, "ended": flow.fails(payload)}
        if flow.in_background:
            return executed("success", {"requestId": number})
        failed = self.runs[number]["ended"]
        return executed("error", {"message": failed[1]}) if failed else executed("success", {"answer": "42"})

    def _status(self, number: str) -> Reply:
        run = self.runs.get(number)
        if run is None:
            return Reply(200, {"data": {"checkStatus": None}, "errors": [{"message": f"There is no run {number}"}]})
        if run["looks"] > 0:
            run["looks"] -= 1
            return checked("processing")
        if run["ended"] is None:
            return checked("success", [{"nodeName": "Save", "status": "success", "output": {}}])
        node, message = run["ended"]
        nodes = [
            {"nodeName": "Trigger", "status": "success", "output": run["payload"]},
            {"nodeName": node, "status": "failed", "output": {"message": message}},
        ]
        return checked("error", nodes)


def _mismatch(payload: dict[str, Any], flow: Deployed) -> str | None:
    for name, value in payload.items():
        if name not in flow.schema:
            return f"The payload does not match the input schema: {name} is unknown to it"
        if value is not None and not isinstance(value, flow.schema[name]):
            return f'Variable "$payload" got invalid value {value!r} at "payload.{name}"; the type is wrong'
    if flow.required is not None and payload.get(flow.required) is None:
        return f"{flow.required} is required"
    return None


def executed(status: str, result: Any) -> Reply:
    return Reply(200, {"data": {"executeWorkflow": {"status": status, "result": result}}})


def checked(status: str, nodes: list[dict[str, Any]] | None = None) -> Reply:
    return Reply(200, {"data": {"checkStatus": {"status": status, "nodes": nodes or [], "output": None}}})


def refusal(status: int, message: str, code: str | None) -> Reply:
    extensions = {"extensions": {"code": code}} if code else {}
    return Reply(status, {"errors": [{"message": message, **extensions}]})
