from __future__ import annotations

import json

import pytest

from airflow_provider_flux.connectors.credentials import Credentials, env_name, from_environment
from airflow_provider_flux.errors import FluxError


def read(monkeypatch: pytest.MonkeyPatch, text: str) -> Credentials:
    monkeypatch.setenv("AIRFLOW_CONN_CRM_DB", text)
    found = from_environment("crm_db")
    assert found is not None
    return found


def test_an_unset_variable_is_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_CRM_DB", raising=False)
    assert from_environment("crm_db") is None
    assert env_name("crm_db") == "AIRFLOW_CONN_CRM_DB"


def test_the_json_form_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps(
        {"conn_type": "postgres", "host": "db", "port": "5432", "login": "u", "password": "p", "schema": "crm",
         "extra": {"sslmode": "require"}}
    )  # fmt: skip
    assert read(monkeypatch, text) == Credentials(
        "crm_db", "postgres", "db", 5432, "u", "p", "crm", {"sslmode": "require"}
    )


def test_extra_may_be_a_json_text_as_airflow_exports_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, '{"conn_type": "http", "extra": "{\\"a\\": 1}"}').extra == {"a": 1}


def test_the_uri_form_is_read_and_unquoted(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, "flux-sql://us%40er:p%2Fw@Db.Example.com:5433/crm?sslmode=require&empty=")
    assert found == Credentials(
        "crm_db", "flux_sql", "Db.Example.com", 5433, "us@er", "p/w", "crm", {"sslmode": "require", "empty": ""}
    )


def test_a_path_as_host_keeps_its_case(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, "sqlite://%2FData%2FCRM.db").host == "/Data/CRM.db"


def test_an_ipv6_host_loses_its_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, "postgres://u:p@[::1]:5432/crm")
    assert (found.host, found.port) == ("::1", 5432)


def test_nested_extra_travels_in_the_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, "http://h/?__extra__=%7B%22a%22%3A%20%7B%22b%22%3A%201%7D%7D").extra == {"a": {"b": 1}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hunter2",
        "{not json hunter2",
        '{"conn_type": "http", "password": "hunter2", "port": "many"}',
        '{"conn_type": "http", "password": "hunter2", "port": [1]}',
        '{"conn_type": "http", "password": "hunter2", "extra": "[1]"}',
        "http://u:hunter2@host:port/",
        "http://u:hunter2@host:99999/",
        "http://u:hunter2@[::1/",
    ],
)
def test_what_is_no_connection_is_an_error_without_the_value(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CRM_DB", text)
    with pytest.raises(FluxError) as caught:
        from_environment("crm_db")
    assert caught.value.code == "CONNECTION_INVALID"
    assert "AIRFLOW_CONN_CRM_DB" in caught.value.message
    assert "hunter2" not in str(caught.value) + caught.value.next_step


def test_repr_shows_no_secret() -> None:
    shown = repr(Credentials("crm_db", "postgres", login="u", password="hunter2", extra={"token": "hunter2"}))
    assert "hunter2" not in shown
    assert "crm_db" in shown


def test_a_wrong_field_is_named_with_its_connection() -> None:
    error = Credentials("crm_db", "postgres").invalid("host", "is missing")
    assert error.code == "CONNECTION_INVALID"
    assert error.message == "connection 'crm_db': field 'host': is missing"
    assert "'host'" in error.next_step
