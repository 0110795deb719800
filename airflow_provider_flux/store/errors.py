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
from airflow_provider_flux.store.tables import causes, errors, runs

_OF_ROWS = ("state", "run_id")
_OF_CAUSES = ("code", "category", "field", "source_path", "transform", "stage", "flow", "connector", "mapping")
GROUPABLE = (*_OF_CAUSES, "path", "fingerprint", *_OF_ROWS)
"""What `error_groups` can group by; `path` is the target field, or the source path where there is none."""

_PAGE = 100  # a payload can be 1 MB

_ROWS = select(errors, runs.c.run_id).join(runs, errors.c.run == runs.c.id)


class Errors(StorePart):
    """Reads error rows; every method raises FluxError STORE_UNAVAILABLE."""

    def errors(
        self,
        filter: ErrorFilter = EVERYTHING,
        *,
        limit: int | None = None,
        offset: int = 0,
        newest_first: bool = False,
    ) -> list[ErrorRow]:
        """The errors, oldest first unless asked otherwise."""
        order = errors.c.id.desc() if newest_first else errors.c.id
        statement = _ROWS.where(*filter.conditions()).order_by(order).limit(limit).offset(offset or None)
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
        unknown = [name for name in by if name not in GROUPABLE]
        if unknown:
            raise ValueError(f"errors cannot be grouped by '{unknown[0]}'; possible are {', '.join(GROUPABLE)}")
        statement = _grouped(by, filter).limit(limit)
        with self._database.reading() as connection:
            # Without columns to group by, SQL answers with one row even where there is nothing to count.
            found = [row for row in connection.execute(statement) if row[0]]
        examples = {row.id: row for row in self.iter_errors(ErrorFilter(ids=[row[3] for row in found]))}
        return [
            ErrorGroup(row[0], dict(zip(by, row[4:], strict=True)), row[1], row[2], examples[row[3]]) for row in found
        ]

    def error_values(self, name: str) -> list[str]:
        """What errors have ever had in a column of `flux_causes`, for example every connector; fields as `path`s."""
        column = _causes_by()["path" if name == "field" else name]
        with self._database.reading() as connection:
            statement = select(column).where(column.is_not(None)).distinct().order_by(column)
            return [str(value) for value in connection.execute(statement).scalars()]

    def _fetch(self, statement: Select[Any]) -> list[ErrorRow]:
        with self._database.reading() as connection:
            return [_error(row) for row in connection.execute(statement)]


def _grouped(by: Sequence[str], filter: ErrorFilter) -> Select[Any]:
    """Counts by cause first, from an index alone, then adds up what is the same in the asked columns."""
    counted = _counted([name for name in _OF_ROWS if name in by], filter).subquery()
    joined = counted.join(causes, causes.c.fingerprint == counted.c.fingerprint)
    groupable = _causes_by()
    if "run_id" in by:
        joined = joined.join(runs, runs.c.id == counted.c.run_id)
        groupable["run_id"] = runs.c.run_id
    if "state" in by:
        groupable["state"] = counted.c.state
    columns = [groupable[name] for name in by]
    number, newest = func.sum(counted.c.number), func.max(counted.c.newest)
    return (
        select(number, func.min(counted.c.first), func.max(counted.c.last), newest, *columns)
        .select_from(joined)
        .group_by(*columns)
        .order_by(number.desc(), newest.desc())
    )


def _causes_by() -> dict[str, ColumnElement[Any]]:
    return {"path": func.coalesce(causes.c.field, causes.c.source_path), **causes.c}


def _counted(of_rows: Sequence[str], filter: ErrorFilter) -> Select[Any]:
    columns = [{"state": errors.c.state, "run_id": errors.c.run.label("run_id")}[name] for name in of_rows]
    return (
        select(
            errors.c.fingerprint,
            func.count().label("number"),
            func.min(errors.c.occurred_at).label("first"),
            func.max(errors.c.occurred_at).label("last"),
            func.max(errors.c.id).label("newest"),
            *columns,
        )
        .where(*filter.conditions())
        .group_by(errors.c.fingerprint, *columns)
    )


def _error(row: Row[Any]) -> ErrorRow:
    return ErrorRow(**row._mapping)
