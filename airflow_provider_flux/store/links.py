"""What was delivered last for every source key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import text
from sqlalchemy.engine import Connection

from airflow_provider_flux.store.part import StorePart
from airflow_provider_flux.store.rows import Link, Run
from airflow_provider_flux.store.text import clean_or_none, now_text, stored_key

T = TypeVar("T")

_CHUNK = 500  # SQLite takes at most 999 parameters in builds before 3.32

# These two statements see every record of every run. psycopg takes three times their CPU to pass a batch as parameters,
# so PostgreSQL gets it as one JSON text; SQLite's driver is at its best with plain tuples.
_BY_KEYS = """
SELECT source_key, destination_key, version, hash, deleted FROM flux_links WHERE flow = ? AND source_key IN (%s)
"""
# LATERAL and LIMIT hold PostgreSQL to one look-up in the primary key per key. Left to choose, it reads all links of the
# flow, again and again, until the new table has statistics.
_BY_KEYS_IN_JSON = text(
    """
SELECT found.source_key, found.destination_key, found.version, found.hash, found.deleted
FROM json_array_elements_text(CAST(:keys AS json)) AS asked(key)
CROSS JOIN LATERAL (
    SELECT * FROM flux_links WHERE flow = :flow AND source_key = asked.key LIMIT 1
) AS found
"""
)

_UPSERT = """
INSERT INTO flux_links (flow, run_id, delivered_at, source_key, destination_key, version, hash, deleted)
%s
ON CONFLICT (flow, source_key) DO UPDATE SET
    -- A delivery that names no key or no version leaves the known one: the guard against older versions stays.
    destination_key = COALESCE(excluded.destination_key, flux_links.destination_key),
    version = COALESCE(excluded.version, flux_links.version),
    hash = excluded.hash,
    deleted = excluded.deleted,
    run_id = excluded.run_id,
    delivered_at = excluded.delivered_at
WHERE flux_links.version IS NULL OR excluded.version IS NULL OR excluded.version >= flux_links.version
"""
_SQLITE_UPSERT = _UPSERT % "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_POSTGRES_UPSERT = text(
    _UPSERT
    % """SELECT :flow, :run_id, :delivered_at, row ->> 0, row ->> 1, row ->> 2, row ->> 3, CAST(row ->> 4 AS integer)
FROM json_array_elements(CAST(:rows AS json)) AS t(row)"""
)


class Links(StorePart):
    """One row per flow and source key; every method raises FluxError STORE_UNAVAILABLE."""

    def links(self, flow: str, keys: Sequence[str]) -> dict[str, Link]:
        """The link rows of those of the keys that were delivered before."""
        asked = {stored_key(key): key for key in keys}
        if not asked:
            return {}
        with self._database.reading() as connection:
            rows = _find(connection, flow, list(asked))
        found: dict[str, Link] = {}
        for stored, destination_key, version, digest, deleted in rows:
            key = asked[stored]
            found[key] = Link(key, destination_key, version, digest, bool(deleted))
        return found


def write_links(connection: Connection, run: Run, links: Iterable[Link]) -> None:
    """Note deliveries inside the caller's transaction; a link to a newer version stays as it is."""
    rows = [
        (
            stored_key(link.source_key),
            clean_or_none(link.destination_key),
            clean_or_none(link.version),
            link.hash,
            int(link.deleted),
        )
        for link in links
    ]
    if not rows:
        return
    # In the order of the key: two writers of the same keys then wait for each other instead of deadlocking.
    rows.sort(key=_key_and_version)
    newest = {row[0]: row for row in rows}.values()
    same = (run.flow, run.run_id, now_text())
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_SQLITE_UPSERT, [same + row for row in newest])
    else:
        values = {"flow": same[0], "run_id": same[1], "delivered_at": same[2]}
        connection.execute(_POSTGRES_UPSERT, {**values, "rows": _json(list(newest))})


def _find(connection: Connection, flow: str, keys: list[str]) -> list[Any]:
    if connection.dialect.name == "sqlite":
        found: list[Any] = []
        for chunk in chunks(keys, _CHUNK):
            statement = _BY_KEYS % ", ".join("?" * len(chunk))
            found += connection.exec_driver_sql(statement, (flow, *chunk))
        return found
    return list(connection.execute(_BY_KEYS_IN_JSON, {"flow": flow, "keys": _json(keys)}))


def _json(values: list[Any]) -> str:
    return msgspec.json.encode(values).decode()


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in pieces of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _key_and_version(row: tuple[Any, ...]) -> tuple[str, str]:
    return row[0], row[2] or ""
