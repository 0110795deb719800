from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.connectors.cursor import canonical, minus, native, timestamp_text


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00+00:00",
        "2026-01-01 00:00:00",
        "2026-01-01T02:00:00+02:00",
        "2025-12-31T19:00:00-05:00",
        "2026-01-01",
        datetime(2026, 1, 1),
        datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))),
        date(2026, 1, 1),
        1767225600,
        1767225600.0,
        Decimal("1767225600.0"),
        1767225600000,
        "1767225600",
        "1767225600000",
    ],
)
def test_one_instant_has_one_text_however_it_is_written(value: object) -> None:
    assert canonical(value, "timestamp") == "2026-01-01T00:00:00.000000Z"


@pytest.mark.parametrize("kind", ["timestamp", "integer", "text"])
@pytest.mark.parametrize("value", [None, ""])
def test_an_absent_value_has_no_text(value: object, kind: str) -> None:
    assert canonical(value, kind) is None


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("soon", "timestamp"),
        ("2026-02-30", "timestamp"),
        (True, "timestamp"),
        ([], "timestamp"),
        (float("nan"), "timestamp"),
        (Decimal("NaN"), "timestamp"),
        (Decimal("sNaN"), "timestamp"),
        (Decimal("1.5"), "integer"),
        (Decimal("sNaN"), "integer"),
        (Decimal("1e30"), "integer"),
        (float("inf"), "timestamp"),
        (10**400, "timestamp"),
        ("0001-01-01T00:00:00+05:00", "timestamp"),
        ("9999-12-31T23:59:59-05:00", "timestamp"),
        (True, "integer"),
        (1.5, "integer"),
        ("one", "integer"),
        (10**24, "integer"),
        (-(10**24), "integer"),
    ],
)
def test_what_is_not_of_the_kind_is_a_value_error(value: object, kind: str) -> None:
    with pytest.raises(ValueError):
        canonical(value, kind)


aware = st.datetimes(
    min_value=datetime(1, 1, 3),
    max_value=datetime(9999, 12, 29),
    timezones=st.timezones(),
)


@given(aware, aware)
def test_texts_of_timestamps_sort_as_the_timestamps(one: datetime, other: datetime) -> None:
    # Compared in UTC: of two equal wall times in one zone Python ignores which is the later one.
    one, other = one.astimezone(UTC), other.astimezone(UTC)
    assert (timestamp_text(one) < timestamp_text(other)) == (one < other)


@given(aware)
def test_a_timestamp_comes_back_from_its_text(moment: datetime) -> None:
    assert native(timestamp_text(moment), "timestamp") == moment.astimezone(UTC)


integers = st.integers(min_value=-(10**24) + 1, max_value=10**24 - 1)


@given(integers, integers)
def test_texts_of_integers_sort_as_the_integers(one: int, other: int) -> None:
    first, second = canonical(one, "integer"), canonical(str(other), "integer")
    assert first is not None
    assert second is not None
    assert (first < second) == (one < other)
    assert native(first, "integer") == one
    assert canonical(Decimal(one), "integer") == first


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.datetimes(), st.lists(st.none())))
def test_any_value_has_a_text_or_is_a_value_error(value: object) -> None:
    for kind in ("timestamp", "integer", "text"):
        try:
            text = canonical(value, kind)
        except ValueError:
            continue
        assert text is None or isinstance(text, str)


def test_a_lookback_moves_a_timestamp_and_nothing_else() -> None:
    five = timedelta(minutes=5)
    assert minus("2026-01-01T00:00:00.000000Z", "timestamp", five) == "2025-12-31T23:55:00.000000Z"
    assert minus("0001-01-01T00:00:00.000000Z", "timestamp", five) == "0001-01-01T00:00:00.000000Z"
    seven = canonical(7, "integer")
    assert seven is not None
    assert minus(seven, "integer", five) == seven
    assert minus("b", "text", five) == "b"
