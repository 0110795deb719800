"""Both ways into Pipedrive: the token of a user, and an OAuth app (Basic client id and secret at the token URL)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.pipedrive import Pipedrive
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.store import Store, open_store
from airflow_provider_flux.transport.shared import Shared
from tests.contracts.pipedrive_company import Company, company
from tests.contracts.vendors.pipedrive_api import CLIENT, REFRESH, TOKEN


@pytest.fixture
def crm() -> Iterator[Company]:
    with company() as crm:
        yield crm


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Keeps the tokens of an app, encrypted."""
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", Fernet.generate_key().decode())
    with open_store(f"sqlite:///{tmp_path / 'flux.db'}") as store:
        yield store


def app(crm: Company, store: Store, **extra: Any) -> Credentials:
    """The connection of an OAuth app."""
    fields = {"client_id": CLIENT[0], "client_secret": CLIENT[1], "refresh_token": REFRESH}
    extras = {"timeout": 2, "token_url": f"{crm.url}/oauth/token", **fields, **extra}
    return Credentials("crm", "flux_pipedrive", host=crm.url, extra=extras, one_try=True, shared=Shared(store, store))


def test_the_token_of_a_user_goes_into_its_own_header(crm: Company) -> None:
    Pipedrive.test(crm.credentials())
    [call] = crm.vendor.calls
    assert call.headers["x-api-token"] == TOKEN
    assert "authorization" not in call.headers


def test_an_app_fetches_a_token_and_says_who_it_is_by_basic(crm: Company, store: Store) -> None:
    Pipedrive.test(app(crm, store))
    assert [call.path for call in crm.vendor.calls] == ["/oauth/token", "/v1/users/me"]
    asked, call = crm.vendor.calls
    assert CLIENT[1] not in asked.body.decode()
    assert call.headers["authorization"] == f"Bearer {crm.vendor.access_token}"
    assert "x-api-token" not in call.headers


def test_an_app_whose_secret_is_wrong_is_told_so_without_it(crm: Company, store: Store) -> None:
    with pytest.raises(FluxError) as caught:
        Pipedrive.test(app(crm, store, client_secret="wr0ng-s3cret"))
    assert caught.value.code in ("AUTHENTICATION_FAILED", "CONNECTION_INVALID")
    assert "client" in f"{caught.value.message} {caught.value.next_step}"
    assert "wr0ng" not in f"{caught.value.message} {caught.value.next_step} {caught.value.answer}"


def test_a_consent_that_was_withdrawn_asks_for_another(crm: Company, store: Store) -> None:
    with pytest.raises(FluxError) as caught:
        Pipedrive.test(app(crm, store, refresh_token="withdrawn"))
    assert caught.value.code == "AUTHENTICATION_FAILED"
    assert "reconnect" in caught.value.next_step


def test_a_connection_with_nothing_in_it_names_both_ways(crm: Company) -> None:
    with pytest.raises(FluxError) as caught:
        Pipedrive.test(replace(crm.credentials(), password=None))
    assert caught.value.code == "CONNECTION_INVALID"
    assert "'password' (an API key), or 'extra.client_id' and 'extra.client_secret'" in caught.value.message
