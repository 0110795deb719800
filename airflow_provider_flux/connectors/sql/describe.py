"""What a database says of the columns of a table, in the words that all connectors share."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.declare import Description, FieldInfo
from airflow_provider_flux.connectors.sql.database import Database
from airflow_provider_flux.connectors.sql.options import SqlDestinationOptions, SqlSourceOptions
from airflow_provider_flux.connectors.sql.source_query import SourceQuery
from airflow_provider_flux.connectors.sql.tables import Column, Table, reflect
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.tally import Tally

# `status IN ('a', 'b')`, and what PostgreSQL makes of it: `((status)::text = ANY ((ARRAY['a'::character varying, ...`.
_CHOICE = re.compile(
    r"^[\s(]*[\"`\[]?(?P<column>\w+)[\"`\]]?\)?(?:::[\w ]+)?\s*(?:IN\s*\(|=\s*ANY\s*\(+\s*ARRAY\s*\[)(?P<values>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_VALUE = re.compile(r"'((?:[^']|'')*)'")
_BETWEEN = re.compile(r"(?:::[\w ]+|[\s,()\]\[])*")

_TYPES: tuple[tuple[Any, str], ...] = (
    (sa.Boolean, "boolean"),
    (sa.Enum, "string"),
    (sa.JSON, "object"),
    (sa.ARRAY, "array"),
    (sa.Integer, "integer"),
    (sa.Numeric, "number"),
    (sa.DateTime, "datetime"),
    (sa.Date, "date"),
    (sa.String, "string"),
)


def describe(
    credentials: Credentials,
    options: SqlSourceOptions | SqlDestinationOptions | None,
    object_name: str | None,
    tally: Tally | None,
) -> Description:
    """The columns of a table, a view or the flow's query. Of a query only the names are known.

    :raises FluxError: NOT_FOUND for a table that is not there, with names that look alike; what the database answers
    """
    query = isinstance(options, SqlSourceOptions) and options.table is None and object_name is None
    name = object_name or (options.table if options is not None else None)
    database = Database(credentials, "source" if isinstance(options, SqlSourceOptions) else "destination", tally=tally)
    try:
        if query:
            assert isinstance(options, SqlSourceOptions)
            return _of_query(database, options)
        if name is None:
            raise FluxError("NOT_FOUND", f"connection '{credentials.conn_id}': name a table to describe")
        table = reflect(database, name)
        enums = _checked_values(database, table)
        return Description(table.label, tuple(_field(each, enums) for each in table.columns.values()))
    finally:
        database.close()


def _of_query(database: Database, options: SqlSourceOptions) -> Description:
    with database.connect() as connection:
        names = connection.execute(SourceQuery(options).nothing()).keys()
        return Description("(query)", tuple(FieldInfo(str(name)) for name in names))


def _field(column: Column, enums: dict[str, tuple[str, ...]]) -> FieldInfo:
    kind: Any = column.type
    listed = tuple(kind.enums) if isinstance(kind, sa.Enum) else enums.get(column.name, ())
    length = kind.length if isinstance(kind, sa.String) and not isinstance(kind, sa.Enum) else None
    return FieldInfo(
        column.name,
        next((name for known, name in _TYPES if isinstance(kind, known)), "any"),
        required=column.required,
        max_length=length,
        enum=listed,
        read_only=column.generated,
    )


def _checked_values(database: Database, table: Table) -> dict[str, tuple[str, ...]]:
    """The values that a check constraint allows in a column, where it is a plain list of texts."""
    with database.connect() as connection:
        try:
            constraints = sa.inspect(connection).get_check_constraints(table.name, schema=table.schema)
        except NotImplementedError:  # the dialect cannot say
            return {}
    found: dict[str, tuple[str, ...]] = {}
    for constraint in constraints:
        match = _CHOICE.match(constraint["sqltext"])
        if match is not None and match["column"] in table.columns:
            values = _listed(match["values"])
            if values:
                found[match["column"]] = values
    return found


def _listed(text: str) -> tuple[str, ...]:
    """The texts of a list, or nothing where there is more than a list."""
    rest = _VALUE.sub("", text)
    if _BETWEEN.fullmatch(rest) is None:
        return ()
    return tuple(value.replace("''", "'") for value in _VALUE.findall(text))
