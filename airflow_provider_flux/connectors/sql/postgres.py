"""Writes to PostgreSQL by COPY into a temporary table, and from there in one statement.

COPY has no upsert; the temporary table has the columns and types of the target, so values are parsed only once.
Text format: https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from typing import Any

from sqlalchemy.engine import Connection

from airflow_provider_flux.connectors.options import Mode
from airflow_provider_flux.connectors.sql.database import Database
from airflow_provider_flux.connectors.sql.plan import Step
from airflow_provider_flux.connectors.sql.tables import Table

_STAGE = "flux_incoming_rows"
_ROW = "flux_incoming_row"
_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

_TEXTS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: _NULL,
    str: lambda value: value,
    bool: lambda value: "t" if value else "f",
    int: str,
    float: repr,
    Decimal: str,
}


def copy_lines(rows: Sequence[tuple[Any, ...]]) -> list[str]:
    """The lines of a COPY in text format, one per row."""
    return list(map("\t".join, zip(*map(_column, zip(*rows, strict=True)), strict=True)))


def _column(values: tuple[Any, ...]) -> Sequence[str]:
    types = set(map(type, values))
    if str in types:
        texts = "".join(values if len(types) == 1 else [value for value in values if type(value) is str])
        if "\\" in texts or "\t" in texts or "\n" in texts or "\r" in texts:
            values = tuple([value.translate(_ESCAPES) if type(value) is str else value for value in values])
        if len(types) == 1:
            return values
    if types == {int}:
        return list(map(str, values))
    return [_TEXTS[type(value)](value) for value in values]


class CopyWriter:
    """Writes the steps of a plan with the drivers psycopg (3) and psycopg2."""

    def __init__(self, database: Database, table: Table, mode: Mode, key: tuple[str, ...]) -> None:
        self._target = f"{_quoted(table.schema)}.{_quoted(table.name)}" if table.schema else _quoted(table.name)
        self._mode = mode
        self._key = key
        self._send = _copy_psycopg if database.driver == "psycopg" else _copy_psycopg2

    def write(self, connection: Connection, step: Step) -> list[int]:
        """Write one step; the positions that were left: `mode: update` found no row, `create_if_missing` found one."""
        numbered = self._tells_rows(step)
        with closing(connection.connection.cursor()) as cursor:
            self._create(cursor, step, numbered)
            self._copy(cursor, step, range(len(step.rows)), numbered)
            if numbered:
                left = self._write_some(cursor, step, range(len(step.rows)))
                cursor.execute(f"DROP TABLE {_STAGE}")
                return left
            # Both in one round trip; the table must be gone before the next step.
            cursor.execute(f"{self._statement(step)}; DROP TABLE {_STAGE}")
            return []

    @contextmanager
    def passes(self, connection: Connection, step: Step) -> Iterator[list[Callable[[Sequence[int]], list[int]]]]:
        """The same in two passes over chosen rows: into the temporary table, and from there."""
        with closing(connection.connection.cursor()) as cursor:
            self._create(cursor, step, numbered=True)

            def copy(positions: Sequence[int]) -> list[int]:
                self._copy(cursor, step, positions, numbered=True)
                return []

            def move(positions: Sequence[int]) -> list[int]:
                if self._tells_rows(step):
                    return self._write_some(cursor, step, positions)
                cursor.execute(self._statement(step, positions))
                return []

            yield [copy, move]
            cursor.execute(f"DROP TABLE {_STAGE}")

    def _tells_rows(self, step: Step) -> bool:
        """Whether it depends on the table which rows are written."""
        return self._mode in ("update", "create_if_missing") and not step.delete

    def _create(self, cursor: Any, step: Step, numbered: bool) -> None:
        columns = f"{f'0 AS {_ROW}, ' if numbered else ''}{self._list(step.columns)}"
        empty = f"SELECT {columns} FROM {self._target} WITH NO DATA"  # noqa: S608  all names are quoted
        cursor.execute(f"CREATE TEMP TABLE {_STAGE} ON COMMIT DROP AS {empty}")

    def _copy(self, cursor: Any, step: Step, positions: Sequence[int], numbered: bool) -> None:
        whole = len(positions) == len(step.rows)
        lines = copy_lines(step.rows if whole else [step.rows[position] for position in positions])
        if numbered:
            lines = [f"{position}\t{line}" for position, line in zip(positions, lines, strict=True)]
        self._send(cursor, f"COPY {_STAGE} FROM STDIN", ("\n".join(lines) + "\n").encode())

    def _write_some(self, cursor: Any, step: Step, positions: Sequence[int]) -> list[int]:
        """Update or insert; the positions of the rows that were not written."""
        cursor.execute(self._update(step, positions) if self._mode == "update" else self._insert(step, positions))
        written = {number for (number,) in cursor.fetchall()}
        return [position for position in positions if position not in written]

    def _update(self, step: Step, positions: Sequence[int]) -> str:
        names = [name for name in step.columns if name not in self._key] or list(self._key)
        return (
            f"UPDATE {self._target} AS t SET {self._assign(names, 's')} "  # noqa: S608
            f"FROM {_STAGE} AS s WHERE {self._match()} AND {_chosen(positions)} RETURNING s.{_ROW}"
        )

    def _insert(self, step: Step, positions: Sequence[int]) -> str:
        columns, key = self._list(step.columns), self._list(self._key)
        returned = ", ".join(f"i.{_quoted(name)}" for name in self._key)
        # A row that is there is left out before its constraints are checked; ON CONFLICT is for a quicker writer.
        there = f"EXISTS (SELECT FROM {self._target} AS t WHERE {self._match()})"
        return (
            f"WITH t AS (INSERT INTO {self._target} AS i ({columns}) "  # noqa: S608
            f"SELECT {columns} FROM {_STAGE} AS s WHERE {_chosen(positions)} AND NOT {there} "
            f"ON CONFLICT ({key}) DO NOTHING RETURNING {returned}) "
            f"SELECT s.{_ROW} FROM {_STAGE} AS s JOIN t ON {self._match()}"
        )

    def _statement(self, step: Step, positions: Sequence[int] | None = None) -> str:
        chosen = "true" if positions is None else _chosen(positions)
        if step.delete:
            return f"DELETE FROM {self._target} AS t USING {_STAGE} AS s WHERE {self._match()} AND {chosen}"  # noqa: S608
        columns = self._list(step.columns)
        insert = f"INSERT INTO {self._target} ({columns}) SELECT {columns} FROM {_STAGE} AS s WHERE {chosen}"  # noqa: S608
        if self._mode == "create":
            return insert
        names = [name for name in step.columns if name not in self._key]
        action = f"UPDATE SET {self._assign(names, 'excluded')}" if names else "NOTHING"
        return f"{insert} ON CONFLICT ({self._list(self._key)}) DO {action}"

    def _list(self, names: Sequence[str]) -> str:
        return ", ".join(map(_quoted, names))

    def _assign(self, names: Sequence[str], source: str) -> str:
        return ", ".join(f"{_quoted(name)} = {source}.{_quoted(name)}" for name in names)

    def _match(self) -> str:
        return " AND ".join(f"t.{_quoted(name)} = s.{_quoted(name)}" for name in self._key)


def _chosen(positions: Sequence[int]) -> str:
    if isinstance(positions, range):
        return f"s.{_ROW} BETWEEN {positions.start} AND {positions.stop - 1}"
    return f"s.{_ROW} = ANY ('{{{','.join(map(str, positions))}}}'::int[])"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _copy_psycopg(cursor: Any, statement: str, data: bytes) -> None:
    with cursor.copy(statement) as copy:
        copy.write(data)


def _copy_psycopg2(cursor: Any, statement: str, data: bytes) -> None:
    cursor.copy_expert(statement, io.BytesIO(data))
