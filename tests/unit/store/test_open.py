"""How a store comes to be, and which ones are refused."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.store import open_store, upgrade_store
from airflow_provider_flux.store.version import REVISIONS, check_current
from tests.conftest import Postgres
from tests.unit.store.conftest import PROCESSES, EightProcesses


def execute(url: str, statement: str) -> None:
    engine = create_engine(url, future=True)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def open_and_write(url: str, number: int) -> int:
    with open_store(url) as store:
        return store.start_run("contacts", f"run-{number}", "manual", "contacts").id


def upgrade(url: str, number: int) -> str:
    return upgrade_store(url)


def test_a_sqlite_store_makes_itself_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "new" / "deep" / "flux.db"
    url = f"sqlite:///{file}"
    with open_store(url) as store:
        store.start_run("contacts", "r1", "manual", "contacts")
        modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in file.parent.iterdir()}
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert set(modes) == {"flux.db", "flux.db-wal", "flux.db-shm"}
    assert set(modes.values()) == {0o600}
    with open_store(url) as store:
        assert store.run("contacts", "r1") is not None
    assert [entry.name for entry in file.parent.iterdir()] == ["flux.db"]


def test_eight_processes_may_open_a_new_store_at_once(tmp_path: Path, eight: EightProcesses) -> None:
    url = f"sqlite:///{tmp_path}/new/flux.db"
    assert sorted(eight.run(open_and_write, url)) == list(range(1, PROCESSES + 1))
    assert [entry.name for entry in (tmp_path / "new").iterdir()] == ["flux.db"]


def test_eight_processes_may_upgrade_a_database_at_once(pg: Postgres, eight: EightProcesses) -> None:
    url = pg.new_database()
    said = sorted(eight.run(upgrade, url))
    assert [sentence.split(" at ")[0] for sentence in said] == ["The store"] * 7 + ["The tables"]
    open_store(url).close()


def test_what_a_killed_maker_left_does_no_harm(tmp_path: Path) -> None:
    for name in ("flux.db.part", "flux.db.part-wal", "flux.db.part-journal"):
        (tmp_path / name).write_bytes(b"half a page")
    (tmp_path / "flux.db").touch()
    open_and_write(f"sqlite:///{tmp_path}/flux.db", 1)
    assert [entry.name for entry in tmp_path.iterdir()] == ["flux.db"]


def test_the_log_of_a_deleted_store_is_not_played_into_the_new_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/flux.db"
    with open_store(url) as store:
        store.start_run("contacts", "old", "manual", "contacts")
        log = (tmp_path / "flux.db-wal").read_bytes()
    (tmp_path / "flux.db").unlink()
    (tmp_path / "flux.db-wal").write_bytes(log)
    with open_store(url) as store:
        assert store.runs() == []


def test_opening_is_quick_and_needs_no_alembic(sqlite_url: str) -> None:
    open_store(sqlite_url).close()
    began = time.process_time()
    open_store(sqlite_url).close()
    assert time.process_time() - began < 0.02
    code = "import sys; from airflow_provider_flux.store import open_store; open_store(sys.argv[1]).close(); "
    code += "sys.exit('alembic' in sys.modules or 'airflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code, sqlite_url], check=True)


def test_a_database_without_tables_says_what_to_run(pg: Postgres) -> None:
    url = pg.new_database()
    with pytest.raises(FluxError, match="has no tables of Flux") as caught:
        open_store(url)
    assert caught.value.code == "STORE_VERSION"
    assert "airflow-flux db upgrade" in caught.value.next_step
    assert "were made" in upgrade_store(url)
    assert "already has version" in upgrade_store(url)
    open_and_write(url, 1)


def test_the_sqlite_file_of_somebody_else_is_left_alone_until_db_upgrade(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE theirs (id INTEGER)")
    url = f"sqlite:///{file}"
    with pytest.raises(FluxError, match="has no tables of Flux"):
        open_store(url)
    upgrade_store(url)
    open_and_write(url, 1)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM theirs").fetchone() == (0,)


def test_upgrade_makes_a_new_sqlite_store(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/flux.db"
    assert upgrade_store(url) == f"The store at {tmp_path}/new/flux.db was made, version {REVISIONS[-1]}."
    assert upgrade_store(url) == f"The store at {tmp_path}/new/flux.db already has version {REVISIONS[-1]}."


def test_a_store_of_a_newer_flux_is_refused_by_opening_and_by_upgrading(store_url: str) -> None:
    execute(store_url, "UPDATE flux_version SET version_num = '9999'")
    try:
        for use in (open_store, upgrade_store):
            with pytest.raises(FluxError, match="has version 9999, which this Flux does not know") as caught:
                use(store_url)
            assert caught.value.code == "STORE_VERSION"
            assert "newest Flux" in caught.value.next_step
    finally:
        execute(store_url, f"UPDATE flux_version SET version_num = '{REVISIONS[-1]}'")


def test_an_older_store_says_what_to_run() -> None:
    with pytest.raises(FluxError, match="the store at here has version 0001, this Flux needs 0002") as caught:
        check_current("0001", "here", known=("0001", "0002"))
    assert caught.value.code == "STORE_VERSION"
    assert caught.value.next_step == "Run `airflow-flux db upgrade`."


@pytest.mark.parametrize("damage", ["DELETE FROM flux_version", "DROP TABLE flux_version"])
def test_tables_without_a_version_are_refused(tmp_path: Path, pg: Postgres, damage: str) -> None:
    for url in (f"sqlite:///{tmp_path}/flux.db", pg.new_database()):
        upgrade_store(url)
        execute(url, damage)
        for use in (open_store, upgrade_store):
            with pytest.raises(FluxError, match="flux_version does not say of which version") as caught:
                use(url)
            assert caught.value.code == "STORE_VERSION"
            assert "backup" in caught.value.next_step


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "flux.db").write_text("Dear diary," * 100)
    with pytest.raises(FluxError, match="file is not a database") as caught:
        open_store(f"sqlite:///{tmp_path}/flux.db")
    assert caught.value.code == "STORE_UNAVAILABLE"
    assert (tmp_path / "flux.db").read_text().startswith("Dear diary,")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FluxError, match=f"the store at {tmp_path}/file/flux.db cannot be made: ") as caught:
        open_store(f"sqlite:///{tmp_path}/file/flux.db")
    assert caught.value.code == "STORE_UNAVAILABLE"


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    for use in (open_store, upgrade_store):
        with pytest.raises(FluxError, match=r"PostgreSQL 127\.0\.0\.1:1/flux") as caught:
            use("postgresql://ann:s3cret@127.0.0.1:1/flux")
        assert caught.value.code == "STORE_UNAVAILABLE"
        assert caught.value.transient
        assert "s3cret" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.next_step}"


def test_a_store_may_be_opened_in_a_forked_process(sqlite_url: str) -> None:
    with open_store(sqlite_url) as store:
        store.start_run("contacts", "parent", "manual", "contacts")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if open_and_write(sqlite_url, 7) == 2 else 1
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
