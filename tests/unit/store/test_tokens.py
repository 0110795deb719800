"""Tokens are kept encrypted, and one task at a time may renew one."""

from __future__ import annotations

import base64
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.store import Store, open_store
from airflow_provider_flux.store.tables import tokens
from airflow_provider_flux.transport.shared import StoredToken, UnreadableToken
from tests.unit.store.conftest import PROCESSES, EightProcesses

KEY = base64.urlsafe_b64encode(bytes(32)).decode()
"""The same in every process."""
TOKEN = StoredToken("the-access-token", "the-refresh-token", 1e9, 9e8, "origin", {"instance_url": "https://x.test"})
ROUNDS = 10


@pytest.fixture(autouse=True)
def fernet_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", KEY)


def raw(store: Store) -> str:
    with store._database.reading() as connection:
        return str(connection.execute(select(tokens.c.token)).scalar_one())


def test_a_token_comes_back_as_it_was_kept(store: Store) -> None:
    assert store.token("crm") is None
    store.keep_token("crm", "a", TOKEN)
    store.keep_token("other", "a", StoredToken("a"))
    assert store.token("crm") == TOKEN
    newer = replace(TOKEN, access="newer", extra=None)
    store.keep_token("crm", "b", newer)
    assert store.token("crm") == newer


def test_nothing_of_it_can_be_read_in_the_database(store: Store) -> None:
    store.keep_token("crm", "a", TOKEN)
    for secret in ("the-access-token", "the-refresh-token", "x.test"):
        assert secret not in raw(store)
    assert "the-access-token" not in repr(store.token("crm"))


def test_an_old_key_still_reads_and_the_first_one_writes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.keep_token("crm", "a", TOKEN)
    new = Fernet.generate_key().decode()
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", f"{new},{KEY}")
    assert store.token("crm") == TOKEN
    store.keep_token("crm", "a", TOKEN)
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", new)
    assert store.token("crm") == TOKEN


def test_a_token_of_a_lost_key_is_not_taken_for_none(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.keep_token("crm", "a", TOKEN)
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", Fernet.generate_key().decode())
    with pytest.raises(UnreadableToken, match="connection 'crm' cannot be read with the present Fernet key") as caught:
        store.token("crm")
    assert "airflow-flux connectors reconnect crm" in caught.value.next_step
    store.keep_token("crm", "a", TOKEN)
    assert store.token("crm") == TOKEN


@pytest.mark.parametrize("key", ["", "not a key"])
def test_without_a_key_nothing_is_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch, airflow_home: Path, key: str
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", key)
    with pytest.raises(FluxError, match="Fernet key") as caught:
        store.keep_token("crm", "a", TOKEN)
    assert caught.value.code == "CONFIG_INVALID"
    assert "AIRFLOW__CORE__FERNET_KEY" in caught.value.next_step
    with pytest.raises(FluxError, match="Fernet key"):
        store.lease_token("crm", "a", 60)
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", KEY)
    assert store.token("crm") is None


def test_one_holder_at_a_time_until_it_keeps_or_gives_back(store: Store) -> None:
    assert store.lease_token("crm", "a", 60)
    assert not store.lease_token("crm", "b", 60)
    assert store.lease_token("crm", "a", 60)
    assert store.lease_token("other", "b", 60)
    store.keep_token("crm", "a", TOKEN)
    assert store.lease_token("crm", "b", 60)
    store.keep_token("crm", "b", None)
    assert store.token("crm") == TOKEN
    assert store.lease_token("crm", "a", 60)


def test_a_lease_ends_by_itself(store: Store) -> None:
    assert store.lease_token("crm", "a task that was killed", 0.05)
    time.sleep(0.06)
    assert store.lease_token("crm", "b", 60)


def test_who_was_slower_than_its_lease_keeps_its_token_and_not_the_lease(store: Store) -> None:
    assert store.lease_token("crm", "slow", 0.0)
    assert store.lease_token("crm", "b", 60)
    store.keep_token("crm", "slow", TOKEN)
    assert store.token("crm") == TOKEN
    assert not store.lease_token("crm", "c", 60)


def count_up(url: str, number: int) -> int:
    """Reads a number and keeps the next one, under the lease; how often it had the lease."""
    os.environ["AIRFLOW__CORE__FERNET_KEY"] = KEY
    had = 0
    with open_store(url) as store:
        while had < ROUNDS:
            if not store.lease_token("crm", f"process {number}", 60):
                time.sleep(0.002)
                continue
            token = store.token("crm")
            store.keep_token("crm", f"process {number}", StoredToken(str(int(token.access) + 1 if token else 1)))
            had += 1
    return had


def test_eight_processes_never_hold_the_lease_together(store_url: str, eight: EightProcesses) -> None:
    with open_store(store_url) as store:
        store.keep_token("crm", "test", StoredToken("0"))
        assert sum(eight.run(count_up, store_url)) == PROCESSES * ROUNDS
        token = store.token("crm")
    assert token is not None and token.access == str(PROCESSES * ROUNDS)
