from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy

from airflow_provider_flux.connectors.credentials import Credentials, from_environment
from airflow_provider_flux.connectors.sql.url import database_url

POSTGRES = "postgresql+psycopg2" if sqlalchemy.__version__.startswith("1.") else "postgresql+psycopg"


def shown(credentials: Credentials) -> str:
    return database_url(credentials).render_as_string(hide_password=False)


@pytest.mark.parametrize("conn_type", ["postgres", "postgresql"])
def test_the_fields_of_airflows_form_make_the_url(conn_type: str) -> None:
    found = shown(Credentials("db", conn_type, "h", 5433, "u", "p@/:w", "crm", {"sslmode": "require"}))
    assert found == f"{POSTGRES}://u:p%40%2F%3Aw@h:5433/crm?sslmode=require"


@pytest.mark.parametrize("extra", [{"dialect": "postgresql"}, {"dialect": "postgres"}, {"sqlalchemy_scheme": POSTGRES}])
def test_our_own_connection_type_names_its_dialect(extra: dict[str, str]) -> None:
    assert shown(Credentials("db", "flux_sql", "h", extra=extra)) == f"{POSTGRES}://h"


def test_the_driver_may_be_named() -> None:
    assert shown(Credentials("db", "mysql", "h", extra={"driver": "pymysql"})) == "mysql+pymysql://h"
    odbc = {"driver": "ODBC Driver 18 for SQL Server"}
    assert shown(Credentials("db", "mssql", "h", extra=odbc)) == "mssql://h", "that is not one of SQLAlchemy's"
    assert shown(Credentials("db", "mssql", "h", extra={"dialect": "mssql+pyodbc"})) == "mssql+pyodbc://h"


def test_parameters_of_the_url() -> None:
    extra = {"query": {"charset": "utf8mb4"}, "driver": "pymysql"}
    assert shown(Credentials("db", "mysql", "h", extra=extra)) == "mysql+pymysql://h?charset=utf8mb4"


def test_a_whole_url_stands_in_extra_or_in_the_host() -> None:
    url = "postgres://u:p@h/crm"
    assert shown(Credentials("db", "flux_sql", extra={"url": url})) == f"{POSTGRES}://u:p@h/crm"
    assert shown(Credentials("db", "flux_sql", host=url)) == f"{POSTGRES}://u:p@h/crm"


def test_user_and_password_of_the_form_complete_a_url_without_them() -> None:
    credentials = Credentials("db", "flux_sql", login="u", password="p", extra={"url": "oracle://h/crm"})
    assert shown(credentials) == "oracle://u:p@h/crm"


@pytest.mark.parametrize("form", ["host", "schema", "url", "uri", "quoted uri"])
def test_every_way_to_name_a_sqlite_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    path = tmp_path / "Crm Data.db"
    path.touch()
    quoted = str(path).replace(" ", "%20")
    monkeypatch.setenv("AIRFLOW_CONN_A", f"sqlite:///{quoted}")
    monkeypatch.setenv("AIRFLOW_CONN_B", f"sqlite://{quoted.replace('/', '%2F')}")
    credentials = {
        "host": Credentials("db", "sqlite", host=str(path)),
        "schema": Credentials("db", "flux_sql", schema=str(path), extra={"dialect": "sqlite"}),
        "url": Credentials("db", "flux_sql", extra={"url": f"sqlite:///{path}"}),
        "uri": from_environment("a"),
        "quoted uri": from_environment("b"),
    }[form]
    assert credentials is not None
    assert database_url(credentials).database == str(path)


def test_a_relative_sqlite_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "crm.db").touch()
    monkeypatch.chdir(tmp_path)
    for credentials in (
        Credentials("db", "sqlite", host="data/crm.db"),
        Credentials("db", "sqlite", host="data", schema="crm.db"),
    ):
        assert database_url(credentials).database == str(tmp_path / "data" / "crm.db")
