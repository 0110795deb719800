"""What an answer of the platform says of a run."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.connectors.flow_platform.options import FlowPlatformDestinationOptions
from airflow_provider_flux.connectors.flow_platform.runs import Run, run_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
NAMES = ("status", "result", "requestId", "nodes", "nodeName", "output", "message", "error")
RUNS = st.fixed_dictionaries({}, optional={name: JSON | st.sampled_from(["failed", "success"]) for name in NAMES})


@pytest.mark.parametrize(
    ("told", "run"),
    [
        ({"status": "success", "result": {"requestId": "r1"}}, Run("running", "r1")),
        ({"status": "success", "requestId": "r1"}, Run("running", "r1")),
        ({"status": "pending", "requestId": 17}, Run("running", "17")),
        ({"status": "SUCCESS", "result": {"answer": 42}}, Run("done")),
        ({"status": "error", "result": {"message": "no credits"}}, Run("failed", reason="no credits")),
        ({"status": "failed", "message": "boom"}, Run("failed", reason="boom")),
        ({"status": "error", "nodes": [{"nodeName": "A", "status": "success"},
                                       {"nodeName": "B", "status": "failed", "output": {"error": "bad key"}}]},
         Run("failed", node="B", reason="bad key")),
        ({"status": "error", "nodes": [{"nodeId": "n2", "status": "error"}], "message": "boom"},
         Run("failed", node="n2", reason="boom")),
        ({"status": "hibernating"}, Run("hibernating")),
        ({"status": None}, None),
        ({"result": {}}, None),
        ("success", None),
        (None, None),
    ],
)  # fmt: skip
def test_a_run_is_told_by_its_status(told: Any, run: Run | None) -> None:
    assert run_of(told) == run


def test_a_run_that_is_looked_at_has_ended_when_it_says_so_and_keeps_its_id() -> None:
    assert run_of({"status": "success", "output": {}}, "r1") == Run("done", "r1")
    assert run_of({"status": "success", "requestId": "r1"}, "r1") == Run("done", "r1")


@given(RUNS | JSON)
def test_whatever_is_told_a_run_has_ended_only_by_a_word_that_says_so(told: Any) -> None:
    run = run_of(told)
    if run is not None and run.ended:
        assert told["status"].strip().lower() in ("success", "completed", "error", "failed")


def options(**more: Any) -> FlowPlatformDestinationOptions:
    data = {"connector": "flow_platform", "connection": "p", "workflow": "w", **more}
    return FlowPlatformDestinationOptions.model_validate(data)


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"mode": "update"}, "possible are create, upsert"),
        ({"deletes": "archive"}, "possible are ignore, delete"),
        ({"deletes": "delete"}, "needs `delete_workflow`"),
        ({"payload": "{record.email}"}, "write an object"),
        ({"payload": {"x": "{recrod}"}}, "is not a placeholder"),
        ({"workflow": ""}, "workflow"),
        ({"fallback_keys": [["email"]]}, "no `fallback_keys`"),
    ],
)
def test_a_destination_that_could_not_work_is_refused(declared: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        options(**declared)


def test_what_is_in_doubt_after_a_crash_is_said_before() -> None:
    assert "held for a person" in options().advice()[0]
    assert options(mode="upsert", key="email").advice() == ()
