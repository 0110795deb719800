"""A person's consent: what the browser is sent to, and what comes of each answer that it may bring back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.fernet import Fernet

from airflow_provider_flux.connectors.api.consent import Consent, ask_consent
from airflow_provider_flux.connectors.api.profile import ANY_API, ApiProfile, SignIn
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.store import Store, open_store
from airflow_provider_flux.transport.shared import Shared
from tests.contracts.servers.oauth import CLIENT, SECRET, OAuthServer
from tests.contracts.servers.wire import Wire, serve

BACK = "http://127.0.0.1:8765/callback"


@dataclass
class Bench:
    store: Store
    wire: Wire
    server: OAuthServer
    extra: dict[str, Any] = field(default_factory=dict)

    def consent(self, profile: ApiProfile = ANY_API) -> Consent:
        url = self.wire.url
        extra = {
            "auth": "refresh_token", "client_id": CLIENT, "client_secret": SECRET, "token_url": f"{url}/token",
            "authorize_url": f"{url}/auth?prompt=consent", "scopes": "crm offline_access", **self.extra,
        }  # fmt: skip
        shared = Shared(tokens=self.store, pace=self.store)
        consent = ask_consent(Credentials("crm", "x", host=url, extra=extra, shared=shared), None, profile, BACK)
        assert consent is not None
        return consent


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", Fernet.generate_key().decode())
    server = OAuthServer()
    with serve(server.answer) as wire, open_store(f"sqlite:///{tmp_path}/flux.db") as store:
        yield Bench(store, wire, server)


def query(consent: Consent) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(consent.url).query).items()}


def test_the_page_to_open_says_what_is_asked_for(bench: Bench) -> None:
    consent = bench.consent()
    asked = query(consent)
    proof = asked.pop("code_challenge"), asked.pop("code_challenge_method")
    assert (len(proof[0]), proof[1]) == (43, "S256")
    assert asked == {
        "prompt": "consent", "response_type": "code", "client_id": CLIENT, "redirect_uri": BACK,
        "scope": "crm offline_access", "state": consent.state,
    }  # fmt: skip
    assert len(consent.state) >= 32
    assert consent.state != bench.consent().state
    assert SECRET not in consent.url


def test_a_vendor_without_pkce_is_not_asked_with_it(bench: Bench) -> None:
    known = SignIn(kinds=("refresh_token",), authorize_url="https://vendor.test/auth", scopes=("all",))
    bench.extra = {"authorize_url": None, "scopes": None}
    consent = bench.consent(ApiProfile(sign_in=known))
    assert consent.url.startswith("https://vendor.test/auth?")
    assert query(consent)["scope"] == "all"
    assert "code_challenge" not in query(consent)


def test_the_code_becomes_a_token_that_every_task_finds(bench: Bench) -> None:
    consent = bench.consent()
    bench.server.codes["the-code"] = query(consent)["code_challenge"]
    token = consent.finish({"code": "the-code", "state": consent.state})
    assert token.refresh is not None
    assert bench.store.token("crm") == token
    assert bench.server.forms[-1]["redirect_uri"] == BACK
    assert bench.store.lease_token("crm", "somebody else", 1)


@pytest.mark.parametrize(
    ("answer", "message", "next_step"),
    [
        ({"code": "c", "state": "another"}, "another attempt", "connectors reconnect crm"),
        ({"code": "c"}, "another attempt", "connectors reconnect crm"),
        ({"state": "ours"}, "no `code`", "connectors reconnect crm"),
        ({"state": "ours", "error": "access_denied", "error_description": "No."}, "was denied (access_denied: No.)",
         "as somebody who may"),
        ({"state": "ours", "error": "invalid_scope"}, "refuses to ask for consent (invalid_scope)", "extra.scopes"),
        ({"state": "ours", "error": "else"}, "refuses to ask for consent (else)", "connectors reconnect crm"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_says_why(bench: Bench, answer: dict[str, str], message: str, next_step: str) -> None:
    consent = bench.consent()
    ours = {name: consent.state if value == "ours" else value for name, value in answer.items()}
    with pytest.raises(FluxError) as caught:
        consent.finish(ours)
    assert caught.value.code == "AUTHENTICATION_FAILED"
    assert message in caught.value.message
    assert next_step in caught.value.next_step
    assert bench.server.forms == []


def test_a_code_that_was_used_is_refused_without_showing_it(bench: Bench) -> None:
    consent = bench.consent()
    with pytest.raises(FluxError) as caught:
        consent.finish({"code": "a-used-code", "state": consent.state})
    assert caught.value.code == "AUTHENTICATION_FAILED"
    assert "connectors reconnect crm" in caught.value.next_step
    assert "a-used-code" not in f"{caught.value}{caught.value.answer}{consent!r}"
    assert bench.store.lease_token("crm", "somebody else", 1)


def test_a_connection_that_rests_on_no_consent_has_none(bench: Bench) -> None:
    key = Credentials("crm", "x", host=bench.wire.url, password="key")
    assert ask_consent(key, None, ANY_API, BACK) is None


def test_where_to_consent_must_be_known(bench: Bench) -> None:
    bench.extra = {"authorize_url": None}
    with pytest.raises(FluxError, match=r"field 'extra\.authorize_url'") as caught:
        bench.consent()
    assert caught.value.code == "CONNECTION_INVALID"
