"""An error of a database in our words, whichever driver raised it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

OUTAGE = "OUTAGE"
"""Stands for SOURCE_OUTAGE or DESTINATION_OUTAGE, whichever side the database is on."""

Scope = Literal["record", "task"]


@dataclass(frozen=True)
class Fault:
    """What an error of a database means.

    :param code: a code of the catalogue, or `OUTAGE`
    :param message: the database's own sentence
    :param answer: all that the database said
    :param scope: whether a record of the statement is at fault, or nothing of the statement can succeed
    :param again: the transaction lost against another one and was rolled back: the same may succeed at once
    :param answered: the database itself said so, and its connection lives: nothing of the transaction was stored
    :param column: the column that the database named
    :param value: the value of that column that it named, as text
    :param constraint: the name or text of the constraint that it named
    :param line: the line of a COPY that it named, from 1
    :param connection_field: the field of the connection at fault
    :param next_step: what to do, where it is not what the catalogue says
    """

    code: str
    message: str
    answer: str = ""
    scope: Scope = "task"
    again: bool = False
    answered: bool = False
    column: str | None = None
    value: str | None = None
    constraint: str | None = None
    line: int | None = None
    connection_field: str | None = None
    next_step: str | None = None

    @property
    def per_record(self) -> bool:
        """Whether one record can be at fault while the others of its statement are good."""
        return self.scope == "record"

    def code_for(self, side: Literal["source", "destination"]) -> str:
        """The code as an error of the whole task."""
        if self.code == OUTAGE:
            return "SOURCE_OUTAGE" if side == "source" else "DESTINATION_OUTAGE"
        # While reading nobody sent a record: the database stumbled over the query.
        return "BAD_REQUEST" if self.per_record and side == "source" else self.code


def driver_error(error: BaseException) -> Any:
    """The driver's own error behind SQLAlchemy's."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def is_database_error(error: BaseException) -> bool:
    """Whether SQLAlchemy or a DB-API driver raised it (drivers share no base class but these names, PEP 249)."""
    if isinstance(error, SQLAlchemyError):
        return True
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & {"DatabaseError", "InterfaceError"})
