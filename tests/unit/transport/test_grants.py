"""What a client sends to a token server, as RFC 6749 writes it, and what of it must not be shown."""

from __future__ import annotations

import base64
from urllib.parse import parse_qsl

import pytest

from airflow_provider_flux.transport.grants import (
    AuthorizationCode,
    ClientCredentials,
    Grant,
    OAuthClient,
    RefreshToken,
)

FORM = "grant_type=client_credentials"
BACK = "http://127.0.0.1:8765/callback"


def test_a_client_says_who_it_is_in_the_body_or_in_the_header() -> None:
    headers, body = OAuthClient("app", "s3cret & more", "body").request(FORM)
    assert dict(parse_qsl(body)) == {
        "grant_type": "client_credentials", "client_id": "app", "client_secret": "s3cret & more"
    }  # fmt: skip
    assert headers == {"Content-Type": "application/x-www-form-urlencoded"}
    headers, body = OAuthClient("app", "s3cret", "header").request(FORM)
    assert body == FORM
    assert headers["Authorization"] == f"Basic {base64.b64encode(b'app:s3cret').decode()}"


def test_a_client_without_a_secret_only_says_its_id() -> None:
    headers, body = OAuthClient("app", None, "header").request(FORM)
    assert dict(parse_qsl(body)) == {"grant_type": "client_credentials", "client_id": "app"}
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("grant", "form"),
    [
        (ClientCredentials(), {"grant_type": "client_credentials"}),
        (
            ClientCredentials(("a", "b"), "https://api.test"),
            {"grant_type": "client_credentials", "scope": "a b", "audience": "https://api.test"},
        ),
        (RefreshToken("the first"), {"grant_type": "refresh_token", "refresh_token": "the last"}),
        (
            AuthorizationCode("the code", BACK),
            {"grant_type": "authorization_code", "code": "the code", "redirect_uri": BACK},
        ),
        (
            AuthorizationCode("c", BACK, "proof"),
            {"grant_type": "authorization_code", "code": "c", "redirect_uri": BACK, "code_verifier": "proof"},
        ),
    ],
)
def test_a_grant_is_written_as_its_rfc_says(grant: Grant, form: dict[str, str]) -> None:
    assert dict(parse_qsl(grant.form("the last"))) == form


def test_the_refresh_token_of_the_connection_is_used_while_no_later_one_is_known() -> None:
    assert "refresh_token=first" in RefreshToken("first").form(None)


def test_only_a_consent_needs_a_person() -> None:
    assert [grant.by_person for grant in (ClientCredentials(), RefreshToken(), AuthorizationCode("c", BACK))] == [
        False, True, True
    ]  # fmt: skip


def test_no_grant_shows_its_secrets() -> None:
    for grant in (RefreshToken("hidden-1"), AuthorizationCode("hidden-2", BACK, "hidden-3")):
        assert grant.secrets()
        assert all(secret.startswith("hidden") for secret in grant.secrets())
        assert "hidden" not in repr(grant)
    assert "hidden" not in repr(OAuthClient("app", "hidden"))
