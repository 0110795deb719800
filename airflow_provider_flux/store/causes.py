"""What errors have in common: the flow, stage, code and field that fail, written once for however many records.

Records fail by the million, but of few causes. What errors are filtered and grouped by stands in `flux_causes`, so
that a filter picks causes from a small table, and their errors from one narrow index by fingerprint.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

from sqlalchemy.engine import Connection
from sqlalchemy.sql.expression import Executable

from airflow_provider_flux.store.part import insert_into
from airflow_provider_flux.store.tables import causes

_INDEX = re.compile(r"\[\d+\]")


class Cause(NamedTuple):
    """The columns of `flux_causes`. Its paths have `[*]` for every index: the third and the fourth line of an order
    fail for the same reason."""

    flow: str
    stage: str
    code: str
    category: str
    field: str | None
    source_path: str | None
    transform: str | None
    connector: str | None
    mapping: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Cause:
        """The cause of an error row."""
        paths = {name: row[name] and any_index(row[name]) for name in ("field", "source_path")}
        return cls(**{name: paths.get(name, row[name]) for name in cls._fields})


@lru_cache(maxsize=4096)
def fingerprint(cause: Cause) -> str:
    """The same text for the same cause, at any time and in every process; short, as every error has it in an index."""
    text = "\n".join("" if part is None else part for part in cause)
    return blake2b(text.encode(), digest_size=8).hexdigest()


def any_index(path: str) -> str:
    """A path as causes have it: `lines[3].sku` becomes `lines[*].sku`."""
    return _INDEX.sub("[*]", path)


def note_causes(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Add the causes of error rows that are not known yet, and give every row its `fingerprint`."""
    found: dict[str, Cause] = {}
    for row in rows:
        cause = Cause.of(row)
        row["fingerprint"] = fingerprint(cause)
        found[row["fingerprint"]] = cause
    # Always in one order: two processes that meet the same new causes wait instead of deadlocking.
    new = [{"fingerprint": number, **found[number]._asdict()} for number in sorted(found)]
    connection.execute(_note(connection.dialect.name), new)


@lru_cache
def _note(dialect: str) -> Executable:
    return insert_into(causes, dialect).on_conflict_do_nothing(index_elements=[causes.c.fingerprint])
