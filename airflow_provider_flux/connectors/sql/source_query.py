"""The SELECTs of a SQL source: a table or a query, its columns, its filter, one page after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from airflow_provider_flux.connectors.sql.options import BIND, SqlSourceOptions
from airflow_provider_flux.connectors.sql.tables import split_name
from airflow_provider_flux.connectors.sql.window import bound


class SourceQuery:
    """Builds the statements that read a source.

    :param names: the columns of every record, in order; None until they are known
    """

    def __init__(self, options: SqlSourceOptions) -> None:
        self._params = options.params
        self._from: Any
        if options.table is not None:
            schema, name = split_name(options.table)
            self._from = sa.table(name, schema=schema)
        else:
            assert options.query is not None
            text = self._text(options.query.strip().rstrip(";"))
            self._from = text.columns().subquery("flux_source")
        self._where = [] if options.where is None else [self._text(f"({options.where})")]
        wanted = options.columns and (
            *options.columns,
            *options.key,
            *([options.cursor.field] if options.cursor else ()),
        )
        self._columns: list[Any] = [sa.column(name) for name in dict.fromkeys(wanted or ())] or [sa.literal_column("*")]

    def nothing(self) -> Any:
        """No row, but the names of all columns."""
        return self._select(self._columns).where(sa.false())

    def sample(self, name: str) -> Any:
        """One value of a column that is not NULL."""
        column: Any = sa.column(name)
        return self._select([column]).where(column.is_not(None)).limit(1)

    def page(self, conditions: Sequence[Any], order: Sequence[str], after: Sequence[Any] | None, limit: int) -> Any:
        """The next rows in the order of some columns.

        :param after: the values of those columns in the last row before
        """
        more = [] if after is None else [_after(order, after)]
        return self.all([*conditions, *more]).order_by(*map(sa.column, order)).limit(limit)

    def all(self, conditions: Sequence[Any]) -> Any:
        """Every row that meets the conditions, in no order."""
        return self._select(self._columns).where(*conditions)

    def _select(self, columns: Sequence[Any]) -> Any:
        return sa.select(*columns).select_from(self._from).where(*self._where)

    def _text(self, sql: str) -> Any:
        used = set(BIND.findall(sql))
        return sa.text(sql).bindparams(
            *(
                sa.bindparam(name, value, type_=sa.types.NullType())
                for name, value in self._params.items()
                if name in used
            )
        )


def _after(names: Sequence[str], values: Sequence[Any]) -> Any:
    """`(a > 1) OR (a = 1 AND b > 2) ...`, led by `a >= 1`, which an index can use."""
    columns: list[Any] = [sa.column(name) for name in names]
    choices = [
        sa.and_(*(columns[n] == bound(values[n]) for n in range(place)), columns[place] > bound(values[place]))
        for place in range(len(columns))
    ]
    if len(choices) == 1:
        return choices[0]
    return sa.and_(columns[0] >= bound(values[0]), sa.or_(*choices))
