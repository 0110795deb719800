"""A store with many errors, as years of runs leave it."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import create_engine, insert, text
from sqlalchemy.engine import Connection

from airflow_provider_flux.errors import CATALOGUE
from airflow_provider_flux.store.causes import note_causes
from airflow_provider_flux.store.tables import errors, runs
from airflow_provider_flux.store.text import instant_text, payload_hash

PER_RUN = 500
DAYS, FLOWS, CONNECTORS, FIELDS = 90, 20, 5, 60
FIELDS_OF_A_FLOW, CODES_OF_A_FIELD = 20, 4
CODES = (
    "INVALID_EMAIL",
    "INVALID_FORMAT",
    "REQUIRED_FIELD_MISSING",
    "VALUE_TOO_LONG",
    "RECORD_REJECTED",
    "TRANSFORM_FAILED",
    "DUPLICATE_RECORD",
    "REFERENCE_MISSING",
    "RATE_LIMIT_EXCEEDED",
    "DESTINATION_OUTAGE",
    "CONNECTION_TIMEOUT",
    "OUTCOME_UNKNOWN",
    "CONSTRAINT_VIOLATED",
    "PERMISSION_DENIED",
    "RECORD_NOT_FOUND",
)
STATES = {
    "open": 0.24,
    "held": 0.03,
    "retrying": 0.02,
    "approved": 0.01,
    "resolved": 0.55,
    "superseded": 0.14,
    "discarded": 0.01,
}
_START = datetime(2026, 1, 1, tzinfo=UTC)
_CHUNK = 10_000


def fill(url: str, count: int) -> None:
    """Write that many errors into an empty store, and let the database look at them as it does by itself."""
    engine = create_engine(url, future=True)
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("PRAGMA cache_size = -500000"))
        connection.execute(insert(runs), [_run(number) for number in range(count // PER_RUN + 1)])
        rows = _rows(count)
        while chunk := list(itertools.islice(rows, _CHUNK)):
            note_causes(connection, chunk)
            _write(connection, chunk)
    if engine.dialect.name == "postgresql":
        # The server's own housekeeping does it within a minute or so.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()


def _write(connection: Connection, rows: list[dict[str, Any]]) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(insert(errors), rows)
        return
    names = list(rows[0])
    driver: Any = connection.connection.driver_connection
    with driver.cursor().copy(f"COPY flux_errors ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([row[name] for name in names])


def _run(number: int) -> dict[str, Any]:
    flow = f"flow_{number % FLOWS:02}"
    return {
        "flow": flow,
        "run_id": f"scheduled__{number}",
        "trigger": "scheduled",
        "state": "partial",
        "mapping": f"mapping_{number % FLOWS:02}",
        "window_fixed": 1,
        "started_at": instant_text(_START),
    }


def _rows(count: int) -> Iterator[dict[str, Any]]:
    dice = random.Random(7)
    states = dice.choices(list(STATES), list(STATES.values()), k=count)
    # Of the fields of a flow, and of the codes of a field, few make most of the trouble.
    fields = dice.choices(range(FIELDS_OF_A_FLOW), _falling(FIELDS_OF_A_FLOW), k=count)
    codes = dice.choices(range(CODES_OF_A_FIELD), _falling(CODES_OF_A_FIELD), k=count)
    minutes = DAYS * 24 * 60 / (count / PER_RUN)
    for number in range(count):
        flow = number // PER_RUN % FLOWS
        field = (flow * 7 + fields[number]) % FIELDS
        code = CODES[(flow + field + codes[number]) % len(CODES)]
        occurred = _START + timedelta(minutes=minutes * (number // PER_RUN), seconds=number % PER_RUN / 5)
        yield _row(number, states[number], code, field, occurred)


def _falling(count: int) -> list[float]:
    return [1 / place for place in range(1, count + 1)]


def _row(number: int, state: str, code: str, field: int, occurred: datetime) -> dict[str, Any]:
    run = number // PER_RUN
    flow = run % FLOWS
    name = f"field_{field:02}"
    over = state in ("resolved", "superseded")
    payload = json.dumps({"id": f"key-{number}", name: "not what it should be", "text": "x" * 420})
    return {
        "run": run + 1,
        "flow": f"flow_{flow:02}",
        "stage": "transform" if field % 2 else "write",
        "epoch": 0,
        "batch": number % PER_RUN // 100,
        "ordinal": number % PER_RUN,
        "source_key": f"key-{number}",
        "source_version": instant_text(occurred),
        "mapping_version": 1,
        "state": state,
        "code": code,
        "category": str(CATALOGUE[code].category),
        "field": name,
        "source_path": f"properties.{name}",
        "transform": None,
        "value": "not what it should be",
        "message": f"'not what it should be' is not what {name} takes",
        "payload": payload,
        "sent": None,
        "answer": None,
        "occurred_at": instant_text(occurred),
        "resolved_at": instant_text(occurred + timedelta(hours=number % 200)) if state == "resolved" else None,
        "resolved_by": f"scheduled__{run + FLOWS}" if over else None,
        "connector": f"connector_{flow % CONNECTORS}",
        "connection": f"connection_{flow % CONNECTORS}",
        "mapping": f"mapping_{flow:02}",
        "source_hash": payload_hash(payload),
        "attempt": 1,
        "rung": 0,
        "due_at": instant_text(occurred + timedelta(minutes=5)) if state == "retrying" else None,
        "replay_active": 0,
    }
