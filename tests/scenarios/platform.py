"""A platform on which teams deploy flows and call them over GraphQL: `executeWorkflow(workflowId, payload)`.

It answers as such platforms document it: 401 for a key that is not known or not active, 403 for another project, 404
for a flow that is not deployed, 400 for a payload that does not fit the flow's input schema, and 200 with `errors`
beside or instead of the data. A call that succeeds may still start a run that fails at one of its nodes.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from tests.contracts.servers.wire import Call, Reply
from tests.scenarios.systems import Trouble

_FIELDS = ("id", "contact", "status", "node", "message", "ended_at")
_TYPES: dict[str, type] = {"String": str, "Int": int}


@dataclass
class DeployedFlow:
    """:param schema: the fields of its input, and their types
    :param node_fails: the node at which its runs fail, and why
    """

    project: str
    schema: dict[str, str]
    deployed: bool = True
    node_fails: tuple[str, str] | None = None


@dataclass
class Platform:
    """The platform behind the server, open to the tests.

    :param keys: the active ones, each with its project
    :param runs: every run of a flow, with its payload
    """

    flows: dict[str, DeployedFlow] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    new_keys: dict[str, str] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    trouble: Trouble = lambda call: None
    calls: int = 0
    url: str = ""
    lock: Any = field(default_factory=threading.RLock)

    def deploy(self) -> None:
        """Deploy the project again: keys made since then become active."""
        self.keys |= self.new_keys
        self.new_keys.clear()

    def arrived(self) -> list[str]:
        """The contacts of the runs that came to an end."""
        return [run["payload"]["externalId"] for run in self.runs if run["status"] == "success"]

    def answer(self, call: Call) -> Reply:
        with self.lock:
            self.calls += 1
            if call.path != "/graphql":
                return Reply(404, {"message": f"there is no {call.path}"})
            return self.trouble(call) or self._refused(call) or self._done(call.json())

    def _refused(self, call: Call) -> Reply | None:
        key = call.headers.get("authorization", "").removeprefix("Bearer ")
        if key not in self.keys:
            return _errors(401, "Invalid API key", "UNAUTHENTICATED")
        if call.headers.get("x-project-id") != self.keys[key]:
            return _errors(403, "The key has no access to this project", "FORBIDDEN")
        return None

    def _done(self, body: dict[str, Any]) -> Reply:
        if "checkStatus" in body["query"]:
            return self._status(body["query"], body["variables"])
        return self._execute(body["variables"])

    def _execute(self, variables: dict[str, Any]) -> Reply:
        flow = self.flows.get(variables["workflowId"])
        if flow is None or not flow.deployed:
            return _errors(404, f"Flow {variables['workflowId']} is not deployed", "NOT_FOUND")
        if mismatch := _mismatch(variables["payload"], flow.schema):
            return _errors(400, mismatch, "BAD_USER_INPUT")
        run = {
            "id": f"run-{len(self.runs) + 1}",
            "status": "success",
            "node": None,
            "message": None,
            "payload": variables["payload"],
            "ended_at": f"2026-03-01T00:00:{len(self.runs):02d}Z",
        }
        if flow.node_fails is not None:
            run |= {"status": "error", "node": flow.node_fails[0], "message": flow.node_fails[1]}
        self.runs.append(run)
        return Reply(200, {"data": {"executeWorkflow": _told(run)}})

    def _status(self, query: str, variables: dict[str, Any]) -> Reply:
        """The runs that ended in a window; the trace of a run of a flow that was taken down cannot be told."""
        asked = query.rpartition("{")[2].partition("}")[0].split()
        if unknown := [name for name in asked if name not in _FIELDS]:
            message = f'Cannot query field "{unknown[0]}" on type "Run".'
            return _errors(400, message, "GRAPHQL_VALIDATION_FAILED")
        since = variables.get("since") or ""
        found = [run for run in self.runs if run["ended_at"] >= since]
        lost = [place for place, run in enumerate(found) if run.get("archived")]
        runs: list[Any] = [None if run.get("archived") else _told(run) for run in found]
        answer: dict[str, Any] = {"data": {"checkStatus": {"runs": runs}}}
        if lost:
            answer["errors"] = [
                {
                    "message": "The trace of this run is being archived",
                    "path": ["checkStatus", "runs", place],
                    "extensions": {"code": "TRACE_ARCHIVED"},
                }
                for place in lost
            ]
        return Reply(200, answer)


def _told(run: dict[str, Any]) -> dict[str, Any]:
    shown = {name: run[name] for name in ("id", "status", "node", "message", "ended_at")}
    return {**shown, "contact": run["payload"].get("externalId")}


def _mismatch(payload: dict[str, Any], schema: dict[str, str]) -> str | None:
    """What a GraphQL server says of an input that does not fit its type."""
    for name, value in payload.items():
        if name not in schema:
            return f'Variable "$payload" got invalid value; Field "{name}" is not defined by type "FlowInput".'
        if value is not None and not isinstance(value, _TYPES[schema[name].rstrip("!")]):
            kind = schema[name].rstrip("!")
            return (
                f'Variable "$payload" got invalid value at "payload.{name}"; {kind} cannot represent the value.'
            )
    for name, kind in schema.items():
        if kind.endswith("!") and payload.get(name) is None:
            return (
                f'Variable "$payload" got invalid value; Field "{name}" of required type "{kind}" was not provided.'
            )
    return None


def _errors(status: int, message: str, code: str) -> Reply:
    return Reply(status, {"errors": [{"message": message, "extensions": {"code": code}}]})
