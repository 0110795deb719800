"""The servers of the other tests here are what these take them for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contracts.servers.wire import unused_port
from tests.servers import npm
from tests.servers.mariadb import MariaDb
from tests.servers.oidc import Oidc
from tests.servers.postgraphile import PostGraphile
from tests.servers.prism import answers

_HUBSPOT = "hubspot_contacts_v3.clean.json"


def test_prism_takes_a_request_of_the_description_and_refuses_another(prism: Callable[[str, str], str]) -> None:
    url = f"{prism('hubspot', _HUBSPOT)}/crm/v3/objects/contacts/batch/upsert"
    headers = {"Authorization": "Bearer x"}
    right = {"inputs": [{"id": "a@example.com", "idProperty": "email", "properties": {"email": "a@example.com"}}]}
    wrong = {"inputs": [{"idProperty": "email", "properties": {}}]}
    assert httpx.post(url, json=right, headers=headers).status_code == 200
    refused = httpx.post(url, json=wrong, headers=headers)
    assert refused.status_code == 422
    assert "must have required property 'id'" in refused.headers["sl-violations"]


def test_oidc_takes_a_refresh_token_once(oidc: Oidc) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": oidc.refresh_token()}
    auth = (oidc.client_id, oidc.client_secret)
    first = httpx.post(oidc.token_url, data=form, auth=auth)
    assert first.status_code == 200 and first.json()["refresh_token"] != form["refresh_token"]
    assert oidc.active(first.json()["access_token"])
    second = httpx.post(oidc.token_url, data=form, auth=auth)
    assert (second.status_code, second.json()["error"]) == (400, "invalid_grant")


def test_oidc_client_that_says_its_secret_in_the_body(oidc: Oidc) -> None:
    form = {"grant_type": "client_credentials", "client_id": oidc.body_client_id, "client_secret": oidc.client_secret}
    answer = httpx.post(oidc.token_url, data=form)
    assert answer.status_code == 200 and answer.json()["expires_in"] == 3


def test_oidc_consents_to_whoever_opens_the_authorize_url(oidc: Oidc) -> None:
    redirect = f"http://127.0.0.1:{unused_port()}/callback"
    query = {
        "client_id": oidc.client_id,
        "response_type": "code",
        "scope": oidc.scope,
        "prompt": "consent",
        "redirect_uri": redirect,
        "state": "s1",
    }
    with httpx.Client() as browser:
        answer = browser.get(oidc.authorize_url, params=query)
        while answer.has_redirect_location and not answer.headers["location"].startswith(redirect):
            answer = browser.get(str(answer.url.join(answer.headers["location"])))
    back = httpx.URL(answer.headers["location"])
    assert back.params["state"] == "s1"
    form = {"grant_type": "authorization_code", "code": back.params["code"], "redirect_uri": redirect}
    tokens = httpx.post(oidc.token_url, data=form, auth=(oidc.client_id, oidc.client_secret))
    assert {"access_token", "refresh_token"} <= tokens.json().keys()


def test_postgraphile_lists_creates_and_tells_the_error_of_the_database(postgraphile: PostGraphile) -> None:
    postgraphile.reset()
    listed = _ask(postgraphile, "{allContacts(first:2){totalCount nodes{email}}}")
    assert listed["data"]["allContacts"] == {
        "totalCount": 1000,
        "nodes": [{"email": "c1@example.com"}, {"email": "c2@example.com"}],
    }
    create = 'mutation{createContact(input:{contact:{email:"c1@example.com",lastName:"X"}}){contact{rowId}}}'
    assert _ask(postgraphile, create)["errors"][0]["extensions"]["code"] == "23505"


def _ask(postgraphile: PostGraphile, query: str) -> Any:
    return httpx.post(postgraphile.url, json={"query": query}, timeout=30).json()


def test_the_schema_of_shopify_knows_its_own_fields(shopify_schema: Any) -> None:
    import graphql

    def mistakes(text: str) -> int:
        return len(graphql.validate(shopify_schema, graphql.parse(text)))

    assert mistakes("{customers(first: 1) {nodes {id updatedAt}}}") == 0
    assert mistakes("{customers(first: 1) {nodes {id nope}}}") == 1


def test_mariadb_has_new_databases(mariadb: MariaDb) -> None:
    database = mariadb.new_database()
    mariadb.sql(f"CREATE TABLE {database}.people (email VARCHAR(80) PRIMARY KEY)")
    mariadb.sql(f"INSERT INTO {database}.people VALUES ('a@example.com')")
    with pytest.raises(subprocess.CalledProcessError, match="non-zero"):
        mariadb.sql(f"INSERT INTO {database}.people VALUES ('a@example.com')")


def test_without_npm_a_test_is_skipped_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="there is no npm here to install oidc"):
        npm.installed("oidc", tmp_path / "cache")


def test_without_a_registry_a_test_is_skipped_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("npm") is None:
        pytest.skip("there is no npm here")
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{unused_port()}")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    with pytest.raises(pytest.skip.Exception, match="npm could not fetch oidc: ECONNREFUSED"):
        npm.installed("oidc", tmp_path / "cache")


def test_a_server_ends_with_a_test_process_that_is_killed(tmp_path: Path) -> None:
    port = unused_port()
    program = f"""
        import os, signal, sys
        from pathlib import Path
        from tests.servers.prism import answers
        from tests.servers.process import running
        url = "http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "http.server", "{port}", "--bind", "127.0.0.1"]
        with running(command, Path("log"), lambda: answers(url)):
            os.kill(os.getpid(), signal.SIGKILL)
    """
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], cwd=tmp_path, env=env, timeout=60)
    assert ended.returncode == -9
    assert (tmp_path / "log").exists()
    deadline = time.monotonic() + 10
    while answers(f"http://127.0.0.1:{port}"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
