"""`db upgrade`."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_flux.store import open_store
from tests.conftest import Postgres
from tests.unit.cli.conftest import Call


def test_it_makes_the_tables_where_they_do_not_make_themselves(
    call: Call, pg: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = pg.new_database()
    monkeypatch.setenv("AIRFLOW__FLUX__STORE", url)
    before = call("runs")
    assert before.code == 1
    assert before.err.startswith("STORE_VERSION: ")
    assert "airflow-flux db upgrade" in before.err
    first, second = call("db", "upgrade"), call("db", "upgrade", "--json")
    assert (first.code, second.code) == (0, 0)
    assert "were made" in first.out
    assert "already has version" in second.json["message"]
    assert call("runs").out == "No runs yet.\n"
    open_store(url).close()


def test_a_store_that_cannot_be_reached_says_what_to_check(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__FLUX__STORE", f"sqlite:///{tmp_path / 'a-file' / 'flux.db'}")
    (tmp_path / "a-file").touch()
    said = call("db", "upgrade")
    assert said.code == 1
    assert said.err.startswith("STORE_UNAVAILABLE: ")
    assert "Traceback" not in said.err
