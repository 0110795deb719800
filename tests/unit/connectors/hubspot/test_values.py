"""Values as HubSpot takes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_flux.connectors.hubspot.values import properties, text
from airflow_provider_flux.connectors.rest.placeholders import Unfit


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Ada", "Ada"),
        (None, ""),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (7.5, "7.5"),
        (Decimal("0.00000001"), "0.00000001"),
        (date(2026, 3, 1), "2026-03-01"),
        (datetime(2026, 3, 1, 12, 30, tzinfo=UTC), "2026-03-01T12:30:00.000Z"),
        (datetime(2026, 3, 1, 12, 30, tzinfo=timezone(timedelta(hours=2))), "2026-03-01T10:30:00.000Z"),
        (["de", 7], "de;7"),
        ([], ""),
    ],
)
def test_every_value_is_a_text(value: Any, expected: str) -> None:
    assert text("x", value) == expected


@pytest.mark.parametrize("value", [{"a": 1}, [{"a": 1}], [["a"]]])
def test_what_no_property_can_hold_is_refused_with_its_name(value: Any) -> None:
    with pytest.raises(Unfit) as caught:
        text("address", value)
    assert (caught.value.error.code, caught.value.error.field) == ("INVALID_FORMAT", "address")


def test_the_id_is_no_property() -> None:
    assert properties({"id": "7", "hs_object_id": "7", "email": "a@example.com"}) == {"email": "a@example.com"}
