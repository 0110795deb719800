"""The stored errors: the inbox of records that did not arrive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Row
from sqlalchemy.sql import ColumnElement, Select

from airflow_provider_flux.store.filters import EVERYTHING, ErrorFilter
from airflow_provider_flux.store.part import StorePart
from airflow_provider_flux.store.rows import ErrorGroup, ErrorRow
from airflow_provider_flux.store.tables import errors, runs

GROUPABLE = ("code", "category", "field", "source_path", "transform", "stage", "state", "flow", "run_id", "fingerprint")
"""What `error_groups` can group by."""

_PAGE = 100  # a payload can be 1 MB

_ROWS = select(errors, runs.c.run_id).join(runs, errors.c.run == runs.c.id)


class Errors(StorePart):
    """Reads error rows; every method raises FluxError STORE_UNAVAILABLE."""

    def errors(self, filter: ErrorFilter = EVERYTHING, *, limit: int | None = None, offset: int = 0) -> list[ErrorRow]:
        """The errors, oldest first."""
        statement = _ROWS.where(*filter.conditions()).order_by(errors.c.id).limit(limit).offset(offset or None)
        return self._fetch(statement)

    def iter_errors(self, filter: ErrorFilter = EVERYTHING) -> Iterator[ErrorRow]:
        """The errors, oldest first, in the memory of a page; no transaction stays open between pages."""
        statement = _ROWS.where(*filter.conditions()).order_by(errors.c.id).limit(_PAGE)
        last = 0
        while page := self._fetch(statement.where(errors.c.id > last)):
            yield from page
            last = page[-1].id

    def count_errors(self, filter: ErrorFilter = EVERYTHING) -> int:
        """How many errors there are."""
        statement = select(func.count()).select_from(errors).where(*filter.conditions())
        with self._database.reading() as connection:
            return int(connection.execute(statement).scalar_one())

    def error_groups(
        self, by: Sequence[str], filter: ErrorFilter = EVERYTHING, *, limit: int | None = None
    ) -> list[ErrorGroup]:
        """The errors grouped, the most frequent group first, each with its newest error as example.

        :param by: names of `GROUPABLE`
        :raises ValueError: for another name
        """
        columns = [_groupable(name) for name in by]
        statement = (
            select(
                func.count(),
                func.min(errors.c.occurred_at),
                func.max(errors.c.occurred_at),
                func.max(errors.c.id),
                *columns,
            )
            .select_from(errors.join(runs, errors.c.run == runs.c.id))
            .where(*filter.conditions())
            .group_by(*columns)
            .order_by(func.count().desc(), func.max(errors.c.id).desc())
            .limit(limit)
        )
        with self._database.reading() as connection:
            # Without columns to group by, SQL answers with one row even where there is nothing to count.
            found = [row for row in connection.execute(statement) if row[0]]
        examples = {row.id: row for row in self.iter_errors(ErrorFilter(ids=[row[3] for row in found]))}
        return [
            ErrorGroup(row[0], dict(zip(by, row[4:], strict=True)), row[1], row[2], examples[row[3]]) for row in found
        ]

    def _fetch(self, statement: Select[Any]) -> list[ErrorRow]:
        with self._database.reading() as connection:
            return [_error(row) for row in connection.execute(statement)]


def _groupable(name: str) -> ColumnElement[Any]:
    if name not in GROUPABLE:
        raise ValueError(f"errors cannot be grouped by '{name}'; possible are {', '.join(GROUPABLE)}")
    return runs.c.run_id if name == "run_id" else errors.c[name]


def _error(row: Row[Any]) -> ErrorRow:
    return ErrorRow(**row._mapping)
