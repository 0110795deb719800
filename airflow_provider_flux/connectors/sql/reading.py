"""One read of a window: which statements, in which order, and how their rows become pages."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from airflow_provider_flux.connectors.contract import Page, Window
from airflow_provider_flux.connectors.sql.database import Database
from airflow_provider_flux.connectors.sql.fault import driver_error
from airflow_provider_flux.connectors.sql.options import SqlSourceOptions
from airflow_provider_flux.connectors.sql.source_query import SourceQuery
from airflow_provider_flux.connectors.sql.tables import Table, near, reflect
from airflow_provider_flux.connectors.sql.tolerant import tolerate, unreadable_value
from airflow_provider_flux.connectors.sql.values import Reader
from airflow_provider_flux.connectors.sql.window import Selection, bound, within
from airflow_provider_flux.errors import FluxError

_KEYS = 100
"""Keys in one statement; SQLite takes no more than 999 parameters in some builds, and a key may have several."""


class Reading:
    """Reads the pages of a window.

    :raises FluxError: with names that look alike: NOT_FOUND for a table, FIELD_NOT_FOUND for a column that is not there
    """

    def __init__(self, database: Database, options: SqlSourceOptions) -> None:
        self._database = database
        self._options = options
        self._query = SourceQuery(options)
        table = None if options.table is None else reflect(database, options.table)
        if table is not None:
            self._check(table.columns, f"table '{options.table}'")
        names = self._names()
        self._places = {name: place for place, name in enumerate(names)}
        self._nullable_keys = [key for key in options.key if table is None or table.columns[key].nullable]
        self._reader = Reader(names, _declared(table) if database.dialect == "sqlite" else {})
        self._tolerant = False

    def pages(self, window: Window) -> Iterator[Page]:
        """The rows of the window, and perhaps more."""
        selection = self._selection(window)
        if selection is None:
            return
        cursor, keys = self._options.cursor, self._options.key
        conditions = [] if selection.condition is None else [selection.condition]
        with_key = [*conditions, *(sa.column(key).is_not(None) for key in self._nullable_keys)]
        by_cursor = cursor is not None and selection.in_order and window.start is not None
        order = (cursor.field, *keys) if cursor is not None and by_cursor else keys
        yield from self._pages(with_key, tuple(dict.fromkeys(order)))
        if self._nullable_keys:
            without_key = sa.or_(*(sa.column(key).is_(None) for key in self._nullable_keys))
            yield from self._stream([*conditions, without_key])

    def rows(self, keys: Sequence[Mapping[str, Any]]) -> Iterator[Page]:
        """The rows with these keys, in no order."""
        for start in range(0, len(keys), _KEYS):
            these = [
                sa.and_(*(sa.column(name) == bound(key[name]) for name in self._options.key))
                for key in keys[start : start + _KEYS]
            ]
            rows, scales = self._fetch(self._query.all([sa.or_(*these)]))
            if rows:
                yield self._reader.page(rows, scales)

    def _names(self) -> list[str]:
        """The columns of a record."""
        with self._database.connect() as connection:
            names = list(map(str, tuple(connection.execute(self._query.nothing()).keys())))
        self._check(names, "the query")
        double = sorted(name for name in set(names) if names.count(name) > 1)
        if double:
            raise FluxError("BAD_REQUEST", f"the query has two columns named '{double[0]}'; give one of them an alias")
        return names

    def _check(self, names: Collection[str], owner: str) -> None:
        cursor = self._options.cursor
        for option, name in [
            *(("key", name) for name in self._options.key),
            *([("cursor.field", cursor.field)] if cursor else []),
            *(("columns", name) for name in self._options.columns or ()),
        ]:
            if name not in names:
                raise FluxError(
                    "FIELD_NOT_FOUND",
                    f"connection '{self._options.connection}': {owner} has no column '{name}'{near(name, names)}",
                    next_step=f"Correct `source.{option}` in the flow file.",
                )

    def _selection(self, window: Window) -> Selection | None:
        """What to read for the window; None for nothing at all."""
        cursor = self._options.cursor
        if cursor is None or (window.start is None and window.end is None):
            return Selection()
        with self._connected() as connection:
            sample = connection.execute(self._query.sample(cursor.field)).scalar()
        if sample is None:
            return Selection() if window.start is None else None
        column: Any = sa.column(cursor.field)
        selection = within(column, window, cursor.type, sample, self._database.dialect)
        if window.start is None and selection.condition is not None:
            return Selection(sa.or_(selection.condition, column.is_(None)))
        return selection

    def _pages(self, conditions: Sequence[Any], order: Sequence[str]) -> Iterator[Page]:
        size = self._options.page_size
        places = [self._places[name] for name in order]
        after: tuple[Any, ...] | None = None
        while True:
            # One row more than a page tells whether there is more, and whether a shared key crosses the border.
            rows, scales = self._fetch(self._query.page(conditions, order, after, size + 1))
            if len(rows) <= size:
                if rows:
                    yield self._reader.page(rows, scales)
                return
            beyond = tuple(rows[-1][place] for place in places)
            while rows and tuple(rows[-1][place] for place in places) == beyond:
                rows.pop()
            if rows:
                after = tuple(rows[-1][place] for place in places)
                yield self._reader.page(rows, scales)
            else:
                same = [sa.column(name) == bound(value) for name, value in zip(order, beyond, strict=True)]
                yield from self._stream([*conditions, *same])
                after = beyond

    def _fetch(self, statement: Any) -> tuple[list[Any], list[int | None]]:
        try:
            return self._fetch_once(statement)
        except _UnreadableValue:
            self._be_tolerant()
            return self._fetch_once(statement)

    def _fetch_once(self, statement: Any) -> tuple[list[Any], list[int | None]]:
        with self._connected() as connection:
            result = connection.execute(statement)
            scales = _scales(result)
            return list(result.fetchall()), scales

    def _stream(self, conditions: Sequence[Any]) -> Iterator[Page]:
        """Rows that no key puts in order, in one query."""
        # It could not go on where it stopped, so it is prepared for every value from the start.
        self._be_tolerant()
        with self._connected() as connection:
            result = connection.execution_options(stream_results=True).execute(self._query.all(conditions))
            scales = _scales(result)
            for rows in result.partitions(self._options.page_size):
                yield self._reader.page(rows, scales)

    def _be_tolerant(self) -> None:
        self._tolerant = self._reader.suspicious = True

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with self._database.connect() as connection:
            if self._tolerant:
                tolerate(connection.connection.driver_connection, self._database.driver)
            try:
                yield connection
            except Exception as error:
                origin = driver_error(error)
                if not unreadable_value(origin):
                    raise
                if not self._tolerant:
                    raise _UnreadableValue(str(origin)) from error
                raise FluxError(
                    "BAD_REQUEST",
                    f"connection '{self._options.connection}': the driver cannot read a value: {origin}",
                    next_step="Leave the column out with `columns`, or turn it into text in a `query`.",
                ) from None


class _UnreadableValue(Exception):
    """The driver could not turn a value of the page into a Python value."""


def _declared(table: Table | None) -> dict[str, Any]:
    return {} if table is None else {name: column.type for name, column in table.columns.items()}


def _scales(result: Any) -> list[int | None]:
    return [column[5] for column in result.cursor.description]
