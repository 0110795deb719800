"""One bad record among a thousand costs only itself, from the source's raw bytes to PostgreSQL."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.flow.loader import load_flow
from airflow_provider_flux.stages.context import RunContext
from airflow_provider_flux.stages.local import run_flow
from airflow_provider_flux.stages.report import RunReport
from airflow_provider_flux.staging import open_staging
from airflow_provider_flux.store import open_store
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import ErrorRow
from tests.conftest import Postgres
from tests.sql import execute

COUNT = 1000
PLACE = 437
"""Where the bad record stands."""

FLOW = """\
source: {{connector: rest, connection: api, path: /items, records: data, key: id}}
destination:
  {{connector: sql, connection: database, table: items, mode: {mode}, key: id, batch_size: 50, in_flight: {in_flight}}}
mapping: items
"""

MAPPING = """\
rules:
  - {from: id, to: id, required: true}
  - {from: email, to: email}
  - {from: name, to: name}
  - {from: amount, to: amount}
"""

TABLE = "CREATE TABLE items (id text PRIMARY KEY, email text UNIQUE, name varchar(40), amount bigint)"


def _record(number: int) -> bytes:
    return json.dumps(
        {"id": f"i{number}", "email": f"u{number}@example.com", "name": f"Name {number}", "amount": number}
    ).encode()


def _with(field: str, raw: bytes) -> Callable[[bytes], bytes]:
    """Put raw bytes in the place of a field's value."""

    def poison(record: bytes) -> bytes:
        name = json.dumps(field).encode() + b": "
        value = json.dumps(json.loads(record)[field]).encode()
        assert name + value in record
        return record.replace(name + value, name + raw)

    return poison


# name: (what happens to the record, code, field)
POISON: dict[str, tuple[Callable[[bytes], bytes], str, str | None]] = {
    "null key": (_with("id", b"null"), "KEY_MISSING", None),
    "text in a number": (_with("amount", b'"n/a"'), "INVALID_FORMAT", "amount"),
    "integer beyond bigint": (_with("amount", b"9223372036854775808"), "VALUE_OUT_OF_RANGE", "amount"),
    "integer beyond 64 bits": (_with("amount", b"1" + b"0" * 30), "VALUE_OUT_OF_RANGE", "amount"),
    "NUL in a text": (_with("name", b'"a\\u0000b"'), "INVALID_ENCODING", "name"),
    "1 MB text": (_with("name", b'"' + b"x" * 1_000_000 + b'"'), "VALUE_TOO_LONG", "name"),
    "invalid UTF-8": (_with("name", b'"caf\xe9"'), "INVALID_ENCODING", None),
    "duplicate of a unique value": (_with("email", b'"u436@example.com"'), "DUPLICATE_RECORD", "email"),
    "NaN": (_with("amount", b"NaN"), "INVALID_ENCODING", None),
    "object instead of a text": (_with("name", b'{"first": "A"}'), "INVALID_FORMAT", "name"),
}


@contextmanager
def _serving(body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class Pipe:
    """Runs the flow from given bytes into a new database."""

    def __init__(self, folder: Path, postgres: Postgres) -> None:
        self._folder = folder
        self._url = postgres.new_database()
        execute(self._url, TABLE)

    def run(self, records: list[bytes], in_flight: int, mode: str = "upsert") -> tuple[RunReport, list[ErrorRow]]:
        include = self._folder / "include"
        (include / "flows").mkdir(parents=True)
        (include / "mappings/items").mkdir(parents=True)
        (include / "flows/items.yaml").write_text(FLOW.format(in_flight=in_flight, mode=mode))
        (include / "mappings/items/v1.yaml").write_text(MAPPING)
        with (
            _serving(b'{"data": [' + b",".join(records) + b"]}") as url,
            open_store(f"sqlite:///{self._folder}/flux.db") as store,
        ):
            connections = {
                "api": Credentials("api", "flux_rest", host=url),
                "database": Credentials("database", "flux_sql", extra={"url": self._url}),
            }
            ctx = RunContext(
                flow=load_flow(include, "items"),
                run_id="poison",
                trigger="cli",
                store=store,
                staging=open_staging(str(self._folder / "staging")),
                credentials=connections.__getitem__,
                include=include,
            )
            report = run_flow(ctx)
            return report, store.errors(ErrorFilter(flow="items"))

    def count(self) -> int:
        return int(self.execute("SELECT count(*) FROM items"))

    def execute(self, statement: str) -> Any:
        return execute(self._url, statement)


@pytest.fixture
def pipe(tmp_path: Path, pg: Postgres) -> Pipe:
    return Pipe(tmp_path, pg)


@pytest.mark.parametrize("in_flight", [1, 16])
@pytest.mark.parametrize("kind", POISON)
def test_999_arrive_and_one_is_a_stored_error(pipe: Pipe, kind: str, in_flight: int) -> None:
    poison, code, field = POISON[kind]
    records = [_record(number) for number in range(COUNT)]
    records[PLACE] = poison(records[PLACE])

    report, errors = pipe.run(records, in_flight)

    run = report.run
    assert (run.state, run.read, run.written, run.failed) == ("partial", COUNT, COUNT - 1, 1)
    assert pipe.count() == COUNT - 1
    [error] = errors
    assert error.code == code
    if kind == "duplicate of a unique value":
        # Which of the two came first is the destination's business when batches fly side by side.
        assert error.source_key in ("i436", "i437")
    else:
        assert error.ordinal == PLACE
    assert error.field == field
    payload: dict[str, Any] = json.loads(error.payload)
    assert payload["email"]
    assert len(error.value or "") < 300


@pytest.mark.parametrize("in_flight", [1, 16])
def test_5_percent_bad_at_once(pipe: Pipe, in_flight: int) -> None:
    records = [_record(number) for number in range(COUNT)]
    kinds = [kind for kind in POISON if kind != "duplicate of a unique value"]
    bad = range(7, COUNT, 20)
    for turn, number in enumerate(bad):
        records[number] = POISON[kinds[turn % len(kinds)]][0](records[number])

    report, errors = pipe.run(records, in_flight)

    assert (report.run.written, report.run.failed) == (COUNT - len(bad), len(bad))
    assert pipe.count() == COUNT - len(bad)
    assert sorted(error.ordinal for error in errors) == list(bad)
    assert [error.code for error in sorted(errors, key=lambda error: error.ordinal)] == [
        POISON[kinds[turn % len(kinds)]][1] for turn in range(len(bad))
    ]


def test_a_key_read_twice_is_deduplicated_and_the_later_one_wins(pipe: Pipe) -> None:
    records = [_record(number) for number in range(COUNT)]
    records.append(_with("name", b'"Later"')(records[PLACE]))
    report, errors = pipe.run(records, 16)
    assert (report.run.state, report.run.written, report.run.deduplicated) == ("succeeded", COUNT, 1)
    assert errors == []


@pytest.mark.parametrize("in_flight", [1, 16])
@pytest.mark.parametrize("mode", ["upsert", "create"])
@pytest.mark.parametrize("bad", [[PLACE], [0, 1, 2, PLACE, COUNT - 1]])
def test_an_answer_that_nobody_knows_costs_the_record_alone_and_is_kept(
    pipe: Pipe, bad: list[int], mode: str, in_flight: int
) -> None:
    # An application's own SQLSTATE: nothing says whether it is about a record.
    pipe.execute(
        "CREATE FUNCTION curse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.name = 'cursed' THEN"
        " RAISE EXCEPTION 'the stars are against it' USING ERRCODE = 'ZX042'; END IF; RETURN NEW; END $$"
    )
    pipe.execute("CREATE TRIGGER curse BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION curse()")
    records = [_record(number) for number in range(COUNT)]
    for number in bad:
        records[number] = _with("name", b'"cursed"')(records[number])

    report, errors = pipe.run(records, in_flight, mode)

    run = report.run
    assert (run.state, run.read, run.written, run.failed) == ("partial", COUNT, COUNT - len(bad), len(bad))
    assert pipe.count() == COUNT - len(bad)
    assert sorted(error.ordinal for error in errors) == bad
    assert {(error.code, error.state) for error in errors} == {("UNKNOWN", "open")}
    assert all("the stars are against it" in (error.answer or "") for error in errors)
