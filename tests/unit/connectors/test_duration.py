from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.connectors.duration import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("1h", 3600), ("7d", 604_800), ("1.5h", 5400), (" 15 m ", 900), ("0s", 0), (0, 0)],
)
def test_a_duration_is_a_number_with_its_unit(text: object, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


def test_a_timedelta_stays_as_it_is() -> None:
    assert parse_duration(timedelta(days=2)) == timedelta(days=2)


@pytest.mark.parametrize("value", ["", "5", "m", "5 minutes", "-5m", "1h30m", 5, 1.5, None, True, False, ["5m"], {}])
def test_anything_else_is_refused_with_an_example(value: object) -> None:
    with pytest.raises(ValueError, match=r"15m"):
        parse_duration(value)


def test_a_duration_beyond_all_calendars_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        parse_duration("99999999999999d")


@given(st.text())
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    try:
        span = parse_duration(text)
    except ValueError:
        return
    assert span >= timedelta(0)
