"""The platform's documents, and what its answers say of a run.

The documents, `status`, `result` and the five statuses are those of the platform's public SDK
(https://github.com/Lamatic/lamatic-sdk, src/index.ts and src/types.ts). `executeWorkflow` is a field of the query type
there, not of the mutation type. Where a flow answers at once, `status` and `result` are those of the run; where it runs
in the background, `requestId` stands in `result` or beside it, and `checkStatus` answers JSON with `status` and `nodes`
(name, status and output of each; seen in programs that others wrote against it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from airflow_provider_flux.transport.classify import vendor_message
from airflow_provider_flux.transport.paths import MISSING, get

EXECUTE: Final = """
query ExecuteWorkflow($workflowId: String!, $payload: JSON!) {
  executeWorkflow(workflowId: $workflowId, payload: $payload) { status result }
}
"""
EXECUTED: Final = "data.executeWorkflow"

CHECK: Final = "query CheckStatus($requestId: String!) { checkStatus(requestId: $requestId) }"
CHECKED: Final = "data.checkStatus"

_DONE = frozenset({"success", "completed"})
_FAILED = frozenset({"error", "failed"})
_RUNNING = frozenset({"pending", "processing", "running", "queued"})

_RUN_IDS = ("requestId", "result.requestId")
_NODE_NAMES = ("nodeName", "name", "nodeId", "id")
_SAYING = ("error", "output.error", "output", "message", "result", "result.error")


@dataclass(frozen=True)
class Run:
    """A run, as an answer tells of it.

    :param state: `done`, `failed`, `running`, or the platform's own word where it is none that is known
    :param id: by which `checkStatus` finds it; None where the flow answered at once
    :param node: that failed
    :param reason: what the platform says of the failure
    """

    state: str
    id: str | None = None
    node: str | None = None
    reason: str = ""

    @property
    def ended(self) -> bool:
        """Whether the platform says how it ended."""
        return self.state in ("done", "failed")


def run_of(told: Any, run_id: str | None = None) -> Run | None:
    """The run of which an answer tells; None where it tells of none.

    :param told: what stands at EXECUTED or CHECKED
    :param run_id: as it is known already
    """
    if not isinstance(told, dict) or not isinstance(told.get("status"), str):
        return None
    word = told["status"].strip().lower()
    begun = next((str(found) for found in _found(told, _RUN_IDS)), None)
    if word in _FAILED:
        node, reason = _failure(told)
        return Run("failed", run_id or begun, node, reason)
    if word in _DONE:
        # A flow in the background answers `success` for having been started; who looks at a run knows its id.
        return Run("running", begun) if run_id is None and begun is not None else Run("done", run_id)
    return Run("running" if word in _RUNNING else word, run_id or begun)


def _failure(told: dict[str, Any]) -> tuple[str | None, str]:
    """The node that failed, and what it said."""
    nodes = told.get("nodes")
    for node in nodes if isinstance(nodes, list) else ():
        if isinstance(node, dict) and str(node.get("status", "")).strip().lower() in _FAILED:
            name = next((str(found) for found in _found(node, _NODE_NAMES)), None)
            return name, _message(node) or _message(told)
    return None, _message(told)


def _message(told: dict[str, Any]) -> str:
    for found in _found(told, _SAYING):
        if said := vendor_message(found):
            return said
    return ""


def _found(told: dict[str, Any], paths: tuple[str, ...]) -> list[Any]:
    values = (get(told, path) for path in paths)
    return [value for value in values if value is not MISSING and value is not None and value != ""]
