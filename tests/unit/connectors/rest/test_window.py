"""The window as parameters: rounded so that nothing is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.connectors.contract import Window
from airflow_provider_flux.connectors.cursor import canonical, timestamp_text
from airflow_provider_flux.connectors.rest.source_options import Incremental
from airflow_provider_flux.connectors.rest.window import window_parameters

START, END = "2026-03-01T10:00:00.250400Z", "2026-03-01T11:00:00.500001Z"


def parameters(start: str | None, end: str | None, kind: str = "timestamp", **declared: Any) -> dict[str, Any]:
    return window_parameters(Window(start, end), Incremental(param="since", until="until", **declared), kind)


@pytest.mark.parametrize(
    ("declared", "since", "until"),
    [
        ({}, "2026-03-01T10:00:00Z", "2026-03-01T11:00:01Z"),
        ({"format": "date"}, "2026-03-01", "2026-03-02"),
        ({"format": "epoch"}, 1772359200, 1772362801),
        ({"format": "epoch_ms"}, 1772359200250, 1772362800501),
        ({"exclusive": True}, "2026-03-01T09:59:59Z", "2026-03-01T11:00:01Z"),
        ({"format": "epoch_ms", "exclusive": True}, 1772359200249, 1772362800501),
    ],
)
def test_timestamps_are_rounded_outwards(declared: dict[str, Any], since: Any, until: Any) -> None:
    assert parameters(START, END, **declared) == {"since": since, "until": until}


def test_a_round_end_is_not_moved() -> None:
    assert parameters(None, "2026-03-01T11:00:00.000000Z") == {"until": "2026-03-01T11:00:00Z"}


def test_integers_and_texts_go_as_they_are() -> None:
    assert parameters(canonical(41, "integer"), canonical(50, "integer"), "integer") == {"since": 41, "until": 50}
    assert parameters(canonical(41, "integer"), None, "integer", exclusive=True) == {"since": 40}
    assert parameters("b", "d", "text") == {"since": "b", "until": "d"}


def test_open_ends_and_no_declaration_send_nothing() -> None:
    assert parameters(None, None) == {}
    assert window_parameters(Window(START, END), None, "timestamp") == {}
    assert window_parameters(Window(START, END), Incremental(param="since"), "timestamp") == {
        "since": "2026-03-01T10:00:00Z"
    }


def test_the_beginning_of_time_has_nothing_before_it() -> None:
    start = timestamp_text(datetime(1, 1, 1, tzinfo=UTC))
    assert parameters(start, None, exclusive=True) == {"since": "0001-01-01T00:00:00Z"}


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)),
    st.sampled_from(["iso", "date", "epoch", "epoch_ms"]),
    st.booleans(),
)
def test_what_is_sent_never_begins_after_the_window(moment: datetime, form: str, exclusive: bool) -> None:
    moment = moment.replace(tzinfo=UTC)
    sent = parameters(timestamp_text(moment), timestamp_text(moment), format=form, exclusive=exclusive)
    begin, end = _read(sent["since"], form), _read(sent["until"], form)
    assert begin < moment if exclusive else begin <= moment
    assert end >= moment
    assert end - begin <= timedelta(days=2)


def _read(value: Any, form: str) -> datetime:
    if form in ("iso", "date"):
        read = datetime.fromisoformat(value)
        return read if read.tzinfo else read.replace(tzinfo=UTC)
    seconds, milliseconds = (value, 0) if form == "epoch" else divmod(value, 1000)
    return datetime.fromtimestamp(seconds, UTC) + timedelta(milliseconds=milliseconds)
