"""Secrets in every form in which they could leave."""

from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_flux.transport.auth import basic
from airflow_provider_flux.transport.masking import Masker, is_secret_name

SECRET = 'p/w "1+ä'


@pytest.mark.parametrize("form", [SECRET, quote(SECRET, safe=""), quote_plus(SECRET), json.dumps({"k": SECRET})])
def test_a_secret_is_masked_in_plain_text_urls_and_json(form: str) -> None:
    masked = Masker([SECRET])(f"before {form} after")
    assert "***" in masked
    assert "1+" not in masked
    assert "1%2B" not in masked


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert Masker(["abc", "abcdef"])("abcdef abc") == "*** ***"


def test_the_encoded_pair_of_basic_is_a_secret_too() -> None:
    login = basic("ali", "sesame")
    assert Masker(login.signature.secrets)(login.signature.headers["Authorization"]) == "Basic ***"


def test_without_secrets_nothing_changes() -> None:
    assert Masker(["", "ab"])("ab text") == "ab text"


@given(st.text(min_size=3), st.text(), st.text())
def test_no_secret_of_three_characters_survives(secret: str, before: str, after: str) -> None:
    masked = Masker([secret])(f"{before}{secret}{after}")
    assert secret not in masked.replace("***", "") or secret in f"{before}{after}".replace("***", "") + "***"


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key", "cookie", "X-Auth-Token", "client_secret"])
def test_names_that_carry_secrets(name: str) -> None:
    assert is_secret_name(name)
    assert not is_secret_name("X-Request-Id")
