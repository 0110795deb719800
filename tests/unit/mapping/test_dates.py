from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.mapping.transforms.base import Failure
from tests.unit.mapping.building import transform

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=OFFSETS))
def test_an_iso_timestamp_keeps_its_instant(moment: datetime) -> None:
    written = transform("date_iso")(moment.isoformat())
    assert written.endswith("Z")
    assert datetime.fromisoformat(written) == moment


@given(st.datetimes(timezones=st.just(UTC)), st.integers(0, 6))
def test_the_quick_way_for_utc_writes_what_the_long_way_writes(moment: datetime, digits: int) -> None:
    text = f"{moment:%m-%dT%H:%M:%S}"
    text = f"{moment.year:04}-{text}" + (f".{moment.microsecond:06}"[: digits + 1] if digits else "")
    assert transform("date_iso")(f"{text}Z") == transform("date_iso")(f" {text}+00:00")


@given(st.datetimes(min_value=datetime(1975, 1, 1), max_value=datetime(5000, 1, 1), timezones=st.just(UTC)))
def test_epochs_in_seconds_and_milliseconds_are_told_apart(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    seconds = int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    expected = moment.replace(tzinfo=None).isoformat() + "Z"
    for value in (seconds * 1000, f"{seconds * 1000}"):
        assert transform("date_iso")(value) == expected
    for value in (seconds, f"{seconds}", Decimal(seconds)):
        assert transform("date_iso")(value) == expected


@pytest.mark.parametrize(
    ("value", "arguments", "written"),
    [
        ("2024-05-01T10:00:00.5Z", {}, "2024-05-01T10:00:00.500000Z"),
        ("2024-05-01T10:00:00.000Z", {}, "2024-05-01T10:00:00Z"),
        ("2024-05-01T10:00:00.123456789Z", {}, "2024-05-01T10:00:00.123456Z"),
        ("20240501T100000Z", {}, "2024-05-01T10:00:00Z"),
        ("20240501", {}, "2024-05-01T00:00:00Z"),
        ("2024-05-01 10:00:00+0530", {}, "2024-05-01T04:30:00Z"),
        (date(2024, 5, 1), {}, "2024-05-01T00:00:00Z"),
        (datetime(2024, 5, 1, 10), {"timezone": "America/New_York"}, "2024-05-01T14:00:00Z"),
        ("2024-05-01T23:00:00Z", {"output": "date", "timezone": "Asia/Tokyo"}, "2024-05-02"),
        ("05/01/2024 01:30 PM", {"formats": ["%d.%m.%Y", "%m/%d/%Y %I:%M %p"]}, "2024-05-01T13:30:00Z"),
        ("01.02.2024", {"formats": ["%d.%m.%Y"]}, "2024-02-01T00:00:00Z"),
        (86_400, {"epoch": "s"}, "1970-01-02T00:00:00Z"),
        (86_400_000, {"epoch": "ms"}, "1970-01-02T00:00:00Z"),
        (-1, {"epoch": "s"}, "1969-12-31T23:59:59Z"),
        (1714557600.5, {}, "2024-05-01T10:00:00.500000Z"),
        ("  ", {}, None),
    ],
)
def test_forms_of_dates(value: Any, arguments: dict[str, Any], written: str | None) -> None:
    assert transform("date_iso", **arguments)(value) == written


@pytest.mark.parametrize(
    "value",
    [
        *(
            "tomorrow",
            "2024-13-01",
            "2024-02-30",
            "2024-05-01T25:00:00Z",
            "24-05-01",
            "05/01/2024",
            "202405",
            "2024-W18-3",
        ),
        *("2024-05-01x10:00", "２０２４-05-01", "0000-01-01", "0001-01-01T00:00:00+14:00", "9" * 17, "2024-05-01\x00"),
        *(True, float("nan"), Decimal("1E+999999"), 10**400, -(10**17), {}, ["2024-05-01"], b"2024-05-01"),
    ],
)
def test_what_is_not_a_date_is_refused(value: Any) -> None:
    with pytest.raises(Failure):
        transform("date_iso")(value)
