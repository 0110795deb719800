"""Which fault an error of a database is: tables of SQLSTATEs, SQLite and MySQL codes, and of the drivers' sentences.

A dialect that is not listed is told apart by the exception classes that every driver has (PEP 249).
Sources: https://www.postgresql.org/docs/current/errcodes-appendix.html, https://www.sqlite.org/rescode.html,
https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import exc

from airflow_provider_flux.connectors.sql.fault import OUTAGE, Fault, Scope, driver_error


class _Row(NamedTuple):
    code: str
    scope: Scope = "task"
    again: bool = False
    connection_field: str | None = None
    next_step: str | None = None


_UNIQUE_KEY = "Give the key columns a primary key or a unique index in the database, or correct `key` in the flow."

_SQLSTATES = {
    "08": _Row("CONNECTION_TIMEOUT"),
    "0A": _Row("BAD_REQUEST"),
    "21000": _Row("DUPLICATE_RECORD", "record"),  # one statement met one row twice: apart they succeed
    "22": _Row("INVALID_FORMAT", "record"),
    "22001": _Row("VALUE_TOO_LONG", "record"),
    "22003": _Row("VALUE_OUT_OF_RANGE", "record"),
    "22008": _Row("VALUE_OUT_OF_RANGE", "record"),
    "22021": _Row("INVALID_ENCODING", "record"),
    "22P05": _Row("INVALID_ENCODING", "record"),
    "23": _Row("CONSTRAINT_VIOLATED", "record"),
    "23502": _Row("REQUIRED_FIELD_MISSING", "record"),
    "23503": _Row("REFERENCE_MISSING", "record"),
    "23505": _Row("DUPLICATE_RECORD", "record"),
    "25006": _Row("PERMISSION_DENIED"),
    "28": _Row("AUTHENTICATION_FAILED", connection_field="login"),
    "3D000": _Row("CONNECTION_INVALID", connection_field="schema"),
    "3F000": _Row("NOT_FOUND"),
    "40": _Row(OUTAGE, again=True),
    "42": _Row("BAD_REQUEST"),
    "42501": _Row("PERMISSION_DENIED"),
    "42703": _Row("NOT_FOUND"),
    "42P01": _Row("NOT_FOUND"),
    "42P10": _Row("BAD_REQUEST", next_step=_UNIQUE_KEY),
    "44000": _Row("CONSTRAINT_VIOLATED", "record"),
    "53": _Row(OUTAGE),
    "54000": _Row("RECORD_REJECTED", "record"),
    "55P03": _Row(OUTAGE, again=True),
    "57": _Row(OUTAGE),
    "58": _Row(OUTAGE),
    "P0": _Row("RECORD_REJECTED", "record"),  # a trigger raised it
}
"""By SQLSTATE, or by its class (the first two characters)."""

_SQLITE = {
    "SQLITE_AUTH": _Row("PERMISSION_DENIED"),
    "SQLITE_BUSY": _Row(OUTAGE),  # after `busy_timeout`
    "SQLITE_CANTOPEN": _Row("CONNECTION_INVALID", connection_field="host"),
    "SQLITE_CONSTRAINT": _Row("CONSTRAINT_VIOLATED", "record"),
    "SQLITE_CONSTRAINT_CHECK": _Row("CONSTRAINT_VIOLATED", "record"),
    "SQLITE_CONSTRAINT_DATATYPE": _Row("INVALID_FORMAT", "record"),
    "SQLITE_CONSTRAINT_FOREIGNKEY": _Row("REFERENCE_MISSING", "record"),
    "SQLITE_CONSTRAINT_NOTNULL": _Row("REQUIRED_FIELD_MISSING", "record"),
    "SQLITE_CONSTRAINT_PRIMARYKEY": _Row("DUPLICATE_RECORD", "record"),
    "SQLITE_CONSTRAINT_ROWID": _Row("DUPLICATE_RECORD", "record"),
    "SQLITE_CONSTRAINT_TRIGGER": _Row("RECORD_REJECTED", "record"),
    "SQLITE_CONSTRAINT_UNIQUE": _Row("DUPLICATE_RECORD", "record"),
    "SQLITE_CORRUPT": _Row("CONNECTION_INVALID", connection_field="host"),
    "SQLITE_FULL": _Row(OUTAGE),
    "SQLITE_IOERR": _Row(OUTAGE),
    "SQLITE_LOCKED": _Row(OUTAGE),
    "SQLITE_MISMATCH": _Row("INVALID_FORMAT", "record"),
    "SQLITE_NOTADB": _Row("CONNECTION_INVALID", connection_field="host"),
    "SQLITE_PERM": _Row("PERMISSION_DENIED"),
    "SQLITE_READONLY": _Row("PERMISSION_DENIED"),
    "SQLITE_TOOBIG": _Row("VALUE_TOO_LONG", "record"),
}
"""By SQLite's extended result code, or by the primary code that it begins with."""

_MYSQL = {
    1044: _Row("PERMISSION_DENIED"),
    1045: _Row("AUTHENTICATION_FAILED", connection_field="login"),
    1048: _Row("REQUIRED_FIELD_MISSING", "record"),
    1049: _Row("CONNECTION_INVALID", connection_field="schema"),
    1054: _Row("NOT_FOUND"),
    1062: _Row("DUPLICATE_RECORD", "record"),
    1142: _Row("PERMISSION_DENIED"),
    1146: _Row("NOT_FOUND"),
    1205: _Row(OUTAGE, again=True),
    1213: _Row(OUTAGE, again=True),
    1264: _Row("VALUE_OUT_OF_RANGE", "record"),
    1292: _Row("INVALID_FORMAT", "record"),
    1364: _Row("REQUIRED_FIELD_MISSING", "record"),
    1366: _Row("INVALID_FORMAT", "record"),
    1406: _Row("VALUE_TOO_LONG", "record"),
    1452: _Row("REFERENCE_MISSING", "record"),
    2003: _Row("CONNECTION_TIMEOUT", connection_field="host"),
    2005: _Row("CONNECTION_TIMEOUT", connection_field="host"),
    2006: _Row("CONNECTION_TIMEOUT"),
    2013: _Row("CONNECTION_TIMEOUT"),
    3819: _Row("CONSTRAINT_VIOLATED", "record"),
    4025: _Row("CONSTRAINT_VIOLATED", "record"),  # MariaDB's
}
"""By MySQL's error number. MariaDB's own: https://mariadb.com/kb/en/mariadb-error-code-reference/"""

_MYSQL_CLIENT = 2000
"""From here on the numbers are of the client: the server did not answer."""

_SENTENCES = (
    # What the drivers say where no code comes with it: refused logins above all (libpq passes no SQLSTATE on).
    (
        r"password authentication failed|no password supplied|authentication failed",
        _Row("AUTHENTICATION_FAILED", connection_field="password"),
    ),
    (r"role \".*\" does not exist", _Row("AUTHENTICATION_FAILED", connection_field="login")),
    (r"no pg_hba.conf entry", _Row("PERMISSION_DENIED", connection_field="login")),
    (r"database \".*\" does not exist", _Row("CONNECTION_INVALID", connection_field="schema")),
    (
        r"resolve host|translate host name|Name or service not known",
        _Row("CONNECTION_TIMEOUT", connection_field="host"),
    ),
    (
        r"Connection refused|timeout expired|timed out|No such file or directory",
        _Row("CONNECTION_TIMEOUT", connection_field="host"),
    ),
    (r"too many clients|too many connections|starting up|shutting down", _Row(OUTAGE)),
    (r"no such (table|column)", _Row("NOT_FOUND")),
    (r"ON CONFLICT clause does not match", _Row("BAD_REQUEST", next_step=_UNIQUE_KEY)),
    (r"NUL \(0x00\)", _Row("INVALID_ENCODING", "record")),
)

_DETAIL = re.compile(r"Key \((?P<column>\w+)\)=\((?P<value>.*)\) (?:already exists|is not present)")
_COPY_LINE = re.compile(r"COPY \w+, line (\d+)(?:, column (\w+))?")
_MYSQL_COLUMN = re.compile(r"(?:[Cc]olumn|Field|FOREIGN KEY) \(?['`](?:[^'`]+`\.`)*(?P<column>\w+)['`]")
_MYSQL_DUPLICATE = re.compile(r"Duplicate entry '(?P<value>.*)' for key '(?:\w+\.)?(?P<column>\w+)'", re.DOTALL)
_MYSQL_CHECK = re.compile(r"CONSTRAINT `(.*?)` failed|Check constraint '(.*?)' is violated")
_SQLITE_CHECK = re.compile(r"CHECK constraint failed: (.*)", re.DOTALL)
_SQLITE_COLUMN = re.compile(r"(?:UNIQUE|NOT NULL) constraint failed: \S+\.(\w+)")


def recognise(error: Exception, dialect: str, *, connecting: bool = False) -> Fault:
    """The fault that an error of SQLAlchemy or of a driver is.

    :param connecting: the error came while the connection was made
    """
    origin = driver_error(error)
    text = _text(origin, error)
    state = getattr(origin, "sqlstate", None) or getattr(origin, "pgcode", None)
    if dialect == "postgresql" and state is not None:
        fault = _postgres(origin, text, _SQLSTATES.get(state) or _SQLSTATES.get(state[:2]) or _Row("UNKNOWN"))
        return replace(fault, answered=not state.startswith(("08", "57")))
    if dialect == "sqlite" and (name := getattr(origin, "sqlite_errorname", None)):
        row = _sqlite_row(name)
        if row is not None:
            column, check = _SQLITE_COLUMN.search(text), _SQLITE_CHECK.search(text)
            return replace(_fault(row, text), answered=True, column=column and column[1], constraint=check and check[1])
    if dialect in ("mysql", "mariadb") and origin.args and origin.args[0] in _MYSQL:
        fault = _mysql(_MYSQL[origin.args[0]], text)
        return replace(fault, answered=origin.args[0] < _MYSQL_CLIENT)
    for pattern, row in _SENTENCES:
        if re.search(pattern, text):
            return _fault(row, text)
    return _fault(_by_class(error, origin, connecting), text)


def _text(origin: Any, error: Exception) -> str:
    """The driver's own words; SQLAlchemy's would add the statement and its parameters."""
    if origin is error and isinstance(error, exc.StatementError):
        return str(error.orig or error.args[0])
    if len(origin.args) > 1 and isinstance(origin.args[1], str):
        return origin.args[1].strip()
    return str(origin).strip()


def _postgres(origin: Any, text: str, row: _Row) -> Fault:
    diag = origin.diag
    message, detail = diag.message_primary or text, diag.message_detail or ""
    column, value, line = diag.column_name, None, None
    if found := _DETAIL.search(detail):
        column, value = found["column"], found["value"]
    if found := _COPY_LINE.search(diag.context or ""):
        line, column = int(found[1]), column or found[2]
    if row.code == "REFERENCE_MISSING" and "still referenced" in detail:
        row = _Row("CONSTRAINT_VIOLATED", "record")
    answer = "\n".join(part for part in (message, detail, diag.message_hint, diag.context) if part)
    return replace(
        _fault(row, message), answer=answer, column=column, value=value, constraint=diag.constraint_name, line=line
    )


def _mysql(row: _Row, text: str) -> Fault:
    """What a sentence of MySQL or MariaDB names: a column, the value of a unique index, a check."""
    found = _MYSQL_DUPLICATE.search(text) or _MYSQL_COLUMN.search(text)
    named = {} if found is None else found.groupdict()
    check = _MYSQL_CHECK.search(text)
    constraint = check and (check[1] or check[2])
    return replace(_fault(row, text), column=named.get("column"), value=named.get("value"), constraint=constraint)


def _sqlite_row(name: str) -> _Row | None:
    while name not in _SQLITE and name.count("_") > 1:
        name = name.rpartition("_")[0]
    return _SQLITE.get(name)


def _by_class(error: Exception, origin: Any, connecting: bool) -> _Row:
    names = {kind.__name__ for kind in type(origin).__mro__}
    if connecting or getattr(error, "connection_invalidated", False):
        return _Row("CONNECTION_TIMEOUT", connection_field="host" if connecting else None)
    if "IntegrityError" in names:
        return _Row("CONSTRAINT_VIOLATED", "record")
    if "DataError" in names or (isinstance(error, exc.StatementError) and not isinstance(error, exc.DBAPIError)):
        return _Row("RECORD_REJECTED", "record")
    if isinstance(error, exc.TimeoutError) or names & {"OperationalError", "InterfaceError"}:
        # SQLite's plain errors are mistakes in the statement; elsewhere they mean that the server is in trouble.
        return _Row("BAD_REQUEST") if hasattr(origin, "sqlite_errorname") else _Row("CONNECTION_TIMEOUT")
    if "ProgrammingError" in names or isinstance(error, exc.CompileError):
        return _Row("BAD_REQUEST")
    return _Row("UNKNOWN")


def _fault(row: _Row, message: str) -> Fault:
    return Fault(
        code=row.code,
        message=message,
        answer=message,
        scope=row.scope,
        again=row.again,
        connection_field=row.connection_field,
        next_step=row.next_step,
    )
