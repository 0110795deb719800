from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import exc

from airflow_provider_flux.connectors.sql import recognise as module
from airflow_provider_flux.connectors.sql.fault import OUTAGE
from airflow_provider_flux.connectors.sql.recognise import recognise
from airflow_provider_flux.errors import CATALOGUE, Disposition


@pytest.mark.parametrize("table", ["_SQLSTATES", "_SQLITE", "_MYSQL", "_SENTENCES"])
def test_every_row_has_a_code_of_the_catalogue_that_fits_its_scope(table: str) -> None:
    rows: Any = getattr(module, table)
    for row in rows.values() if isinstance(rows, dict) else [row for _, row in rows]:
        code = CATALOGUE["DESTINATION_OUTAGE" if row.code == OUTAGE else row.code]
        assert (row.scope == "record") == (code.disposition is Disposition.FIX), row
        assert not row.again or code.disposition is Disposition.RETRY, row


class DriverError(Exception):
    """An error of a driver that Flux does not know, with the class names of PEP 249."""


class IntegrityError(DriverError):
    pass


class DataError(DriverError):
    pass


class OperationalError(DriverError):
    pass


class ProgrammingError(DriverError):
    pass


@pytest.mark.parametrize(
    ("origin", "wrapper", "code", "per_record"),
    [
        (IntegrityError("x"), exc.IntegrityError, "CONSTRAINT_VIOLATED", True),
        (DataError("x"), exc.DataError, "RECORD_REJECTED", True),
        (OperationalError("gone"), exc.OperationalError, "CONNECTION_TIMEOUT", False),
        (ProgrammingError("x"), exc.ProgrammingError, "BAD_REQUEST", False),
        (DriverError("x"), exc.DBAPIError, "UNKNOWN", False),
    ],
)
def test_a_database_that_is_not_listed_is_told_by_its_exception_classes(
    origin: Exception, wrapper: Any, code: str, per_record: bool
) -> None:
    fault = recognise(wrapper("INSERT INTO t", {"password": "hunter2"}, origin), "firebird")
    assert (fault.code, fault.per_record) == (code, per_record)
    assert "hunter2" not in fault.message + fault.answer


@pytest.mark.parametrize(
    ("number", "code"),
    [(1062, "DUPLICATE_RECORD"), (1406, "VALUE_TOO_LONG"), (1045, "AUTHENTICATION_FAILED"), (1213, OUTAGE)],
)
def test_mysql_is_told_by_its_numbers(number: int, code: str) -> None:
    fault = recognise(OperationalError(number, "the server's words"), "mysql")
    assert (fault.code, fault.message) == (code, "the server's words")


@pytest.mark.parametrize(
    ("number", "text", "named"),
    [
        (1406, "Data too long for column 'name' at row 1", ("name", None, None)),
        (1048, "Column 'name' cannot be null", ("name", None, None)),
        (1364, "Field 'name' doesn't have a default value", ("name", None, None)),
        (1366, "Incorrect integer value: 'x' for column `crm`.`people`.`age` at row 1", ("age", None, None)),
        (1062, "Duplicate entry 'it's' for key 'email'", ("email", "it's", None)),
        (1062, "Duplicate entry '7' for key 'people.email'", ("email", "7", None)),
        (1452, "a foreign key constraint fails (`crm`.`p`, CONSTRAINT `p_1` FOREIGN KEY (`team`) REFERENCES `teams`)",
         ("team", None, None)),
        (4025, "CONSTRAINT `people.age` failed for `crm`.`people`", (None, None, "people.age")),
        (3819, "Check constraint 'people_chk_1' is violated.", (None, None, "people_chk_1")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dialect", ["mysql", "mariadb"])
def test_the_sentences_of_mysql_name_column_value_and_constraint(
    dialect: str, number: int, text: str, named: tuple[str | None, ...]
) -> None:
    fault = recognise(OperationalError(number, text), dialect)
    assert fault.per_record
    assert (fault.column, fault.value, fault.constraint) == named


def test_a_busy_sqlite_is_an_outage_and_a_misspelt_statement_is_not() -> None:
    busy = sqlite3.OperationalError("database is locked")
    busy.sqlite_errorname = "SQLITE_BUSY_SNAPSHOT"
    assert recognise(busy, "sqlite").code == OUTAGE
    with closing(sqlite3.connect(":memory:")) as database, pytest.raises(sqlite3.OperationalError) as caught:
        database.execute("SELEC 1")
    assert recognise(caught.value, "sqlite").code == "BAD_REQUEST"
