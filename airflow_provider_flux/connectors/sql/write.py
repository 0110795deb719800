"""The SQL destination: a batch is one transaction, and a bad record costs only itself."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy.engine import Connection, Transaction

from airflow_provider_flux.connectors.contract import Destination, Verdict, WriteItem, Written
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.sql.archive import Archive
from airflow_provider_flux.connectors.sql.database import Database
from airflow_provider_flux.connectors.sql.fallback import Fallback, Found
from airflow_provider_flux.connectors.sql.fault import Fault, is_database_error
from airflow_provider_flux.connectors.sql.isolate import StatementRefused, isolate
from airflow_provider_flux.connectors.sql.kinds.base import Refused, Wire
from airflow_provider_flux.connectors.sql.options import SqlDestinationOptions
from airflow_provider_flux.connectors.sql.plan import Planner, Step
from airflow_provider_flux.connectors.sql.postgres import CopyWriter
from airflow_provider_flux.connectors.sql.statements import StatementWriter
from airflow_provider_flux.connectors.sql.tables import reflect
from airflow_provider_flux.errors import BatchRejected, FluxError, OutcomeUnknown, RecordError, preview
from airflow_provider_flux.transport.tally import Tally

_PAUSES = (0.05, 0.2, 1.0)
"""Seconds to wait after a transaction that lost against another one (deadlock, serialisation)."""

_WRITTEN = Written()


class SqlDestination(Destination):
    """Writes into one table. `write` may be called from `in_flight` threads at once."""

    def __init__(self, options: SqlDestinationOptions, credentials: Credentials) -> None:
        self.batch_size = options.batch_size
        self.in_flight = options.in_flight
        self.idempotent = options.mode != "create"
        self.can_find = options.key is not None
        self._options = options
        self._key = options.key or ()
        self._database = Database(credentials, "destination", connections=options.in_flight)
        self._pauses = () if credentials.one_try else _PAUSES
        self._lock = threading.Lock()
        self._table: _OpenTable | None = None

    def write(self, items: Sequence[WriteItem]) -> list[Verdict]:
        if self._options.deletes == "ignore" and any(item.deleted for item in items):
            raise FluxError("BAD_REQUEST", "a delete was sent although the flow says `deletes: ignore`")
        table = self._open_table()
        found = self._look_up(table, items)
        plan = table.planner.plan(found.items, found.verdicts)
        verdicts: dict[int, Verdict] = {**found.verdicts, **plan.errors}
        if plan.steps:
            steps = [part for step in plan.steps for part in step.apart(found.old_keys)]
            verdicts |= _Batch(self._database, table, self._options, found.items).store(steps, self._pauses)
        return [verdicts.get(index, _WRITTEN) for index in range(len(items))]

    def find(self, items: Sequence[WriteItem]) -> list[str | None]:
        table = self._open_table()
        keys = [table.planner.key_of(item) for item in items]
        sought: dict[int, tuple[Any, ...]] = {}
        for place, key in enumerate(keys):
            if key is None:
                continue
            try:
                sought[place] = table.planner.sent_key(key)
            except Refused:
                continue  # what the table cannot hold is not in it; `write` then says what is wrong with the record
        places = list(sought)
        with self._database.connect() as connection:
            there = table.statements.there(connection, list(sought.values()), table.planner.sent_key)
        found = {places[position] for position in there}
        return [json.dumps(key, ensure_ascii=False) if place in found else None for place, key in enumerate(keys)]

    def _look_up(self, table: _OpenTable, items: Sequence[WriteItem]) -> Found:
        """What is known of the records before they are written; without `fallback_keys` nothing need be."""
        if table.fallback is None:
            return Found(list(items))
        with self._database.connect() as connection:
            return table.fallback.look(connection, items)

    def calls(self) -> Tally:
        return self._database.tally

    def close(self) -> None:
        self._database.close()

    def _open_table(self) -> _OpenTable:
        with self._lock:
            if self._table is None:
                self._table = _OpenTable(self._database, self._options)
            return self._table


class _OpenTable:
    """The table as the database declares it, with what plans and writes for it."""

    def __init__(self, database: Database, options: SqlDestinationOptions) -> None:
        table, dialect, key = reflect(database, options.table), database.dialect, options.key or ()
        copies = database.driver in ("psycopg", "psycopg2")
        wire: Wire = "copy" if copies else "sqlite" if dialect == "sqlite" else "native"
        self.label = table.label
        self.planner = Planner(table, options.mode, key, wire, dialect, options.fallback_keys)
        archive = Archive(table, options.archive, wire, dialect) if options.deletes == "archive" else None
        self.statements = StatementWriter(table, options.mode, key, wire, dialect, archive)
        self._copier = CopyWriter(database, table, options.mode, key) if copies else None
        self._archives = archive is not None
        self.fallback = Fallback(options, self.planner, self.statements) if options.fallback_keys else None

    def writer(self, step: Step) -> StatementWriter | CopyWriter:
        """What writes a step. COPY is of no use for the UPDATEs by which rows are archived, or get another key."""
        updates = step.old_keys is not None or (step.delete and self._archives)
        return self.statements if self._copier is None or updates else self._copier


class _LostTurn(Exception):
    """The transaction lost against another one and was rolled back; it may be tried again at once."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class _Batch:
    """One batch on its way into the table."""

    def __init__(
        self, database: Database, table: _OpenTable, options: SqlDestinationOptions, items: Sequence[WriteItem]
    ) -> None:
        self._database = database
        self._table = table
        self._options = options
        self._items = items

    def store(self, steps: Sequence[Step], pauses: Sequence[float]) -> dict[int, Verdict]:
        """Write all that can be written; the verdicts on the rest, by item.

        :param pauses: seconds before each further try, when another transaction won
        """
        for pause in pauses:
            try:
                return self._transactions(steps)
            except _LostTurn:
                time.sleep(pause)
        try:
            return self._transactions(steps)
        except _LostTurn as lost:
            raise self._database.failure(lost.error) from None

    def _transactions(self, steps: Sequence[Step]) -> dict[int, Verdict]:
        try:
            return self._transaction(steps, self._at_once)
        except StatementRefused:
            return self._transaction(steps, self._carefully)

    def _transaction(
        self, steps: Sequence[Step], write: Callable[[Connection, Step], dict[int, Verdict]]
    ) -> dict[int, Verdict]:
        verdicts: dict[int, Verdict] = {}
        with self._database.connect() as connection:
            # Begun by hand: what COPY does on the driver's own cursor is not seen by SQLAlchemy.
            transaction = connection.begin()
            for step in steps:
                verdicts |= write(connection, step)
            self._commit(transaction)
        return verdicts

    def _at_once(self, connection: Connection, step: Step) -> dict[int, Verdict]:
        """The usual case: no savepoint; the first bad record ends the transaction."""
        with self._sorted_errors():
            left = self._table.writer(step).write(connection, step)
        return {step.indices[position]: self._left(step.indices[position]) for position in left}

    def _carefully(self, connection: Connection, step: Step) -> dict[int, Verdict]:
        """Under savepoints, until each bad record stands alone."""
        faults: dict[int, Fault] = {}
        left: list[int] = []
        with self._table.writer(step).passes(connection, step) as passes:
            for send in passes:

                def attempt(positions: Sequence[int], send: Callable[[Sequence[int]], list[int]] = send) -> None:
                    with self._sorted_errors(), connection.begin_nested():
                        left.extend(send(positions))

                good = [position for position in range(len(step.rows)) if position not in faults]
                faults |= isolate(step, good, attempt)
        verdicts: dict[int, Verdict] = {step.indices[position]: self._left(step.indices[position]) for position in left}
        for position, fault in faults.items():
            verdicts[step.indices[position]] = self._record_error(step.indices[position], fault)
        return verdicts

    @contextmanager
    def _sorted_errors(self) -> Iterator[None]:
        """Tell apart what an error of a statement means for the transaction.

        :raises StatementRefused: a record is at fault
        :raises _LostTurn: another transaction won
        """
        try:
            yield
        except Exception as error:
            if not is_database_error(error):
                raise
            fault = self._database.fault(error)
            if fault.again:
                raise _LostTurn(error) from error
            if fault.per_record:
                raise StatementRefused(fault) from error
            raise

    def _commit(self, transaction: Transaction) -> None:
        try:
            transaction.commit()
        except Exception as error:
            if not is_database_error(error):
                raise
            fault = self._database.fault(error)
            if fault.again:
                raise _LostTurn(error) from error
            if fault.per_record:
                # A deferred constraint: it names no row, and the whole transaction is gone.
                raise BatchRejected(self._record_error(0, fault)) from error
            failure = self._database.failure(error)
            if self._options.mode == "create" and not fault.answered:
                raise OutcomeUnknown(
                    "OUTCOME_UNKNOWN",
                    f"the connection was lost during COMMIT: {failure.message}",
                    answer=failure.answer,
                ) from None
            raise failure from None

    def _left(self, index: int) -> Verdict:
        """The verdict on a record that was not written, because its row is there, or is not."""
        return Written(kept=True) if self._options.mode == "create_if_missing" else self._not_found(index)

    def _not_found(self, index: int) -> RecordError:
        data = self._items[index].data
        key = self._options.key or ()
        values = ", ".join(f"{name}={preview(data.get(name))}" for name in key)
        return RecordError(
            "RECORD_NOT_FOUND",
            f"table '{self._table.label}' has no row with {values}",
            field=", ".join(key),
            value=values,
        )

    def _record_error(self, index: int, fault: Fault) -> RecordError:
        data = self._items[index].data
        column = _column_at_fault(fault, data)
        return RecordError(
            fault.code,
            self._database.safe(fault.message),
            field=column,
            value=None if column is None else preview(data[column]),
            answer=self._database.safe(fault.answer),
        )


def _column_at_fault(fault: Fault, columns: Collection[str]) -> str | None:
    """The column that the database named, or the only one that the constraint it named speaks of."""
    if fault.column in columns:
        return fault.column
    words = re.findall(r"\w+", fault.constraint or "")
    # PostgreSQL itself names a check `<table>_<column>_check`.
    named = [name for name in columns if name in words or any(word.endswith(f"_{name}_check") for word in words)]
    return named[0] if len(named) == 1 else None
