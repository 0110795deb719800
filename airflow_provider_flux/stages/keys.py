"""Which records of a run are older versions of another record of the same run.

The index lives on disk, so that memory stays that of a batch however many records a run reads.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from airflow_provider_flux.errors import FluxError


class KeyIndex:
    """Collects (key, version) of every record and knows the superseded ones."""

    def __enter__(self) -> KeyIndex:
        self._folder = tempfile.TemporaryDirectory(prefix="flux-keys-")
        self._db = sqlite3.connect(Path(self._folder.name) / "keys.db", isolation_level=None)
        # A scratch file: nobody reads it after a crash, so it needs no journal.
        self._db.execute("PRAGMA journal_mode=OFF")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("CREATE TABLE keys (key TEXT PRIMARY KEY, ordinal INTEGER, version TEXT) WITHOUT ROWID")
        self._db.execute("CREATE TABLE superseded (ordinal INTEGER PRIMARY KEY)")
        self._db.execute("BEGIN")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()
        self._folder.cleanup()

    def add(self, records: Sequence[tuple[str, int, str | None]]) -> None:
        """Add (key, ordinal, version) of a batch.

        :raises FluxError: STAGING_FAILED when the temporary folder is full
        """
        try:
            before = self._db.total_changes
            self._db.executemany("INSERT OR IGNORE INTO keys VALUES (?, ?, ?)", records)
            if self._db.total_changes - before < len(records):
                for record in records:
                    self._judge(*record)
        except sqlite3.OperationalError as error:
            raise FluxError("STAGING_FAILED", f"the key index in {self._folder.name}: {error}") from error

    def superseded(self) -> Iterator[int]:
        """Ordinals of the older versions, ascending."""
        for (ordinal,) in self._db.execute("SELECT ordinal FROM superseded ORDER BY ordinal"):
            yield ordinal

    def _judge(self, key: str, ordinal: int, version: str | None) -> None:
        other, other_version = self._db.execute("SELECT ordinal, version FROM keys WHERE key = ?", (key,)).fetchone()
        if other == ordinal:
            return
        # Of equal versions the one read last wins: it is what the source says now.
        newer = (version or "") >= (other_version or "")
        self._db.execute("INSERT OR IGNORE INTO superseded VALUES (?)", (other if newer else ordinal,))
        if newer:
            self._db.execute("UPDATE keys SET ordinal = ?, version = ? WHERE key = ?", (ordinal, version, key))
