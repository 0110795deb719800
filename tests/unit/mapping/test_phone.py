from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_flux.mapping.countries import COUNTRIES
from airflow_provider_flux.mapping.engine import compile_mapping
from airflow_provider_flux.mapping.spec import MappingFile
from airflow_provider_flux.mapping.transforms.base import Failure
from airflow_provider_flux.mapping.transforms.phone_quick import QuickReader
from tests.unit.mapping.building import mapping, transform

REGIONS = sorted(COUNTRIES)
READERS = {region: QuickReader(region) for region in [*REGIONS, None]}
KNOWN = [
    (region, number)
    for region in REGIONS
    for kind in range(11)
    if (number := phonenumbers.example_number_for_type(region, kind)) is not None
]


def by_library(text: str, country: str | None) -> str | None:
    """The library's verdict; None for a number that it refuses or cannot write without loss."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@st.composite
def written_numbers(draw: st.DrawFn) -> tuple[str, str | None]:
    """Numbers near those that are in use in some country, in the ways in which people write them."""
    region, number = draw(st.sampled_from(KNOWN))
    digits = list(phonenumbers.national_significant_number(number))
    for _ in range(draw(st.integers(0, 3))):
        digits[draw(st.integers(0, len(digits) - 1))] = draw(st.sampled_from("0123456789"))
    code = number.country_code
    prefix = draw(st.sampled_from(["", "", f"+{code}", f"+{code}", "0", "1", "00", f"00{code}", str(code), "+", "+0"]))
    text = prefix + "".join(digits) + draw(st.sampled_from(["", "", "", "0", "99"]))
    separated = "".join(
        character + draw(st.sampled_from(["", "", "", " ", "-", ".", "(", ") ", "/"])) for character in text[:-1]
    )
    return separated + text[-1], draw(st.sampled_from([region, region, region, None, "US", "CA", "GB", "AR"]))


@settings(max_examples=700, deadline=None)
@given(written_numbers())
def test_the_quick_reader_never_disagrees_with_the_library(case: tuple[str, str | None]) -> None:
    text, country = case
    quick = READERS[country].read(text)
    assert quick is None or quick == by_library(text, country)


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="+0123456789 ().-", max_size=20), st.sampled_from([*REGIONS, None]))
def test_the_quick_reader_never_disagrees_on_random_digits(text: str, country: str | None) -> None:
    quick = READERS[country].read(text)
    assert quick is None or quick == by_library(text, country)


@pytest.mark.parametrize(
    "text", ["(415) 555-2671", "415.555.2671", "+1 415 555 2671", "+442079460958", "+49 30 901820"]
)
def test_common_numbers_are_read_quickly(text: str) -> None:
    assert READERS["US"].read(text) == by_library(text, "US") is not None


@settings(max_examples=300, deadline=None)
@given(written_numbers())
def test_the_verdict_is_the_library_s(case: tuple[str, str | None]) -> None:
    text, country = case
    try:
        verdict = transform("phone_e164", country=country)(text)
    except Failure:
        verdict = None
    assert verdict == by_library(text, country)


def test_the_verdict_is_the_library_s_on_200000_numbers_of_30_countries() -> None:
    chance = random.Random(7)
    quickly = 0
    others = sorted(phonenumbers.SUPPORTED_REGIONS - {"US", "GB", "DE"})
    for region in ["US", "GB", "DE", *chance.sample(others, 27)]:
        example = phonenumbers.example_number(region)
        length = len(str(example.national_number)) if example is not None else 9
        for _ in range(200_000 // 30 + 1):
            text = _written(chance, example, length)
            quick = READERS[region].read(text)
            quickly += quick is not None
            # Where the reader has no verdict the library decides: there is nothing to compare.
            assert quick is None or quick == by_library(text, region), (text, region)
    assert quickly > 20_000


def _written(chance: random.Random, example: phonenumbers.PhoneNumber | None, length: int) -> str:
    """A number near the numbers of a region, in one of the ways in which people write them."""
    digits = str(example.national_number) if example is not None and chance.random() < 0.7 else ""
    digits = digits[: chance.randint(2, 6)] if digits else ""
    while len(digits) < length + chance.choice((0, 0, 0, 0, -1, 1)):
        digits += chance.choice("0123456789")
    code = f"+{example.country_code}" if example is not None and chance.random() < 0.4 else ""
    at = chance.randint(2, 4)
    style = chance.choice(("{a}{b}", "{a} {b}", "({a}) {b}", "{a}-{b}", "{a}.{b}", "0{a} {b}"))
    return f"{code} {style.format(a=digits[:at], b=digits[at:])}".strip()


@settings(deadline=None)
@given(
    st.one_of(st.text(), st.integers(), st.floats(), st.decimals(), st.binary(), st.booleans(), st.lists(st.integers()))
)
def test_any_value_is_a_number_or_refused(value: Any) -> None:
    try:
        number = transform("phone_e164", country="US")(value)
    except Failure:
        return
    assert number is None or phonenumbers.is_valid_number(phonenumbers.parse(number))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("1-800-FLOWERS", "holds letters"),
        ("call me", "holds letters"),
        ("415-555-2671 ext. 5", "holds letters"),
        ("415-555-2671é", "holds letters"),
        ("+1 415 555 267", "too few digits"),
        ("+1 415 555 2671 2671", "too many digits"),
        ("+999 123456", "country code that does not exist"),
        ("---", "is not a phone number"),
        ("4" * 300, "longer than any"),
        (4155552671.0, "cannot be a phone number"),
        (Decimal("0.5"), "cannot be a phone number"),
        (Decimal("NaN"), "not a finite number"),
        (-4155552671, "cannot be a phone number"),
        (10**4000, "cannot be a phone number"),
        (True, "is a boolean"),
    ],
)
def test_a_refused_number_says_why(value: Any, says: str) -> None:
    with pytest.raises(Failure, match=says):
        transform("phone_e164", country="US")(value)


def test_whole_numbers_are_read_as_their_digits() -> None:
    assert transform("phone_e164", country="US")(Decimal("4155552671")) == "+14155552671"


def test_the_list_of_countries_is_that_of_the_library() -> None:
    assert COUNTRIES == phonenumbers.SUPPORTED_REGIONS


RULE = {"from": "phone", "to": "phone", "transforms": [{"phone_e164": {"country": "US", "country_from": "a.country"}}]}


@pytest.mark.parametrize(
    ("country", "text", "expected"),
    [
        ("GB", "020 7946 0958", "+442079460958"),
        ("united kingdom", "020 7946 0958", "+442079460958"),
        (" Germany ", "030 901820", "+4930901820"),
        (None, "415 555 2671", "+14155552671"),
        (None, "020 7946 0958", None),
    ],
)
def test_the_record_may_name_the_country(country: str | None, text: str, expected: str | None) -> None:
    assert mapping(RULE).source_paths == {"phone", "a.country"}
    values, errors = mapping(RULE).apply({"phone": text, "a": {"country": country}})
    assert (None if errors else values["phone"]) == expected


@pytest.mark.parametrize("country", ["Atlantis", 49, ["GB"]])
def test_a_country_that_the_record_misspells_fails_the_record(country: Any) -> None:
    _, errors = mapping(RULE).apply({"phone": "020 7946 0958", "a": {"country": country}})
    assert [error.message for error in errors] == ["`a.country` names no country that has phone numbers."]
    assert errors[0].value == "020 7946 0958"


def test_each_number_of_a_list_is_read_in_the_country_of_the_record() -> None:
    rule = {"from": "phones[*]", "to": "phones", "transforms": [{"phone_e164": {"country_from": "country"}}]}
    values, errors = mapping(rule).apply({"phones": ["020 7946 0958", None, "+1 415 555 2671"], "country": "GB"})
    assert (values["phones"], errors) == (["+442079460958", None, "+14155552671"], [])


@pytest.mark.parametrize(("own", "text"), [(None, "020 7946 0958"), ("DE", "030 901820")])
def test_the_country_of_the_flow_holds_where_the_rule_names_none(own: str | None, text: str) -> None:
    arguments = {} if own is None else {"country": own}
    rule = {"from": "phone", "to": "phone", "transforms": ["trim", {"phone_e164": arguments}]}
    spec = MappingFile.model_validate({"rules": [rule]})
    values, errors = compile_mapping(spec, "m", 1, country="GB").apply({"phone": text})
    assert (values["phone"][:3], errors) == ("+44" if own is None else "+49", [])
