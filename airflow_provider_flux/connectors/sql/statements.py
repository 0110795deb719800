"""Writes to any database with the statements that SQLAlchemy makes for its dialect.

SQLite (and PostgreSQL with a driver that has no COPY) upsert with ON CONFLICT. Every other dialect looks up which keys
are there, then updates those and inserts the rest. MySQL too: its ON DUPLICATE KEY UPDATE obeys any unique index, and
would overwrite another row that shares an e-mail address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from airflow_provider_flux.connectors.options import Mode
from airflow_provider_flux.connectors.sql.kinds.base import Wire
from airflow_provider_flux.connectors.sql.plan import Step
from airflow_provider_flux.connectors.sql.tables import Table

_KEYS_PER_QUERY = 100
_ON_CONFLICT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class StatementWriter:
    """Writes the steps of a plan, many rows per call of the driver.

    :param archived: makes the values of the columns that a delete sets; None where it deletes
    """

    def __init__(
        self,
        table: Table,
        mode: Mode,
        key: tuple[str, ...],
        wire: Wire,
        dialect: str,
        archived: Callable[[], Mapping[str, Any]] | None = None,
    ) -> None:
        self._table = sa.table(
            table.name,
            *(sa.column(column.name, _bound_type(column.type, wire)) for column in table.columns.values()),
            schema=table.schema,
        )
        self._mode = mode
        self._key = key
        self._insert = _ON_CONFLICT.get(dialect)
        self._archived = archived

    def write(self, connection: Connection, step: Step) -> list[int]:
        """Write one step; the positions that were left: `mode: update` found no row, `create_if_missing` found one."""
        if step.old_keys is not None:
            return self._move(connection, step, step.old_keys)
        if step.delete:
            connection.execute(self._removal(), self._keys(step))
            return []
        if self._mode == "create":
            connection.execute(sa.insert(self._table), self._values(step))
            return []
        if self._mode == "upsert" and self._insert is not None:
            connection.execute(self._upsert(step.columns), self._values(step))
            return []
        if self._mode == "create_if_missing":
            return self._create_those_missing(connection, step)
        return self._update_those_there(connection, step)

    @contextmanager
    def passes(self, connection: Connection, step: Step) -> Iterator[list[Callable[[Sequence[int]], list[int]]]]:
        """The same for chosen rows, in one pass."""

        def write(positions: Sequence[int]) -> list[int]:
            return [positions[place] for place in self.write(connection, step.part(positions))]

        yield [write]

    def there(
        self,
        connection: Connection,
        keys: Sequence[tuple[Any, ...]],
        spelt: Callable[[tuple[Any, ...]], tuple[Any, ...]] = tuple,
    ) -> set[int]:
        """The positions of the keys that are in the table.

        :param spelt: brings a key of the table into the form of those that are asked for
        """
        rows = {comparable(spelt(row)) for row in self._existing(connection, keys)}
        known = {position for position, key in enumerate(keys) if comparable(key) in rows}
        if rows - {comparable(key) for key in keys}:
            # The database found equal what we do not: a collation that ignores case, another spelling of a number.
            rest = (position for position in range(len(keys)) if position not in known)
            known |= {position for position in rest if any(self._existing(connection, [keys[position]]))}
        return known

    def _existing(self, connection: Connection, keys: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        columns = [self._table.c[name] for name in self._key]
        for start in range(0, len(keys), _KEYS_PER_QUERY):
            part = keys[start : start + _KEYS_PER_QUERY]
            there: Any
            if len(columns) == 1:
                there = columns[0].in_([key[0] for key in part])
            else:
                there = sa.or_(*(sa.and_(*(c == v for c, v in zip(columns, key, strict=True))) for key in part))
            yield from map(tuple, connection.execute(sa.select(*columns).where(there)))

    def keys_with(self, connection: Connection, fields: Sequence[str], values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The keys of the rows that hold these values; three are enough to tell that there are several."""
        there = sa.and_(*(self._table.c[name] == value for name, value in zip(fields, values, strict=True)))
        statement = sa.select(*(self._table.c[name] for name in self._key)).where(there).limit(3)
        return [tuple(row) for row in connection.execute(statement)]

    def _move(self, connection: Connection, step: Step, old_keys: Sequence[tuple[Any, ...]]) -> list[int]:
        """Update rows under the keys that they have; the positions of those that are not there any more."""
        change = sa.update(self._table).where(self._match())
        change = change.values({name: sa.bindparam(f"new_{name}") for name in step.columns})
        gone = []
        for position, (row, old) in enumerate(zip(step.rows, old_keys, strict=True)):
            given = {f"new_{name}": value for name, value in zip(step.columns, row, strict=True)}
            given |= {f"key_{name}": value for name, value in zip(self._key, old, strict=True)}
            if connection.execute(change, given).rowcount == 0:
                gone.append(position)
        return gone

    def _removal(self) -> Any:
        if self._archived is None:
            return sa.delete(self._table).where(self._match())
        return sa.update(self._table).where(self._match()).values(dict(self._archived()))

    def _create_those_missing(self, connection: Connection, step: Step) -> list[int]:
        known, new = self._by_presence(connection, step)
        if new:
            statement: Any = sa.insert(self._table)
            if self._insert is not None:
                # Should another writer have been quicker.
                statement = self._insert(self._table).on_conflict_do_nothing(index_elements=list(self._key))
            connection.execute(statement, self._values(step.part(new)))
        return known

    def _by_presence(self, connection: Connection, step: Step) -> tuple[list[int], list[int]]:
        """The positions of the rows whose key is in the table, and of the others."""
        places = [step.columns.index(name) for name in self._key]
        keys = [tuple(row[place] for place in places) for row in step.rows]
        known = self.there(connection, keys)
        return sorted(known), [position for position in range(len(keys)) if position not in known]

    def _update_those_there(self, connection: Connection, step: Step) -> list[int]:
        known, new = self._by_presence(connection, step)
        names = [name for name in step.columns if name not in self._key]
        if known and names:
            change = sa.update(self._table).where(self._match())
            change = change.values({name: sa.bindparam(f"new_{name}") for name in names})
            part = step.part(known)
            connection.execute(
                change,
                [
                    {**{f"new_{name}": row[name] for name in names}, **key}
                    for row, key in zip(self._values(part), self._keys(part), strict=True)
                ],
            )
        if new and self._mode == "upsert":
            connection.execute(sa.insert(self._table), self._values(step.part(new)))
            return []
        return new

    def _upsert(self, columns: tuple[str, ...]) -> Any:
        assert self._insert is not None
        statement = self._insert(self._table)
        names = [name for name in columns if name not in self._key]
        if not names:
            return statement.on_conflict_do_nothing(index_elements=list(self._key))
        return statement.on_conflict_do_update(
            index_elements=list(self._key), set_={name: statement.excluded[name] for name in names}
        )

    def _match(self) -> Any:
        return sa.and_(*(self._table.c[name] == sa.bindparam(f"key_{name}") for name in self._key))

    def _keys(self, step: Step) -> list[dict[str, Any]]:
        places = [(f"key_{name}", step.columns.index(name)) for name in self._key]
        return [{name: row[place] for name, place in places} for row in step.rows]

    def _values(self, step: Step) -> list[dict[str, Any]]:
        return [dict(zip(step.columns, row, strict=True)) for row in step.rows]


def comparable(key: tuple[Any, ...]) -> tuple[str, ...]:
    """A key as texts, to compare what was sent with what came back."""
    return tuple(map(str, key))


def _bound_type(kind: Any, wire: Wire) -> Any:
    if wire != "native":
        return sa.types.NullType()  # the values are in the database's own form already
    if isinstance(kind, sa.JSON):
        return sa.JSON(none_as_null=True)
    return kind
