"""What the database says of a table: its columns, and names like the one that it does not have."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy
from sqlalchemy.engine import Connection
from sqlalchemy.exc import NoSuchTableError, SAWarning
from sqlalchemy.sql.type_api import TypeEngine

from airflow_provider_flux.connectors.sql.database import Database
from airflow_provider_flux.connectors.sql.sqlite_types import declared_types
from airflow_provider_flux.errors import FluxError


@dataclass(frozen=True)
class Column:
    """A column as the database declares it.

    :param nullable: whether it takes NULL
    :param required: whether a new row must give it a value
    :param generated: the database computes it and refuses any other value
    """

    name: str
    type: TypeEngine[Any]
    nullable: bool
    required: bool
    generated: bool = False


@dataclass(frozen=True)
class Table:
    """A table or view with its columns, by name."""

    name: str
    schema: str | None
    columns: dict[str, Column]

    @property
    def label(self) -> str:
        """The name as the flow file writes it."""
        return f"{self.schema}.{self.name}" if self.schema else self.name


def split_name(text: str) -> tuple[str | None, str]:
    """Schema and name of `schema.table` or `table`."""
    schema, _, name = text.rpartition(".")
    return schema or None, name


def reflect(database: Database, text: str) -> Table:
    """The columns of a table.

    :raises FluxError: NOT_FOUND with names that look alike
    """
    schema, name = split_name(text)
    with database.connect() as connection:
        inspector = sqlalchemy.inspect(connection)
        if schema is not None and schema not in inspector.get_schema_names():
            raise no_such_table(database, connection, text)
        try:
            with warnings.catch_warnings():
                # Types of extensions that SQLAlchemy does not know are left to the database.
                warnings.simplefilter("ignore", SAWarning)
                columns = inspector.get_columns(name, schema=schema)
                primary = inspector.get_pk_constraint(name, schema=schema)["constrained_columns"] if columns else []
        except NoSuchTableError:
            columns = []
        if not columns:
            raise no_such_table(database, connection, text)
        types = {each["name"]: each["type"] for each in columns}
        if database.dialect == "sqlite":
            types = declared_types(connection, name, schema, types)
    # SQLite fills a lone INTEGER PRIMARY KEY by itself.
    counted = database.dialect == "sqlite" and len(primary) == 1
    return Table(name, schema, {each["name"]: _column(each, types[each["name"]], primary, counted) for each in columns})


def _column(declared: Any, kind: TypeEngine[Any], primary: list[str], counted: bool) -> Column:
    is_key = declared["name"] in primary
    generated = is_key and counted and isinstance(kind, sqlalchemy.Integer)
    nullable = bool(declared["nullable"]) and (not is_key or generated)
    filled = (
        generated
        or declared.get("default") is not None
        or declared.get("autoincrement") is True
        or bool(declared.get("identity"))
        or bool(declared.get("computed"))
    )
    identity = declared.get("identity") or {}
    refused = bool(declared.get("computed")) or bool(identity.get("always"))
    return Column(declared["name"], kind, nullable or generated, not nullable and not filled, refused)


def no_such_table(database: Database, connection: Connection, text: str) -> FluxError:
    """The error for a table that is not there, with the names that are."""
    schema, name = split_name(text)
    here = f"connection '{database.credentials.conn_id}'"
    inspector = sqlalchemy.inspect(connection)
    schemas = inspector.get_schema_names()
    if schema is not None and schema not in schemas:
        return FluxError("NOT_FOUND", f"{here}: the database has no schema '{schema}'{near(schema, schemas)}")
    names = [*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)]
    return FluxError("NOT_FOUND", f"{here}: the database has no table '{text}'{near(name, names)}")


def near(name: str, names: Iterable[str]) -> str:
    """` (did you mean 'a' or 'b'?)`, or what there is, or nothing."""
    names = sorted(names)
    alike = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if alike:
        return " (did you mean " + " or ".join(f"'{each}'" for each in alike) + "?)"
    if names and len(names) <= 20:
        return " (it has " + ", ".join(names) + ")"
    return ""
