"""Signing in to oidc-provider, a server that others wrote and that forgives nothing.

Its tokens live three seconds; a refresh token works once, and one that is used twice ends all that came of it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from airflow_provider_flux.connectors.api.connection import open_client
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.store import Store, open_store, upgrade_store
from airflow_provider_flux.transport.messages import Request
from airflow_provider_flux.transport.shared import Shared
from tests.conftest import Postgres
from tests.contracts.servers.wire import Call, Reply, Wire, serve
from tests.servers.oidc import Oidc
from tests.servers.signing_in import PROCESSES, ready, task

GET = Request("GET", "/v1/contacts")


@pytest.fixture
def api(oidc: Oidc) -> Iterator[Wire]:
    """An API that asks the token server about every token."""

    def answer(call: Call) -> Reply:
        active = oidc.active(call.headers.get("authorization", "").removeprefix("Bearer "))
        return Reply(200, {"data": []}) if active else Reply(401, {"error": "invalid_token"})

    with serve(answer) as wire:
        yield wire


@pytest.fixture
def connection(oidc: Oidc, api: Wire, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The fields of a connection to that API."""
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", Fernet.generate_key().decode())
    extra = {
        "auth": {"kind": "refresh_token", "client_in": "header"}, "client_id": oidc.client_id,
        "client_secret": oidc.client_secret, "token_url": oidc.token_url, "scopes": oidc.scope,
        "authorize_url": f"{oidc.authorize_url}?prompt=consent",
    }  # fmt: skip
    return {"conn_id": "crm", "conn_type": "flux_rest", "host": api.url, "extra": extra}


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/flux.db"


@pytest.fixture
def postgres_url(pg: Postgres) -> str:
    url = pg.new_database()
    upgrade_store(url)
    return url


def signed_in(store: Store, connection: dict[str, Any], **extra: Any) -> int:
    """The status of one call."""
    fields = {**connection, "extra": {**connection["extra"], **extra}}
    client = open_client(replace(Credentials(**fields), shared=Shared(tokens=store, pace=store)), None)
    try:
        return client.send(GET).status
    finally:
        client.close()


@pytest.mark.parametrize("kept_in", ["sqlite", "postgres"])
def test_processes_that_share_a_connection_do_not_break_each_other(
    kept_in: str, request: pytest.FixtureRequest, oidc: Oidc, connection: dict[str, Any]
) -> None:
    url = request.getfixturevalue(f"{kept_in}_url")
    connection["extra"]["refresh_token"] = oidc.refresh_token()
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        list(pool.map(ready, range(PROCESSES)))
        found = list(pool.map(task, [url] * PROCESSES, [connection] * PROCESSES, range(PROCESSES)))
    assert found == [{200}] * PROCESSES
    # The refresh token that was kept last is the one that still works.
    with open_store(url) as store:
        token = store.token("crm")
        assert token is not None
        store.keep_token("crm", "a test", replace(token, expires_at=0, renew_at=0))
        assert signed_in(store, connection) == 200


def test_the_app_signs_in_by_itself(sqlite_url: str, oidc: Oidc, connection: dict[str, Any]) -> None:
    in_body = {"auth": "client_credentials", "client_id": oidc.body_client_id, "scopes": "crm"}
    in_header = {"auth": {"kind": "client_credentials", "client_in": "header"}, "scopes": "crm"}
    with open_store(sqlite_url) as store:
        assert signed_in(store, connection, **in_body) == 200
        assert signed_in(store, connection, **in_header) == 200


def test_a_consent_in_a_browser_connects(
    sqlite_url: str, connection: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "include/flows").mkdir(parents=True)
    monkeypatch.setenv("AIRFLOW__FLUX__INCLUDE", str(tmp_path / "include"))
    monkeypatch.setenv("AIRFLOW__FLUX__STORE", sqlite_url)
    fields = {name: value for name, value in connection.items() if name != "conn_id"}
    fields["extra"] = {**fields["extra"], "test_path": "/v1/me"}
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps(fields))
    command = [sys.executable, "-m", "airflow_provider_flux.cli", "connectors", "reconnect", "crm", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        assert process.stderr is not None
        asked = process.stderr.readline() + process.stderr.readline()
        (page,) = re.findall(r"^http\S+$", asked, re.MULTILINE)
        with httpx.Client(follow_redirects=True) as browser:  # the server consents at once, and sends it back
            assert "this page can be closed" in browser.get(page).text
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, out + err
    assert "crm is active" in out
    with open_store(sqlite_url) as store:
        token = store.token("crm")
        assert token is not None and token.refresh is not None
        store.keep_token("crm", "a test", replace(token, expires_at=0, renew_at=0))
        assert signed_in(store, connection) == 200
    for secret in (token.refresh, token.access, connection["extra"]["client_secret"]):
        assert secret not in asked + out + err
