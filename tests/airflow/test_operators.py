"""How a stage's failure becomes Airflow's, and when Airflow tries again."""

from __future__ import annotations

import logging
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_flux.errors import ConfigError, FluxError, Problem
from airflow_provider_flux.operators.progress import Progress
from airflow_provider_flux.operators.retries import retry_arguments
from airflow_provider_flux.operators.run_context import check_conf, replay_order
from airflow_provider_flux.operators.stages import FluxReadOperator
from airflow_provider_flux.stages.context import ReplayOrder
from airflow_provider_flux.stages.trace import failure_text

AIRFLOW_3 = not version("apache-airflow").startswith("2.")
needs_policy = pytest.mark.skipif(not AIRFLOW_3, reason="retry policies exist from Airflow 3.3")


def _raised(error: FluxError) -> BaseException:
    """What a read task raises when its stage fails with `error`."""
    operator = FluxReadOperator(task_id="read", flow_id="contacts")
    with pytest.raises((FluxError, AirflowFailException)) as caught:
        operator._fail(error)
    return caught.value


def test_a_transient_failure_is_left_to_airflows_retries() -> None:
    error = FluxError("RATE_LIMIT_EXCEEDED", "crm.test answers 429", retry_after=90)
    assert _raised(error) is error


def test_a_permanent_failure_is_not_retried() -> None:
    raised = _raised(FluxError("AUTHENTICATION_FAILED", "crm.test answers 401"))
    assert isinstance(raised, AirflowFailException)
    assert str(raised) == "AUTHENTICATION_FAILED: crm.test answers 401"
    assert raised.__cause__ is None


def test_the_log_says_what_happened_why_and_what_to_do() -> None:
    error = FluxError("AUTHENTICATION_FAILED", "crm.test answers 401", next_step="Renew the key.", answer="bad key")
    assert failure_text("contacts", "read", error).splitlines() == [
        "read of flow contacts did not finish",
        "  failed in read: Authentication failed (AUTHENTICATION_FAILED)",
        "  what      crm.test answers 401",
        "  why       The key or token is wrong, expired, revoked, or not active yet.",
        "  next      Renew the key.",
        "            Check the health of the source connection first: `airflow-flux connectors list`.",
        "  answer    bad key",
    ]


def test_every_problem_of_a_flow_file_has_a_line_and_no_system_is_blamed() -> None:
    problems = [
        Problem("flows/a.yaml", 1, 1, "source", "is required"),
        Problem("flows/a.yaml", 2, 3, "x", "unknown key"),
    ]
    assert failure_text("a", "read", ConfigError(problems)).splitlines() == [
        "read of flow a did not finish",
        "  failed in read: Invalid configuration (CONFIG_INVALID)",
        "  what      flows/a.yaml:1:1: source: is required",
        "            flows/a.yaml:2:3: x: unknown key",
        "  why       A misspelt key or a value that is not allowed.",
        "  next      Run `airflow-flux check`; it names each problem with its file, line and column.",
    ]


def test_the_flow_of_an_operator_may_be_a_template() -> None:
    assert FluxReadOperator(task_id="read", flow_id="{{ params.flow }}").template_fields == ("flow_id",)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, None),
        ({"replay": None}, None),
        ({"replay": {"run": "manual__1"}}, ReplayOrder(run="manual__1")),
        ({"replay": {"errors": [3, 4], "by": "kim"}}, ReplayOrder(errors=(3, 4), by="kim")),
        ({"replay": {"due": True}}, ReplayOrder(due=True)),
    ],
)
def test_what_to_replay_is_a_parameter(params: dict[str, Any], expected: ReplayOrder | None) -> None:
    assert replay_order(params) == expected


@pytest.mark.parametrize("conf", [None, {}, {"replay": None}, {"replay": {"run": "a"}, "airflow/detail": 1}])
def test_a_run_may_be_started_with_what_we_know(conf: dict[str, Any] | None) -> None:
    check_conf(conf)


def test_a_run_that_was_started_with_something_else_is_refused() -> None:
    with pytest.raises(FluxError, match="started with `reply`, `window`") as caught:
        check_conf({"window": 1, "reply": {"run": "a"}})
    assert caught.value.code == "CONFIG_INVALID"


def test_progress_is_logged_now_and_then_and_not_for_every_batch(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter([0.0, 1.0, 5.0, 6.0, 12.0])
    monkeypatch.setattr("time.monotonic", lambda: next(seconds))
    with caplog.at_level(logging.INFO):
        progress = Progress(logging.getLogger("test").info)
        for records in (100, 5000, 6000, 12000):
            progress("read", records)
    assert caplog.messages == [
        "read: 5,000 records so far, 1,000 per second",
        "read: 12,000 records so far, 1,000 per second",
    ]


@needs_policy
@pytest.mark.parametrize(
    ("try_number", "max_tries", "seconds"),
    [(1, 3, 60), (2, 3, 300), (3, 3, 1800), (4, 3, 1800), (3, 5, 60), (4, 5, 300), (9, 11, 60)],
)
def test_delays_follow_the_ladder_and_start_again_after_a_clear(try_number: int, max_tries: int, seconds: int) -> None:
    """Airflow raises `max_tries` with a clear and goes on counting tries."""
    policy = retry_arguments((60, 300, 1800))["retry_policy"]
    decision = policy.evaluate(FluxError("SOURCE_OUTAGE", "down"), try_number, max_tries)
    assert (decision.action.value, decision.retry_delay) == ("retry", timedelta(seconds=seconds))
    assert decision.reason == "SOURCE_OUTAGE"


@needs_policy
def test_a_longer_wait_that_the_other_system_asks_for_is_kept() -> None:
    policy = retry_arguments((60,))["retry_policy"]
    for asked, waited in ((600, 600), (2, 60)):
        error = FluxError("RATE_LIMIT_EXCEEDED", "crm.test answers 429", retry_after=asked)
        assert policy.evaluate(error, 1, 1).retry_delay == timedelta(seconds=waited)


@needs_policy
def test_an_error_of_another_kind_is_retried_and_a_permanent_one_is_not() -> None:
    policy = retry_arguments((60, 300))["retry_policy"]
    assert policy.evaluate(KeyError("x"), 1, 2).retry_delay == timedelta(minutes=1)
    assert policy.evaluate(FluxError("NOT_FOUND", "no such table"), 1, 2).action.value == "fail"


@needs_policy
def test_the_policy_survives_serialisation() -> None:
    policy = retry_arguments((60, 300))["retry_policy"]
    assert type(policy).deserialize(policy.serialize()).delays == policy.delays


@pytest.mark.skipif(AIRFLOW_3, reason="the nearest that Airflow 2.11 can do")
def test_before_policies_delays_are_doubled_up_to_the_last() -> None:
    assert retry_arguments((60, 300, 1800)) == {
        "retries": 3,
        "retry_delay": timedelta(minutes=1),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=30),
    }


def test_a_process_that_was_killed_is_tried_again_after_the_first_delay() -> None:
    arguments = retry_arguments((5, 10))
    assert (arguments["retries"], arguments["retry_delay"]) == (2, timedelta(seconds=5))
