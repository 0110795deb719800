from __future__ import annotations

from typing import Any

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_flux.mapping.transforms.base import Failure
from airflow_provider_flux.mapping.transforms.email import _is_plain
from tests.unit.mapping.building import transform

LABELS = st.text(alphabet="abz09-_", min_size=1, max_size=70)
TOP = st.sampled_from(
    ["com", "de", "test", "local", "arpa", "invalid", "onion", "localhost", "c", "co2", "xn--p1ai", "com-"]
)
ADDRESSES = st.builds(
    lambda local, domain, top: f"{'.'.join(local)}@{'.'.join([*domain, top])}",
    st.lists(st.text(alphabet="abAZ09._+-'!é", min_size=1, max_size=20), min_size=1, max_size=3),
    st.lists(LABELS, max_size=3),
    TOP,
)


def by_library(address: str) -> str | None:
    try:
        return validate_email(address, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


@settings(max_examples=700, deadline=None)
@given(st.one_of(ADDRESSES, st.emails(), st.text(alphabet="ab.@-", max_size=15)))
def test_an_address_that_is_let_through_quickly_is_accepted_unchanged_by_the_library(address: str) -> None:
    if _is_plain(address):
        assert by_library(address) == address


@settings(max_examples=400, deadline=None)
@given(st.one_of(ADDRESSES, st.emails(), st.text(max_size=300)))
def test_the_verdict_is_the_library_s(address: str) -> None:
    try:
        verdict = transform("email")(address)
    except Failure:
        verdict = None
    assert verdict == (None if address.isspace() or not address else by_library(address))


@pytest.mark.parametrize("address", ["ada.king@mail.example.com", "x@y.de", "a+b_c-d@sub-domain.example.org"])
def test_common_addresses_are_let_through_quickly(address: str) -> None:
    assert _is_plain(address)


@pytest.mark.parametrize(
    "value",
    ["ada", "@", "ada@", "@x.com", "a b@x.com", "ada@x..com", "x" * 10_000 + "@x.com", "\ud800@x.com", 5, [], {}],
)
def test_what_is_not_an_address_is_refused(value: Any) -> None:
    with pytest.raises(Failure):
        transform("email")(value)
