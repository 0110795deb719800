"""What the declared type of a SQLite column says.

SQLite takes any word for a type and reduces it to an affinity: `POINT` is an integer for its INT, `TIMESTAMPTZ` a
number for want of anything (https://www.sqlite.org/datatype3.html#determination_of_column_affinity). SQLAlchemy reports
that affinity. Values are checked against declared types, so only a type that means what it says may count.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

_WHOLE = re.compile(r"(?:UNSIGNED )?(?:TINY|SMALL|MEDIUM|BIG)? ?INT(?:EGER)?[248]?(?: UNSIGNED)?")
_MOMENT = re.compile(r"(?:TIMESTAMP|DATETIME)(?:TZ|2|OFFSET| WITH(?:OUT)? TIME ZONE)?")


def declared_types(connection: Connection, name: str, schema: str | None, reflected: dict[str, Any]) -> dict[str, Any]:
    """The types of the columns of a table, where SQLAlchemy's are an affinity alone put right.

    :param reflected: SQLAlchemy's types, by column
    """
    quote = connection.dialect.identifier_preparer.quote_identifier
    owner = f"{quote(schema)}." if schema else ""
    rows = connection.exec_driver_sql(f"PRAGMA {owner}table_xinfo({quote(name)})").fetchall()
    known = connection.dialect.ischema_names  # type: ignore[attr-defined]  # of the dialect of SQLite
    words = {row[1]: " ".join(row[2].partition("(")[0].upper().split()) for row in rows}
    return {column: _type(words.get(column, ""), kind, known) for column, kind in reflected.items()}


def _type(word: str, reflected: Any, known: dict[str, Any]) -> Any:
    if word in known or not isinstance(reflected, (sa.Numeric, sa.Integer)) or isinstance(reflected, sa.Float):
        return reflected
    if _WHOLE.fullmatch(word):
        return sa.BigInteger()
    if _MOMENT.fullmatch(word):
        return sa.DateTime()
    if word == "JSONB":
        return sa.JSON()
    return sa.types.NullType()
