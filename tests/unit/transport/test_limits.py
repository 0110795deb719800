"""Limits as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_flux.transport.limits import read_limits, spread
from airflow_provider_flux.transport.pace import Limit


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("100/10s", [(100, 10.0)]),
        ("5/s", [(5, 1.0)]),
        (" 2500 / 5 M ", [(2500, 300.0)]),
        ("1000/1h", [(1000, 3600.0)]),
        ("4/0.5s", [(4, 0.5)]),
        ("40/2s, 2500/5m", [(40, 2.0), (2500, 300.0)]),
        (["40/2s", "2500/5m"], [(40, 2.0), (2500, 300.0)]),
        ("none", []),
        ("None", []),
    ],
)
def test_a_limit_is_read(text: Any, limits: list[tuple[int, float]]) -> None:
    assert [(limit.calls, limit.seconds) for limit in read_limits(text)] == limits


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("100", "'100' is no limit; it must be calls/span, as 100/10s"),
        ("100/10", "is no limit"),
        ("100/10d", "is no limit"),
        ("-1/s", "is no limit"),
        ("0/10s", "allows no call"),
        ("5/0s", "the span must be between 0.01 seconds and an hour"),
        ("5/2h", "the span must be between 0.01 seconds and an hour"),
        ("5/s, none", "'none' is no limit"),
        ("5/s,", "'' is no limit"),
        (100, "must be calls/span"),
        ([], "must be calls/span"),
        ([5], "must be calls/span"),
        ({"calls": 5}, "must be calls/span"),
    ],
)
def test_what_is_no_limit_says_what_it_must_be(text: Any, why: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_limits(text)
    assert why in str(caught.value)


def test_limits_over_minutes_are_spread_so_that_no_call_waits_for_minutes() -> None:
    assert spread([Limit(2500, 300)]) == (Limit(2500, 300), Limit(250, 30))
    assert spread([Limit(100, 10), Limit(3, 600)]) == (Limit(100, 10), Limit(3, 600), Limit(1, 30))
    searches = Limit(600, 300, "per app", "/search")
    assert spread([searches]) == (searches, Limit(60, 30, "per app", "/search"))
    assert spread([Limit(100, 60), Limit(5000, 3600)]) == (Limit(100, 60), Limit(5000, 3600))
