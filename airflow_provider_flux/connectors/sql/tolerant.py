"""Reading on when one value of a page cannot be turned into a Python value.

Text that is not valid UTF-8 in SQLite or in a PostgreSQL database of encoding SQL_ASCII, and dates beyond Python's
years 1 to 9999 (`infinity` above all), make the driver refuse a whole page. Then the connection is told to hand such
values over as they are: text with its broken bytes escaped, dates as text. That is slower, hence not the rule.
"""

from __future__ import annotations

from typing import Any

_BROKEN_TEXT = "22021"
"""SQLSTATE of text in an SQL_ASCII database that is not valid UTF-8."""


def unreadable_value(origin: Any) -> bool:
    """Whether a driver failed to turn a value into a Python value."""
    if isinstance(origin, (UnicodeDecodeError, OverflowError, ValueError)):
        return True
    if "Could not decode to UTF-8" in str(origin):
        return True
    if getattr(origin, "sqlstate", None) == _BROKEN_TEXT:
        return True
    names = {kind.__name__ for kind in type(origin).__mro__}
    return "DataError" in names and getattr(origin, "sqlstate", "") is None


def tolerate(connection: Any, driver: str) -> bool:
    """Make a driver's connection hand over what it cannot read; False where the driver knows no way.

    :param connection: of the driver, not of SQLAlchemy
    """
    if driver == "pysqlite":
        connection.text_factory = _text
        return True
    if driver == "psycopg":
        _tolerate_psycopg(connection)
        return True
    return False


def _text(data: Any) -> str:
    return bytes(data).decode("utf-8", "surrogateescape")


def _tolerate_psycopg(connection: Any) -> None:
    import psycopg
    from psycopg.types import datetime as dates
    from psycopg.types.string import TextLoader

    class TolerantText(TextLoader):
        def load(self, data: Any) -> Any:
            return _text(data)

    for name in ("text", "varchar", "bpchar", "name"):
        connection.adapters.register_loader(name, TolerantText)

    def tolerant(loader: type[Any]) -> type[Any]:
        class TolerantDate(loader):  # type: ignore[misc]
            def load(self, data: Any) -> Any:
                try:
                    return super().load(data)
                except psycopg.DataError:
                    return _text(data)

        return TolerantDate

    if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
        # Until the end of the transaction the server sends the bytes as they are.
        connection.execute("SET LOCAL client_encoding TO 'SQL_ASCII'")
    connection.adapters.register_loader("date", tolerant(dates.DateLoader))
    connection.adapters.register_loader("timestamp", tolerant(dates.TimestampLoader))
    connection.adapters.register_loader("timestamptz", tolerant(dates.TimestamptzLoader))
