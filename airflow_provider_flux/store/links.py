"""What was delivered last for every source key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import Executable

from airflow_provider_flux.store.part import StorePart, insert_into
from airflow_provider_flux.store.rows import Link, Run
from airflow_provider_flux.store.tables import links
from airflow_provider_flux.store.text import clean_or_none, now_text, stored_key

T = TypeVar("T")

_CHUNK = 500  # SQLite takes at most 999 parameters in builds before 3.32

_BY_KEYS = select(links.c.source_key, links.c.destination_key, links.c.version, links.c.hash, links.c.deleted).where(
    links.c.flow == bindparam("flow"), links.c.source_key.in_(bindparam("keys", expanding=True))
)


class Links(StorePart):
    """One row per flow and source key; every method raises FluxError STORE_UNAVAILABLE."""

    def links(self, flow: str, keys: Sequence[str]) -> dict[str, Link]:
        """The link rows of those of the keys that were delivered before."""
        asked = {stored_key(key): key for key in keys}
        found: dict[str, Link] = {}
        with self._database.reading() as connection:
            for chunk in chunks(list(asked), _CHUNK):
                for row in connection.execute(_BY_KEYS, {"flow": flow, "keys": chunk}):
                    key = asked[row[0]]
                    found[key] = Link(key, row[1], row[2], row[3], bool(row[4]))
        return found


def write_links(connection: Connection, run: Run, links: Iterable[Link]) -> None:
    """Note deliveries inside the caller's transaction; a link to a newer version stays as it is."""
    now = now_text()
    rows: list[dict[str, Any]] = [
        {
            "flow": run.flow,
            "source_key": stored_key(link.source_key),
            "destination_key": clean_or_none(link.destination_key),
            "version": clean_or_none(link.version),
            "hash": link.hash,
            "deleted": int(link.deleted),
            "run_id": run.run_id,
            "delivered_at": now,
        }
        for link in links
    ]
    if rows:
        # In the order of the key: two writers of the same keys then wait for each other instead of deadlocking.
        rows.sort(key=lambda row: row["source_key"])
        connection.execute(_upsert(connection.dialect.name), rows)


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in pieces of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


@lru_cache
def _upsert(dialect: str) -> Executable:
    insert = insert_into(links, dialect)
    new: Any = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=[links.c.flow, links.c.source_key],
        set_={
            # A delivery that names no key or no version leaves the known one: the guard against older versions stays.
            "destination_key": func.coalesce(new.destination_key, links.c.destination_key),
            "version": func.coalesce(new.version, links.c.version),
            "hash": new.hash,
            "deleted": new.deleted,
            "run_id": new.run_id,
            "delivered_at": new.delivered_at,
        },
        where=or_(links.c.version.is_(None), new.version.is_(None), new.version >= links.c.version),
    )
