"""The stored errors: the inbox of records that did not arrive."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement, FromClause, Select

from airflow_provider_flux.store.filters import EVERYTHING, ErrorFilter, numbered
from airflow_provider_flux.store.links import chunks
from airflow_provider_flux.store.part import StorePart
from airflow_provider_flux.store.rows import ErrorGroup, ErrorRow
from airflow_provider_flux.store.tables import causes, errors, runs

_OF_ROWS = ("state", "run_id")
_OF_CAUSES = ("code", "category", "field", "source_path", "transform", "stage", "flow", "connector", "mapping")
GROUPABLE = (*_OF_CAUSES, "path", "fingerprint", *_OF_ROWS)
"""What `error_groups` can group by; `path` is the target field, or the source path where there is none."""

_NUMBER, _OLDEST, _NEWEST = "group_number", "group_oldest", "group_newest"  # no names of columns of errors
_PAGE = 100  # a payload can be 1 MB
_RECENT = 5_000

_ROWS = select(errors, runs.c.run_id).join(runs, errors.c.run == runs.c.id)
# What filters ask about, without payloads.
_FILTERED = [errors.c[name] for name in ("id", "run", "flow", "state", "field", "source_path", "source_key")]
_FILTERED += [errors.c.occurred_at, errors.c.fingerprint]


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
        order = "desc" if newest_first else "asc"
        with self._database.reading() as connection:
            ids = _ids(connection, filter, order, limit, offset)
            return [row for chunk in chunks(ids, _PAGE) for row in _fetch(connection, chunk, order)]

    def iter_errors(self, filter: ErrorFilter = EVERYTHING) -> Iterator[ErrorRow]:
        """The errors that match now, oldest first, in the memory of a page and 8 bytes each.

        No transaction stays open between pages; each row is as it is when its page is read.
        """
        with self._database.reading() as connection:
            ids = _ids(connection, filter, "asc", None, 0)
        for chunk in chunks(ids, _PAGE):
            with self._database.reading() as connection:
                page = _fetch(connection, chunk, "asc")
            yield from page

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
        groups = _grouped(by, filter).limit(limit).subquery()
        oldest, newest = errors.alias("oldest"), errors.alias("newest")
        statement = (
            select(groups, oldest.c.occurred_at.label("first_seen"), newest, runs.c.run_id)
            .join(oldest, oldest.c.id == groups.c[_OLDEST])
            .join(newest, newest.c.id == groups.c[_NEWEST])
            .join(runs, runs.c.id == newest.c.run)
            .order_by(groups.c[_NUMBER].desc(), newest.c.id.desc())
        )
        with self._database.reading() as connection:
            return [_group(by, tuple(row)) for row in connection.execute(statement)]

    def error_values(self, name: str) -> list[str]:
        """What errors have ever had in a column of `flux_causes`, for example every connector; fields as `path`s."""
        column = _causes_by()["path" if name == "field" else name]
        with self._database.reading() as connection:
            statement = select(column).where(column.is_not(None)).distinct().order_by(column)
            return [str(value) for value in connection.execute(statement).scalars()]


def _ids(connection: Connection, filter: ErrorFilter, order: str, limit: int | None, offset: int) -> Sequence[int]:
    """The numbers of the errors that match, in order. What most match is found at once, what few match by an index."""
    if limit is not None:
        edge = select(*_FILTERED).order_by(_ordered(errors, order)).limit(_RECENT).subquery()
        statement = select(edge.c.id).where(*filter.conditions(edge)).order_by(_ordered(edge, order))
        ids = list(connection.execute(statement.limit(limit).offset(offset)).scalars())
        if len(ids) == limit:
            return ids
    # `offset` keeps the planner from walking through all errors in order until enough of them match.
    match = select(errors.c.id).where(*filter.conditions()).offset(0).subquery()
    statement = select(match.c.id).order_by(_ordered(match, order)).limit(limit).offset(offset)
    return array("q", connection.execute(statement).scalars())


def _ordered(table: FromClause, order: str) -> Any:
    return table.c.id.desc() if order == "desc" else table.c.id


def _fetch(connection: Connection, ids: Sequence[int], order: str) -> list[ErrorRow]:
    statement = _ROWS.where(numbered(ids)).order_by(_ordered(errors, order))
    return [ErrorRow(**row._mapping) for row in connection.execute(statement)]


def _grouped(by: Sequence[str], filter: ErrorFilter) -> Select[Any]:
    """Counts by cause first, from an index alone, then adds up what is the same in the asked columns."""
    counted = _counted(by, filter).subquery()
    joined = counted.join(causes, causes.c.fingerprint == counted.c.fingerprint)
    groupable = _causes_by()
    if "run_id" in by:
        joined = joined.join(runs, runs.c.id == counted.c.run_id)
        groupable["run_id"] = runs.c.run_id
    if "state" in by:
        groupable["state"] = counted.c.state
    columns = [groupable[name].label(f"group_by_{name}") for name in by]
    number, newest = func.sum(counted.c.number).label(_NUMBER), func.max(counted.c.newest).label(_NEWEST)
    return (
        select(number, func.min(counted.c.oldest).label(_OLDEST), newest, *columns)
        .select_from(joined)
        .group_by(*(groupable[name] for name in by))
        .order_by(number.desc(), newest.desc())
    )


def _group(by: Sequence[str], row: tuple[Any, ...]) -> ErrorGroup:
    place = 3 + len(by)
    names = [*errors.c.keys(), "run_id"]
    example = ErrorRow(**dict(zip(names, row[place + 1 :], strict=True)))
    return ErrorGroup(int(row[0]), dict(zip(by, row[3:place], strict=True)), row[place], example.occurred_at, example)


def _causes_by() -> dict[str, ColumnElement[Any]]:
    return {"path": func.coalesce(causes.c.field, causes.c.source_path), **causes.c}


def _counted(by: Sequence[str], filter: ErrorFilter) -> Select[Any]:
    of_run = [errors.c.run.label("run_id")] if "run_id" in by else []
    # By state in any case: so the index has the groups in order, and nothing is sorted.
    columns = [errors.c.state, errors.c.fingerprint, *of_run]
    return (
        select(
            *columns,
            func.count().label("number"),
            # Not their times: numbers ascend with them, and are quicker to compare.
            func.min(errors.c.id).label("oldest"),
            func.max(errors.c.id).label("newest"),
        )
        .where(*filter.conditions())
        .group_by(*columns)
    )
