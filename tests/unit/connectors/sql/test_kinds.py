"""Each kind of column: what it takes, in which form, and what it refuses."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_flux.connectors.sql.kinds.base import Kind, Refused
from airflow_provider_flux.connectors.sql.kinds.moments import Day, Timestamp
from airflow_provider_flux.connectors.sql.kinds.nested import Array, Json
from airflow_provider_flux.connectors.sql.kinds.numeric import Boolean, Float, Integer, Number
from airflow_provider_flux.connectors.sql.kinds.text import Anything, Binary, Choice, Text, Uuid

INT = Integer(-(2**31), 2**31 - 1)
NUMBER = UUID("0b7a1e3c-0000-4000-8000-000000000001")


@pytest.mark.parametrize(
    ("kind", "value", "sent"),
    [
        (INT, " 42 ", 42),
        (INT, 42.0, 42),
        (INT, "4.2e1", 42),
        (INT, True, 1),
        (INT, Decimal("42.000"), 42),
        (Number("copy", 5, 2), "1.10", "1.10"),
        (Number("copy", 30, 0), "9" * 30, "9" * 30),
        (Number("native", 5, 2), "1.10", Decimal("1.10")),
        (Number("sqlite", None, None), 2**70, str(2**70)),
        (Float(), "1.5", 1.5),
        (Float(), Decimal("0.1"), 0.1),
        (Boolean(), "Yes", True),
        (Boolean(), 0, False),
        (Text(), 42, "42"),
        (Text(), True, "true"),
        (Text(), Decimal("1.10"), "1.10"),
        (Text(), datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00+00:00"),
        (Text(3), "äöü", "äöü"),
        (Uuid("copy"), str(NUMBER).upper(), str(NUMBER)),
        (Uuid("native"), f"{{{NUMBER}}}", NUMBER),
        (Binary("copy"), "AP8=", "\\x00ff"),
        (Binary("sqlite"), b"\x00\xff", b"\x00\xff"),
        (Anything("sqlite"), 42, 42),
        (Anything("copy"), 42, "42"),
        (Timestamp("sqlite", zone=False), "2026-01-01T12:00:00+02:00", "2026-01-01 10:00:00.000000"),
        (Timestamp("copy", zone=False), "2026-01-01T12:00:00+02:00", "2026-01-01T10:00:00"),
        (Timestamp("copy", zone=True), "2026-01-01 10:00:00", "2026-01-01T10:00:00+00:00"),
        (Timestamp("native", zone=True), "2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)),
        (Day("copy"), "2026-01-01T23:00:00-05:00", "2026-01-02"),
        (Day("native"), "2026-01-01", date(2026, 1, 1)),
        (Json("copy"), {"a": "é"}, '{"a": "é"}'),
        (Json("native"), [1], [1]),
        (Json("sqlite"), "text", '"text"'),
        (Array("copy"), ["a", None, ['"', "\\"], {"x": 1}], '{"a",NULL,{"\\"","\\\\"},"{\\"x\\": 1}"}'),
        (Array("native"), (1, 2), [1, 2]),
    ],
)
def test_what_a_column_takes_and_what_is_sent(kind: Kind, value: Any, sent: Any) -> None:
    found = kind.one(value)
    assert (found, type(found)) == (sent, type(sent))


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        (INT, "n/a", "INVALID_FORMAT"),
        (INT, "", "INVALID_FORMAT"),
        (INT, 1.5, "INVALID_FORMAT"),
        (INT, "١", "INVALID_FORMAT"),
        (INT, "1_000", "INVALID_FORMAT"),
        (INT, [1], "INVALID_FORMAT"),
        (INT, 2**31, "VALUE_OUT_OF_RANGE"),
        (INT, "1e9999", "VALUE_OUT_OF_RANGE"),
        (INT, float("nan"), "INVALID_ENCODING"),
        (Number("copy", 5, 2), 1000, "VALUE_OUT_OF_RANGE"),
        (Number("copy", None, None), "NaN", "INVALID_FORMAT"),
        (Number("copy", None, None), Decimal("NaN"), "INVALID_ENCODING"),
        (Number("sqlite", None, None), "1e999", "VALUE_OUT_OF_RANGE"),
        (Float(), "1e999", "VALUE_OUT_OF_RANGE"),
        (Float(), Decimal("sNaN"), "INVALID_ENCODING"),
        (Float(), math.inf, "INVALID_ENCODING"),
        (Boolean(), 2, "INVALID_FORMAT"),
        (Boolean(), 1.0, "INVALID_FORMAT"),
        (Text(), {}, "INVALID_FORMAT"),
        (Text(), "\x00", "INVALID_ENCODING"),
        (Text(), "\udc00", "INVALID_ENCODING"),
        (Text(2), "abc", "VALUE_TOO_LONG"),
        (Choice(["a", "b"]), "c", "INVALID_FORMAT"),
        (Uuid("copy"), "0b7a", "INVALID_FORMAT"),
        (Binary("copy"), "not base64", "INVALID_FORMAT"),
        (Binary("copy"), 7, "INVALID_FORMAT"),
        (Anything("sqlite"), 2**63, "VALUE_OUT_OF_RANGE"),
        (Anything("copy"), {"a": 1}, "INVALID_FORMAT"),
        (Timestamp("copy", zone=True), "01/02/2026", "INVALID_FORMAT"),
        (Timestamp("copy", zone=True), 1767225600, "INVALID_FORMAT"),
        (Timestamp("copy", zone=True), "0001-01-01T00:00:00+05:00", "VALUE_OUT_OF_RANGE"),
        (Day("copy"), "2026-02-30", "INVALID_FORMAT"),
        (Json("copy"), {"a": math.nan}, "INVALID_ENCODING"),
        (Json("copy"), ["\x00"], "INVALID_ENCODING"),
        (Json("copy"), ["\ud800"], "INVALID_ENCODING"),
        (Json("copy"), {"a": object()}, "INVALID_FORMAT"),
        (Array("copy"), "a", "INVALID_FORMAT"),
        (Array("copy"), ["\x00"], "INVALID_ENCODING"),
    ],
)
def test_what_a_column_refuses(kind: Kind, value: Any, code: str) -> None:
    with pytest.raises(Refused) as caught:
        kind.one(value)
    assert caught.value.code == code
    assert not kind.fits({type(value)}, [value])


def test_a_number_that_python_refuses_to_print() -> None:
    for kind, code in [(INT, "VALUE_OUT_OF_RANGE"), (Text(), "VALUE_OUT_OF_RANGE"), (Boolean(), "INVALID_FORMAT")]:
        with pytest.raises(Refused) as caught:
            kind.one(10**5000)
        assert caught.value.code == code
        assert "too large to show" in caught.value.message


KINDS = [
    INT,
    *(Number(wire, 12, 2) for wire in ("copy", "sqlite", "native")),
    Float(),
    Boolean(),
    Text(),
    Text(5),
    Choice(["a", "b"]),
    Uuid("copy"),
    Binary("copy"),
    Json("copy"),
    Array("copy"),
    *(Anything(wire) for wire in ("copy", "sqlite", "native")),
    *(Timestamp(wire, zone=zone) for wire in ("copy", "sqlite", "native") for zone in (True, False)),
    *(Day(wire) for wire in ("copy", "sqlite", "native")),
]

moments = st.datetimes().map(lambda moment: moment.replace(tzinfo=timezone(timedelta(hours=2))))
scalars = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["2026-01-01", "2026-01-01T10:00:00Z", "2026-W01-1T10:00:00Z", "2026-02-30T10:00:00Z", "1", "t"]),
    st.integers(),
    st.integers(min_value=-(10**400), max_value=10**400),
    st.floats(),
    st.booleans(),
    st.decimals(),
    st.uuids(),
    st.binary(max_size=4),
    st.dates(),
    moments,
    moments.map(datetime.isoformat),
)
nested = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("a"), inner), max_leaves=3
)
values = scalars | nested


@settings(deadline=None)
@given(st.lists(values, min_size=1, max_size=4))
def test_any_value_is_sent_or_refused_and_what_fits_is_never_refused(column: list[Any]) -> None:
    for kind in KINDS:
        fits = kind.fits(set(map(type, column)), column)
        refused = []
        for value in column:
            try:
                kind.one(value)
            except Refused as error:
                refused.append(error.code)
        assert not (fits and refused), f"{type(kind).__name__} takes {column!r} at a glance"
