from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.mapping.transforms import REGISTRY
from airflow_provider_flux.mapping.transforms.address import PARTS
from airflow_provider_flux.mapping.transforms.base import Failure
from airflow_provider_flux.mapping.transforms.postal import country, country_codes

ADDRESSES = [
    ("10 Downing Street, London SW1A 2AA, UK", None, ("10 Downing Street", "London", None, "SW1A 2AA", "GB")),
    ("10 Downing Street, London, SW1A 2AA", "GB", ("10 Downing Street", "London", None, "SW1A 2AA", "GB")),
    ("24 Sussex Drive, Ottawa, ON K1M 1M4, Canada", None, ("24 Sussex Drive", "Ottawa", "ON", "K1M 1M4", "CA")),
    ("1 George St, Sydney NSW 2000", "AU", ("1 George St", "Sydney", "NSW", "2000", "AU")),
    ("12345 Main St, Springfield", "US", ("12345 Main St", "Springfield", None, None, "US")),
    ("Suite 5, 1 Main St, St. Paul, Minnesota, 55101", "US", ("Suite 5, 1 Main St", "St. Paul", "MN", "55101", "US")),
    ("Bahnhofstrasse 1, CH-8001 Zürich, Schweiz", None, ("Bahnhofstrasse 1", "Zürich", None, "CH-8001", "CH")),
    ("Via Roma 1, 00184 Roma RM, Italy", None, ("Via Roma 1", "Roma", "RM", "00184", "IT")),
]


def parse(part: str, text: Any, **arguments: Any) -> Any:
    declared = REGISTRY[f"address_parse_{part}"]
    return declared.build(declared.arguments.model_validate(arguments))(text)


@pytest.mark.parametrize(("text", "default", "expected"), ADDRESSES)
def test_an_address_is_taken_apart(text: str, default: str | None, expected: tuple[str | None, ...]) -> None:
    assert tuple(parse(part, text, country=default) for part in PARTS) == expected


@pytest.mark.parametrize(
    ("text", "default", "reason"),
    [("1 Main St, Springfield", None, "names no country"), ("1 Main St Springfield 12345", "US", "told apart")],
)
def test_what_is_in_doubt_is_refused(text: str, default: str | None, reason: str) -> None:
    with pytest.raises(Failure, match=reason):
        parse("city", text, country=default)


def test_a_part_of_an_object_needs_no_parsing() -> None:
    hubspot = {"address": "1 Main St", "address2": "Floor 2", "zip": 12345, "city": " Rome ", "state": None}
    assert [parse(part, hubspot) for part in PARTS] == ["1 Main St, Floor 2", "Rome", None, "12345", None]


@pytest.mark.parametrize("code", ["US", "CA", "AU", "IT"])
def test_what_was_written_in_one_line_can_be_taken_apart_again(code: str) -> None:
    state = next(iter(country(code).states.values()))
    zips = {"US": "10118", "CA": "K1M 1M4", "AU": "2000", "IT": "00184"}
    address = {"street": "1 Main St", "city": "Xville", "state": state, "postal_code": zips[code], "country": code}
    declared = REGISTRY["address_single_line"]
    line = declared.build(declared.arguments())(address)
    assert {part: parse(part, line) for part in PARTS} == address


@given(
    st.text(max_size=60) | st.sampled_from(sorted(country_codes())),
    st.sampled_from(sorted(set(country_codes().values()))),
)
def test_any_text_in_any_country_gives_a_part_or_a_reason(text: str, code: str) -> None:
    for part in PARTS:
        try:
            value = parse(part, text, country=code)
        except Failure as failure:
            assert failure.message
        else:
            assert value is None or isinstance(value, str)


@pytest.mark.parametrize("code", ["UK", "us", "XX", "Germany", "../us"])
def test_a_country_that_is_not_known_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="not a country code"):
        parse("city", "x", country=code)
