"""`connectors reconnect` and `verify` of connections that sign in with OAuth, as a person would type them."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.fernet import Fernet

from airflow_provider_flux.store import open_store
from tests.contracts.servers.oauth import CLIENT, SECRET, OAuthServer
from tests.contracts.servers.wire import Wire, serve
from tests.unit.cli.conftest import Call, Said

FLOW = """\
source: {connector: rest, connection: crm, path: /v1/contacts, records: data, key: id}
destination: {connector: sql, connection: warehouse, table: contacts, key: id}
mapping: contacts
"""


@dataclass
class Crm:
    """A system that signs in with OAuth, and a flow that reads from it."""

    server: OAuthServer
    wire: Wire
    monkeypatch: pytest.MonkeyPatch

    def connect(self, **extra: Any) -> None:
        app = {"client_id": CLIENT, "client_secret": SECRET, "authorize_url": f"{self.wire.url}/auth"}
        extra = {"auth": "refresh_token", **app, "token_url": f"{self.wire.url}/token", "timeout": 2, **extra}
        fields = {"conn_type": "flux_rest", "host": self.wire.url, "extra": extra}
        self.monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps(fields))


@pytest.fixture
def crm(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crm]:
    include = tmp_path / "include"
    (include / "mappings/contacts").mkdir(parents=True)
    (include / "mappings/contacts/v1.yaml").write_text("rules:\n  - {from: id, to: id}\n")
    (include / "flows/contacts.yaml").write_text(FLOW)
    with closing(sqlite3.connect(tmp_path / "w.db")) as database:
        database.execute("CREATE TABLE contacts (id TEXT PRIMARY KEY)")
    warehouse = {"conn_type": "flux_sql", "host": str(tmp_path / "w.db"), "extra": {"dialect": "sqlite"}}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(warehouse))
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", Fernet.generate_key().decode())
    server = OAuthServer()
    with serve(server.answer) as wire:
        crm = Crm(server, wire, monkeypatch)
        crm.connect()
        yield crm


@dataclass
class Asking:
    """A `reconnect` that waits for its browser."""

    process: subprocess.Popen[str]
    before: str

    @property
    def asked(self) -> dict[str, str]:
        (url,) = re.findall(r"^http\S+$", self.before, re.MULTILINE)
        return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}

    def come_back(self, **query: str) -> Said:
        httpx.get(self.asked["redirect_uri"], params={"state": self.asked["state"], **query})
        out, err = self.process.communicate(timeout=30)
        return Said(self.process.returncode, out, self.before + err)


@contextmanager
def reconnecting(*options: str) -> Iterator[Asking]:
    command = [sys.executable, "-m", "airflow_provider_flux.cli", "connectors", "reconnect", "crm", "--port", "0"]
    with subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        try:
            assert process.stderr is not None
            before = process.stderr.readline() + process.stderr.readline()
            yield Asking(process, before)
        finally:
            process.kill()


def test_a_consent_connects_and_the_flows_go_on(crm: Crm, call: Call, tmp_path: Path) -> None:
    failed = call("run", "contacts")
    assert failed.code == 1
    assert "was not connected to its system yet" in failed.out
    refused = call("connectors", "verify", "crm")
    assert refused.code == 1
    assert "airflow-flux connectors reconnect crm" in refused.out

    with reconnecting() as asking:
        crm.server.codes["code-1"] = asking.asked["code_challenge"]
        said = asking.come_back(code="code-1")
    assert said.code == 0, said
    assert "the consent was given" in said.out
    assert "answered HTTP 200" in said.out
    assert "crm is active; its flows go on with their next tick: contacts" in said.out

    crm.server.revoke()
    resumed = call("run", "contacts", "--json")
    assert resumed.code == 0
    crm.server.revoke()
    verified = call("connectors", "verify", "crm", "--json")
    assert verified.json["passed"] and verified.json["proved"]
    grants = [form["grant_type"] for form in crm.server.forms]
    assert grants == ["authorization_code", "refresh_token", "refresh_token"]
    everything = "".join(one.out + one.err for one in (failed, refused, said, resumed, verified))
    with open_store(f"sqlite:///{tmp_path / 'flux.db'}") as store:
        token = store.token("crm")
    assert token is not None and token.refresh is not None
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    for secret in (SECRET, token.refresh, token.access, "code-1", *crm.server.granted):
        assert secret not in everything
        assert secret.encode() not in kept


def test_an_answer_that_is_not_ours_connects_nothing(crm: Crm, call: Call) -> None:
    with reconnecting("--json", "--localhost") as asking:
        assert asking.asked["redirect_uri"].startswith("http://localhost:")
        said = asking.come_back(code="code-1", state="of-another-page")
    assert said.code == 1
    assert said.json["error"]["code"] == "AUTHENTICATION_FAILED"
    assert "another attempt" in said.json["error"]["message"]
    assert crm.server.forms == []


def test_still_refused_after_a_consent_says_where_to_look(crm: Crm) -> None:
    crm.server.refused |= {f"access-token-{number}" for number in range(9)}
    with reconnecting("--json") as asking:
        crm.server.codes["code-1"] = asking.asked["code_challenge"]
        said = asking.come_back(code="code-1")
    assert said.code == 1
    assert said.json["renewable"] is True
    assert said.json["verified"]["state"] == "degraded"
    assert "may have revoked the app" in said.json["verified"]["advice"][-1]


def test_no_browser_in_time_says_how_one_gets_there(crm: Crm, call: Call) -> None:
    said = call("connectors", "reconnect", "crm", "--port", "0", "--timeout", "1")
    assert said.code == 1
    assert "no browser came back to http://127.0.0.1:" in said.err
    assert "ssh -L" in said.err


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("client_credentials", "the new client secret into the field 'extra.client_secret'"),
        ("bearer", "a freshly generated token into the field 'password'"),
        ("api_key", "a freshly generated API key into the field 'password'"),
    ],
)
def test_a_key_is_pasted_and_not_consented_to(crm: Crm, call: Call, way: str, said: str) -> None:
    crm.connect(auth=way)
    found = call("connectors", "reconnect", "crm", "--port", "0")
    assert found.code == 1
    assert said in found.out
    assert "airflow-flux connectors verify crm" in found.out


def test_a_connection_that_no_flow_uses_yet_can_be_verified(crm: Crm, call: Call, tmp_path: Path) -> None:
    (tmp_path / "include/flows/contacts.yaml").unlink()
    crm.connect(auth="client_credentials", test_path="/v1/me")
    assert call("connectors", "verify", "crm", "--json").json["passed"]
    unknown = call("connectors", "verify", "nowhere")
    assert unknown.code == 2
    assert "no flow uses a connection 'nowhere'" in unknown.err


def test_a_test_sync_keeps_the_token_that_it_renews(crm: Crm, call: Call, tmp_path: Path) -> None:
    crm.connect(refresh_token=crm.server.refresh_token())
    assert call("test", "contacts").code == 0
    with open_store(f"sqlite:///{tmp_path / 'flux.db'}") as store:
        token = store.token("crm")
    assert token is not None and token.refresh not in (None, "refresh-token-0")
