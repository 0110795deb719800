"""From Airflow connections to the credentials of connectors, and the hooks on top of them."""

from __future__ import annotations

import json
import logging
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import Connection

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.hooks.connections import credentials, from_connection
from airflow_provider_flux.hooks.rest import FluxRestHook
from airflow_provider_flux.hooks.sql import FluxSqlHook
from tests.contracts.servers.wire import Reply, serve

KIND = "PRIVATE" + " KEY"  # nobody who searches the files for keys is to find one here


def _variable(monkeypatch: pytest.MonkeyPatch, conn_id: str, **fields: object) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(fields))


def test_every_field_of_a_connection_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    _variable(
        monkeypatch, "crm", conn_type="flux_rest", host="crm.test", port=8443, login="ada", password="secret-1",
        schema="https", extra={"region": "eu"},
    )  # fmt: skip
    found = credentials("crm")
    assert (found.conn_id, found.conn_type, found.host, found.port) == ("crm", "flux_rest", "crm.test", 8443)
    assert (found.login, found.password, found.schema, found.extra) == ("ada", "secret-1", "https", {"region": "eu"})
    assert "secret-1" not in repr(found)


def test_a_missing_connection_is_named_with_what_to_do(airflow_home: Path) -> None:
    with pytest.raises(FluxError, match="connection 'nowhere' does not exist") as caught:
        credentials("nowhere")
    assert caught.value.code == "CONNECTION_INVALID"
    assert not caught.value.transient
    assert "AIRFLOW_CONN_NOWHERE" in caught.value.next_step


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Airflow 2.11 also warns about such an extra
@pytest.mark.parametrize("extra", ['["a", "list"]', "{not json", '"text"'])
def test_an_extra_that_is_no_object_is_refused_without_showing_it(extra: str) -> None:
    with pytest.raises(FluxError, match="field 'extra' is not a JSON object") as caught:
        from_connection(Connection(conn_id="crm", conn_type="flux_rest", extra=extra))
    assert extra not in str(caught.value)


def test_empty_fields_count_as_absent() -> None:
    extra = '{"timeout": null, "proxy": "", "verify": false}'
    found = from_connection(Connection(conn_id="crm", conn_type="flux_rest", host="", password="", extra=extra))
    assert found.extra == {"verify": False}
    assert (found.host, found.login, found.password) == (None, None, None)


def test_a_connection_without_extra_has_none() -> None:
    found = from_connection(Connection(conn_id="crm", conn_type="flux_rest"))
    assert (found.host, found.login, found.password, found.extra) == (None, None, None, {})


def test_secrets_are_masked_in_the_log_of_a_task(monkeypatch: pytest.MonkeyPatch, airflow_home: Path) -> None:
    """In a process of its own, because masks last."""
    _variable(
        monkeypatch, "crm", conn_type="flux_sql", password="pass-word-1", host="postgresql://u:in-the-host@db/x",
        extra={
            "api_key": "key-in-extra", "url": "postgresql://u:in-the-url@db/x", "plain": "shown-text",
            "headers": {"X-Api-Key": "key-in-header"},
        },
    )  # fmt: skip
    script = (
        "from airflow_provider_flux.hooks.connections import credentials; credentials('crm')\n"
        "from airflow.providers.common.compat.sdk import redact\n"
        "print(redact('pass-word-1 in-the-host key-in-extra in-the-url key-in-header shown-text'))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "*** *** *** *** *** shown-text"


def test_what_oauth_needs_is_masked_in_the_log_of_a_task(monkeypatch: pytest.MonkeyPatch, airflow_home: Path) -> None:
    secrets = {
        "client_secret": "the-client-secret", "refresh_token": "the-refresh-token", "consumer_secret": "the-app-secret",
        "private_key": f"-----BEGIN {KIND}-----\nfirst-line-of-it\nsecond-line-of-it\n-----END {KIND}-----\n",
    }  # fmt: skip
    _variable(monkeypatch, "crm", conn_type="flux_rest", host="https://crm.test", extra={**secrets, "client_id": "app"})
    script = (
        "import os, json\n"
        "from airflow_provider_flux.hooks.connections import credentials; found = credentials('crm')\n"
        "from airflow.providers.common.compat.sdk import redact\n"
        "shown = json.dumps(list(found.extra.values())), found.extra['private_key']\n"
        "print(redact('app ' + ' '.join(shown)).replace('\\n', ' '), repr(found))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    shown = result.stdout.splitlines()[-1]
    assert shown.startswith("app ")
    for part in ("the-client-secret", "the-refresh-token", "the-app-secret", "first-line", "second-line"):
        assert part not in result.stdout


def test_the_sql_hook_logs_in_and_works_like_any_sql_hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "w.db"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE t (a)")
        database.execute("INSERT INTO t VALUES (7)")
    database.close()
    _variable(monkeypatch, "warehouse", conn_type="flux_sql", host=str(file), extra={"dialect": "sqlite"})
    hook = FluxSqlHook(flux_sql_conn_id="warehouse")
    worked, message = hook.test_connection()
    assert worked, message
    assert "sqlite" in message
    assert hook.get_records("SELECT a FROM t") == [(7,)]


def test_the_test_button_says_which_field_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    _variable(monkeypatch, "warehouse", conn_type="flux_sql", host="/nowhere/w.db", extra={"dialect": "sqlite"})
    worked, message = FluxSqlHook(flux_sql_conn_id="warehouse").test_connection()
    assert not worked
    assert "field 'host'" in message


def test_the_rest_hook_asks_the_api(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    _variable(monkeypatch, "api", conn_type="flux_rest", host="http://127.0.0.1:9", password="very-secret-key")
    with caplog.at_level(logging.DEBUG):
        worked, message = FluxRestHook("api").test_connection()
    assert not worked
    assert "127.0.0.1:9" in message
    assert "very-secret-key" not in message + caplog.text


def test_the_rest_hook_of_a_dag_sends_nothing_that_flux_signs_in_with(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(lambda call: Reply(200, {})) as wire:
        extra = {"client_secret": "a-secret", "refresh_token": "a-token", "auth": "refresh_token", "X-Tenant": "t1"}
        _variable(monkeypatch, "api", conn_type="flux_rest", host=wire.url, password="p", login="ada", extra=extra)
        hook = FluxRestHook("api", method="GET")
        assert hook.run("/v1/contacts").status_code == 200
        [call] = wire.calls
        assert call.headers["x-tenant"] == "t1"
        assert call.headers["authorization"].startswith("Basic ")
        assert not {"client_secret", "refresh_token", "auth"} & set(call.headers)
        assert hook.credentials().extra == extra
