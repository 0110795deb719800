"""`housekeeping`: what is too old goes; `--dry-run` only says so."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from airflow_provider_flux.store.rows import Run
from tests.unit.cli.conftest import Call


@pytest.fixture
def old(runs: tuple[Run, Run], tmp_path: Path) -> None:
    """The runs and their errors are of last year."""
    with closing(sqlite3.connect(tmp_path / "flux.db")) as database:
        database.execute("UPDATE flux_errors SET occurred_at = '2025-01-01T00:00:00.000000Z'")
        database.execute("UPDATE flux_runs SET ended_at = '2025-01-01T00:00:00.000000Z'")
        database.commit()
    (tmp_path / "staging/contacts/scheduled__1/read-0").mkdir(parents=True)


def test_a_dry_run_changes_nothing(call: Call, old: None, tmp_path: Path) -> None:
    said = call("housekeeping", "--dry-run")
    assert said.out.splitlines() == [
        "staged files of 1 run would be removed (over 7 days ago)",
        "customer data of 4 errors would be removed (over 30 days ago)",
        "1 run would be removed with all their rows (over 400 days ago)",
    ]
    assert "by the DAG flux_housekeeping" in said.err
    assert call("housekeeping", "--dry-run", "--json").json == {
        "staging": 1, "payloads": 4, "runs": 1, "dry_run": True,
    }  # fmt: skip


def test_what_is_too_old_goes_and_unsettled_errors_keep_their_run(call: Call, old: None, tmp_path: Path) -> None:
    assert call("housekeeping", "--json").json == {"staging": 1, "payloads": 4, "runs": 1, "dry_run": False}
    assert not (tmp_path / "staging/contacts/scheduled__1").exists()
    assert [run["run_id"] for run in call("runs", "--json").json] == ["scheduled__1"]
    shown = call("errors", "show", "1").out
    assert "call me" not in shown and "(payload purged)" in shown
    assert call("housekeeping", "--json").json == {"staging": 0, "payloads": 0, "runs": 0, "dry_run": False}


def test_a_retention_of_one_setting_is_obeyed(call: Call, old: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__FLUX__RETENTION_PAYLOADS", "5200w")
    assert call("housekeeping", "--dry-run", "--json").json["payloads"] == 0


def test_a_bad_retention_is_said_before_anything_is_removed(
    call: Call, old: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__FLUX__RETENTION_RUNS", "forever")
    said = call("housekeeping")
    assert (said.code, said.out) == (1, "")
    assert "[flux] retention_runs is 'forever'" in said.err
