"""Makes the tables of a new store, and brings an older one up to date."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import URL, Connection

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.store.address import parse_url, place, sqlite_file
from airflow_provider_flux.store.database import Database
from airflow_provider_flux.store.version import REVISIONS, VERSION_TABLE, check_known, revision

MIGRATIONS = Path(__file__).parent / "migrations"

_ADVISORY_LOCK = 0x466C7578  # "Flux"; any number that every upgrade of a store takes
_SQLITE_COMPANIONS = ("", "-wal", "-shm", "-journal")


def upgrade_store(url: str) -> str:
    """Bring the store to the version that this code needs; any number of processes may do so at once.

    :return: what was done, in a sentence
    :raises FluxError: STORE_VERSION when the store is of a newer Flux, STORE_UNAVAILABLE when it cannot be reached
    """
    target = parse_url(url)
    if create_sqlite(target):
        return f"The store at {place(target)} was made, version {REVISIONS[-1]}."
    database = Database(target)
    try:
        with database.writing() as connection:
            before = _upgrade(connection, place(target))
    finally:
        database.close()
    if before == REVISIONS[-1]:
        return f"The store at {place(target)} already has version {before}."
    if before is None:
        return f"The tables at {place(target)} were made, version {REVISIONS[-1]}."
    return f"The store at {place(target)} was upgraded from version {before} to {REVISIONS[-1]}."


def create_sqlite(url: URL) -> bool:
    """Make the file and the tables of a SQLite store that is not there yet.

    The file appears under its name complete or not at all, so a process that is killed here leaves no half a store.

    :return: whether it was made; False for another database, or where another process was first
    :raises FluxError: STORE_UNAVAILABLE when the folder or the file cannot be made
    """
    file = sqlite_file(url)
    if file is None:
        return False
    try:
        if _has_content(file):
            return False
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _folder_lock(file.parent):
            if _has_content(file):
                return False
            _build(url, file)
    except OSError as error:
        raise FluxError("STORE_UNAVAILABLE", f"the store at {file} cannot be made: {error.strerror}") from error
    return True


def _build(url: URL, file: Path) -> None:
    part = file.with_name(f"{file.name}.part")
    # What a killed process left, and the log of a store that was deleted without it: SQLite would play that
    # into the new file.
    for stale in [part, file]:
        for suffix in _SQLITE_COMPANIONS:
            stale.with_name(stale.name + suffix).unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    database = Database(url.set(database=str(part)))
    try:
        with database.writing() as connection:
            _upgrade(connection, str(file))
    finally:
        database.close()
    part.replace(file)


def _upgrade(connection: Connection, where: str) -> str | None:
    """Run the migrations that are missing inside the open transaction; the revision before."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})
    before = revision(connection, where)
    if before is not None:
        check_known(before, where)
    if before != REVISIONS[-1]:
        _run_alembic(connection)
    return before


def _run_alembic(connection: Connection) -> None:
    # Half a second of imports that only an upgrade pays for.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["version_table"] = VERSION_TABLE
    command.upgrade(config, REVISIONS[-1])


def _has_content(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except FileNotFoundError:
        return False


@contextmanager
def _folder_lock(folder: Path) -> Iterator[None]:
    """Only one process at a time; the lock goes with the process, however it ends."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
