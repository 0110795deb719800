"""The fate of a failed record, and when it is tried again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.errors import CATALOGUE, Disposition
from airflow_provider_flux.flow.models import ErrorPolicy
from airflow_provider_flux.stages.strategy import Decision, decide

CODES = sorted(CATALOGUE)
TRANSIENT = [code for code in CODES if CATALOGUE[code].disposition is Disposition.RETRY]
LASTING = [code for code in CODES if CATALOGUE[code].disposition in (Disposition.FIX, Disposition.STOP)]

OPEN, HELD = Decision("failed", "open"), Decision("held", "held")


def _policy(**said: object) -> ErrorPolicy:
    return ErrorPolicy.model_validate(said)


@pytest.mark.parametrize("code", TRANSIENT)
def test_a_transient_error_is_tried_again_after_1_5_and_30_minutes_and_then_never(code: str) -> None:
    policy = _policy(strategy="retry")
    waits = [decide(policy, code, rung) for rung in range(4)]
    assert [decision.due_in for decision in waits] == [
        timedelta(minutes=1),
        timedelta(minutes=5),
        timedelta(minutes=30),
        None,
    ]
    assert [decision.state for decision in waits] == ["retrying", "retrying", "retrying", "open"]
    assert {decision.bucket for decision in waits} == {"failed"}


@given(st.sampled_from(LASTING), st.sampled_from(["skip", "retry", "fail_fast"]), st.integers(0, 20))
def test_no_machine_tries_a_lasting_error_again(code: str, strategy: str, rung: int) -> None:
    assert decide(_policy(strategy=strategy), code, rung) == OPEN


@given(st.sampled_from(CODES), st.integers(0, 20))
def test_review_holds_whatever_failed(code: str, rung: int) -> None:
    assert decide(_policy(strategy="review"), code, rung) == HELD


@given(st.sampled_from(["skip", "retry", "fail_fast", "review"]), st.integers(0, 20))
def test_what_may_be_stored_already_is_held_under_every_strategy(strategy: str, rung: int) -> None:
    assert decide(_policy(strategy=strategy), "OUTCOME_UNKNOWN", rung) == HELD


@given(
    st.sampled_from(TRANSIENT),
    st.integers(1, 10),
    st.lists(st.integers(1, 3600), min_size=1, max_size=5),
)
def test_the_ladder_ends_after_as_many_retries_as_the_flow_says(code: str, most: int, delays: list[int]) -> None:
    policy = _policy(strategy="retry", retry={"max": most, "delay": [f"{seconds}s" for seconds in delays]})
    waits = [decide(policy, code, rung).due_in for rung in range(most + 3)]
    assert waits[most:] == [None] * 3
    expected = [*delays, *[delays[-1]] * most][:most]
    assert waits[:most] == [timedelta(seconds=seconds) for seconds in expected]


def test_the_strategy_of_a_code_goes_before_that_of_the_flow() -> None:
    policy = _policy(strategy="review", codes={"RATE_LIMIT_EXCEEDED": "retry", "INVALID_EMAIL": "skip"})
    assert decide(policy, "RATE_LIMIT_EXCEEDED", 0).state == "retrying"
    assert decide(policy, "INVALID_EMAIL", 0) == OPEN
    assert decide(policy, "KEY_MISSING", 0) == HELD
