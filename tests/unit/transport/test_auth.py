"""Credentials on their way into a request."""

from __future__ import annotations

import base64

import pytest

from airflow_provider_flux.transport.auth import api_key, basic, bearer


def test_basic_is_utf8() -> None:
    header = basic("jürgen", "pässwörd").signature.headers["Authorization"]
    assert base64.b64decode(header.removeprefix("Basic ")).decode() == "jürgen:pässwörd"


def test_an_api_key_goes_where_it_is_declared() -> None:
    assert api_key("abc").signature.headers == {"X-Api-Key": "abc"}
    assert api_key("abc", header="Authorization", prefix="Token ").signature.headers == {"Authorization": "Token abc"}
    assert api_key("a\nb", query="key").signature.params == {"key": "a\nb"}
    assert api_key("abc", query="key").signature.headers == {}


@pytest.mark.parametrize("secret", ["hidden-key\n", "hidden\r\nX-Evil: 1", "hïdden-key", " hidden-key"])
def test_a_key_that_a_header_cannot_hold_is_refused_without_showing_it(secret: str) -> None:
    for build in (bearer, api_key):
        with pytest.raises(ValueError) as caught:
            build(secret)
        assert "dden" not in str(caught.value)


def test_a_login_with_a_colon_is_refused() -> None:
    with pytest.raises(ValueError, match="colon"):
        basic("a:b", "c")


def test_secrets_are_not_in_the_repr() -> None:
    assert "sesame" not in repr(bearer("sesame")) + repr(basic("ali", "sesame")) + repr(api_key("sesame", query="k"))
