from __future__ import annotations

import pytest

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.store import open_store, upgrade_store
from airflow_provider_flux.store.address import parse_url, place, redact


@pytest.mark.parametrize("scheme", ["postgresql", "postgres+psycopg2", "postgresql+psycopg2", "postgresql+asyncpg"])
def test_a_postgresql_url_gets_the_driver_that_is_installed(scheme: str) -> None:
    url = parse_url(f"{scheme}://ann:secret@db.example:5433/flux")
    __import__(url.get_dialect().driver)
    assert url.get_backend_name() == "postgresql"
    assert (url.host, url.port, url.password) == ("db.example", 5433, "secret")


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file::memory:?uri=true",
        "sqlite:////tmp/flux.db?mode=memory",
    ],
)
def test_a_store_in_memory_is_refused(url: str) -> None:
    with pytest.raises(FluxError, match="every task is another process") as caught:
        open_store(url)
    assert caught.value.code == "CONFIG_INVALID"
    assert "sqlite:////absolute/path/flux.db" in caught.value.next_step


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite:///flux.db", "relative path"),
        ("mysql://ann:secret@db/flux", "SQLite or PostgreSQL"),
        ("flux.db", "not a database URL"),
        ("", "not a database URL"),
        ("postgresql://ann:secret@db:port/flux", "not a database URL"),
        ("sqlite:////tmp/flux.db?timeout=soon", "number of seconds"),
    ],
)
@pytest.mark.parametrize("use", [open_store, upgrade_store])
def test_a_url_that_cannot_be_a_store_says_why_without_its_password(use: object, url: str, reason: str) -> None:
    assert callable(use)
    with pytest.raises(FluxError, match=reason) as caught:
        use(url)
    assert caught.value.code == "CONFIG_INVALID"
    assert "secret" not in str(caught.value)


def test_messages_name_the_place_without_user_and_password() -> None:
    assert place(parse_url("postgresql://ann:secret@db.example/flux")) == "PostgreSQL db.example/flux"
    assert place(parse_url("postgresql://ann:secret@/flux?host=/run/pg&sslpassword=hush")) == "PostgreSQL /run/pg/flux"
    assert place(parse_url("sqlite:////var/flux.db")) == "/var/flux.db"


def test_what_a_driver_says_is_freed_of_the_password() -> None:
    url = parse_url("postgresql://ann:p%40ss@db/flux?sslpassword=hush")
    assert redact('cannot use "password=p@ss sslpassword=hush"', url) == 'cannot use "password=*** sslpassword=***"'
