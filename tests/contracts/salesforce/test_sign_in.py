"""Every way in that a connection of the official provider can hold, and what is said where none fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from airflow_provider_flux.connectors import registry
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.salesforce.connection import adapted
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.stages.reconnect import prepare
from airflow_provider_flux.stages.sharing import shared
from airflow_provider_flux.store import open_store
from tests.contracts.salesforce.conftest import Org
from tests.contracts.vendors.salesforce import KEY, SECRET

PEM = (
    rsa.generate_private_key(65537, 2048)
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode()
)


def connection(org: Org, login: str | None = None, password: str | None = None, **extra: Any) -> Credentials:
    return Credentials("crm", "salesforce", login=login, password=password, extra={"timeout": 2, **extra})


def test_client_credentials_and_the_instance_url_of_the_answer(org: Org) -> None:
    """The connection names no host: calls go where the token's answer says."""
    said = registry.get("salesforce").test(org.credentials())
    assert said.startswith("GET /services/data/v63.0/ of 127.0.0.1 answered HTTP 200")
    (grant,) = org.vendor.grants
    assert (grant["grant_type"], grant["client_id"]) == ("client_credentials", KEY)


def test_the_prefixed_names_of_older_connections_are_read_too(org: Org) -> None:
    url = f"{org.wire.url}/services/oauth2/token"
    old = {"extra__salesforce__consumer_key": KEY, "extra__salesforce__consumer_secret": SECRET, "token_url": url}
    assert registry.get("salesforce").test(connection(org, **old))


@pytest.mark.parametrize("as_file", [True, False])
def test_jwt_bearer_with_a_key_or_its_file(org: Org, tmp_path: Path, as_file: bool) -> None:
    file = tmp_path / "key.pem"
    file.write_text(PEM)
    key = {"private_key_file_path": str(file)} if as_file else {"private_key": PEM}
    url = f"{org.wire.url}/services/oauth2/token"
    registry.get("salesforce").test(connection(org, "ada@example.com", consumer_key=KEY, token_url=url, **key))
    (grant,) = org.vendor.grants
    assert grant["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert grant["assertion"].count(".") == 2


def test_a_session_of_its_own(org: Org) -> None:
    org.vendor.tokens.add("00D-session")
    assert registry.get("salesforce").test(connection(org, session_id="00D-session", instance_url=org.wire.url))
    assert org.vendor.grants == []


def test_a_session_that_is_over_cannot_be_renewed(org: Org) -> None:
    with pytest.raises(FluxError) as caught:
        registry.get("salesforce").test(connection(org, session_id="00D-old", instance_url=org.wire.url))
    assert caught.value.code == "AUTHENTICATION_FAILED"
    assert "00D-old" not in f"{caught.value} {caught.value.answer}"


def test_a_persons_consent_is_asked_for_at_the_orgs_own_host_and_then_renewed(
    org: Org, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__FLUX__FERNET_KEY", Fernet.generate_key().decode())
    url = f"{org.wire.url}/services/oauth2/token"
    waiting = connection(org, consumer_key=KEY, auth="refresh_token", domain="acme.my", token_url=url)
    with open_store(f"sqlite:///{tmp_path / 'flux.db'}") as store:
        consent = prepare(store, "salesforce", waiting, None, "http://127.0.0.1:1717/callback")
        assert consent is not None
        assert consent.url.startswith("https://acme.my.salesforce.com/services/oauth2/authorize?response_type=code")
        assert f"client_id={KEY}" in consent.url
        assert "scope=api+refresh_token" in consent.url.replace("%20", "+")
        consent.finish({"code": "aPrx", "state": consent.state})
        org.vendor.tokens.clear()
        assert registry.get("salesforce").test(shared(waiting, store))
    assert [grant["grant_type"] for grant in org.vendor.grants] == ["authorization_code", "refresh_token"]


@pytest.mark.parametrize(
    ("extra", "token_url", "audience"),
    [
        ({"domain": "acme.my"}, "https://acme.my.salesforce.com/services/oauth2/token", "https://login.salesforce.com"),
        ({"domain": "test"}, "https://test.salesforce.com/services/oauth2/token", "https://test.salesforce.com"),
        (
            {"instance_url": "https://acme--dev.sandbox.my.salesforce.com/", "domain": "acme--dev.sandbox.my"},
            "https://acme--dev.sandbox.my.salesforce.com/services/oauth2/token",
            "https://test.salesforce.com",
        ),
    ],
)
def test_where_tokens_come_from_and_for_whom_a_jwt_is(extra: dict[str, str], token_url: str, audience: str) -> None:
    found = adapted(
        Credentials("crm", "salesforce", login="ada", extra={"consumer_key": KEY, "private_key": PEM, **extra})
    )
    assert (found.extra["token_url"], found.extra["audience"], found.extra["subject"]) == (token_url, audience, "ada")


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({}, "extra.consumer_key", "a connected app"),
        ({"login": "ada", "password": "pw", "extra": {"security_token": "t"}}, "extra.consumer_key", "SOAP"),
        ({"extra": {"consumer_key": KEY}}, "extra.consumer_secret", "is empty"),
        ({"extra": {"consumer_key": KEY, "private_key": PEM}}, "login", "JWT bearer needs the user name"),
        ({"extra": {"consumer_key": KEY, "consumer_secret": SECRET}}, "extra.domain", "the org's own domain"),
        ({"extra": {"consumer_key": KEY, "consumer_secret": SECRET, "domain": "a b"}}, "extra.domain", "must be"),
        ({"extra": {"session_id": "s"}}, "extra.instance_url", "a session needs the URL of its org"),
        ({"extra": {"consumer_key": 7}}, "extra.consumer_key", "must be a text"),
        ({"login": "ada", "extra": {"consumer_key": KEY, "private_key_file_path": "/no/such/key.pem"}},
         "extra.private_key_file_path", "No such file"),
        ({"extra": {"session_id": "s", "instance_url": "https://x.test", "version": "sixty"}}, "extra.version", "63.0"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_named_with_what_to_do(fields: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(FluxError) as caught:
        registry.get("salesforce").test(Credentials("crm", "salesforce", **fields))
    assert caught.value.code == "CONNECTION_INVALID"
    assert f"field '{field}'" in caught.value.message
    assert words in caught.value.message
    assert not any(secret in str(caught.value) for secret in (SECRET, "pw", PEM))
