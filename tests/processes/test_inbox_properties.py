"""Whatever people, ticks, replays and clears do, in whatever order: no record is lost, and none stands there twice.

After every settled run, a record whose newest version was read by a complete run and is not in the destination stands
in the inbox exactly once, unless a person gave that version up; and the sum of every run holds.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.flow.loader import load_flow
from airflow_provider_flux.inbox import review
from airflow_provider_flux.inbox.refusal import Refused
from airflow_provider_flux.inbox.retry import queue
from airflow_provider_flux.stages.context import ReplayOrder, RunContext
from airflow_provider_flux.stages.promotion import promote
from airflow_provider_flux.stages.read import read
from airflow_provider_flux.stages.settle import settle
from airflow_provider_flux.stages.transform import transform
from airflow_provider_flux.stages.write import write
from airflow_provider_flux.staging import open_staging
from airflow_provider_flux.store import open_store
from airflow_provider_flux.store.error_rows import DISCARDED, UNSETTLED
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import BUCKETS, ErrorRow, Run

KEYS = (1, 2, 3)
EMAILS = {"good": "ann@example.org", "unmappable": "ann@", "refused": "no@example.org"}
TABLE = "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT CHECK (email <> 'no@example.org'), version INTEGER)"
FLOW = """\
source: {connector: sql, connection: crm, table: people, key: id, cursor: {field: version, type: integer}}
destination: {connector: sql, connection: warehouse, table: people, key: id, batch_size: 2}
mapping: people
batch: 2
"""
MAPPING = """\
rules:
  - {from: id, to: id, required: true}
  - {from: email, to: email, required: true, transforms: [email]}
  - {from: version, to: version}
"""
STAGES: dict[str, Callable[[RunContext], Any]] = {"read": read, "transform": transform, "write": write}
WHOLE = ("read", "transform", "write")


@dataclass
class Started:
    """A run that may be cleared; `left` are the stages that it has still to do."""

    run_id: str
    trigger: str
    replay: ReplayOrder | None
    epoch: int = 0
    left: tuple[str, ...] = ()


class InboxMachine(RuleBasedStateMachine):
    """One flow of three records between two SQLite files."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="flux-inbox-")
        self.folder = Path(self._folder.name)
        self.include = self.folder / "include"
        (self.include / "flows").mkdir(parents=True)
        (self.include / "mappings" / "people").mkdir(parents=True)
        (self.include / "flows" / "people.yaml").write_text(FLOW)
        (self.include / "mappings" / "people" / "v1.yaml").write_text(MAPPING)
        (self.folder / "crm.db").touch()
        self.sql("crm", TABLE.replace("CHECK (email <> 'no@example.org')", ""))
        self.sql("warehouse", TABLE)
        self.store = open_store(f"sqlite:///{self.folder / 'flux.db'}")
        self.staging = open_staging(str(self.folder / "staging"))
        self.runs: list[Started] = []
        self.pending: list[Started] = []
        self.version = 0
        self.mapping = 1
        self.seen: dict[int, int] = {}  # by key: the newest version that a complete run has read

    def teardown(self) -> None:
        self.store.close()
        self._folder.cleanup()

    # --- what happens ----------------------------------------------------------------------------------

    @rule(key=st.sampled_from(KEYS), kind=st.sampled_from(sorted(EMAILS)))
    def change(self, key: int, kind: str) -> None:
        self.version += 1
        self.sql("crm", "INSERT OR REPLACE INTO people VALUES (?, ?, ?)", key, EMAILS[kind], self.version)

    @rule(trigger=st.sampled_from(("scheduled", "scheduled", "manual")), outage=st.booleans())
    def tick(self, trigger: str, outage: bool) -> None:
        self.perform(Started(f"run-{len(self.runs)}", trigger, None), WHOLE, outage=outage)

    @rule(one=st.booleans(), outage=st.booleans(), later=st.booleans())
    def replay(self, one: bool, outage: bool, later: bool) -> None:
        waiting = self.waiting()
        filter = ErrorFilter(ids=[waiting[0].id]) if one and waiting else ErrorFilter(flow="people")
        orders: list[dict[str, Any]] = []
        try:
            [queued] = queue(
                self.store,
                self.include,
                filter,
                by="ann",
                start=lambda flow, run_id, conf: orders.append(conf["replay"]),
            )
        except Refused:
            return
        started = Started(queued.run_id, "replay", ReplayOrder(**orders[0]))
        if later:
            started.left = WHOLE
            self.pending.append(started)
        else:
            self.perform(started, WHOLE, outage=outage)

    @precondition(lambda self: self.pending)
    @rule(outage=st.booleans(), read_only=st.booleans())
    def go_on(self, outage: bool, read_only: bool) -> None:
        started = self.pending.pop(0)
        if read_only and started.left == WHOLE:
            read(self.context(started))
            started.left = WHOLE[1:]
            self.pending.insert(0, started)
        else:
            self.perform(started, started.left, outage=outage)

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0, 9), first=st.sampled_from(WHOLE), outage=st.booleans())
    def clear(self, which: int, first: str, outage: bool) -> None:
        started = self.runs[which % len(self.runs)]
        started.epoch += 1
        self.perform(started, WHOLE[WHOLE.index(first) :], outage=outage)

    @rule()
    def mend_mapping(self) -> None:
        self.mapping += 1
        lenient = MAPPING.replace("transforms: [email]", "transforms: [email], skip_invalid: true, required: false")
        lenient = lenient.replace("required: true, transforms", "transforms")
        text = lenient if self.mapping % 2 == 0 else MAPPING
        (self.include / "mappings" / "people" / f"v{self.mapping}.yaml").write_text(text)
        promote(self.store, self.include, "people", self.mapping, by="ann", reason=None)

    @rule()
    def discard(self) -> None:
        if waiting := [row for row in self.waiting() if not row.replay_active]:
            review.discard(self.store, [waiting[0].id], "a test record", "ann")

    @rule()
    def correct(self) -> None:
        if waiting := [row for row in self.waiting() if not row.replay_active]:
            payload = review.payload_of(self.store, waiting[0].id)
            review.edit(self.store, self.include, waiting[0].id, {**payload, "email": EMAILS["good"]}, "ann")

    # --- how -------------------------------------------------------------------------------------------

    def perform(self, started: Started, stages: tuple[str, ...], *, outage: bool) -> None:
        """Do stages and settle, as Airflow would, and compare."""
        ctx = self.context(started)
        if outage:
            self.sql("warehouse", "ALTER TABLE people RENAME TO away")
        try:
            for stage in stages:
                STAGES[stage](ctx)
        except FluxError:
            pass  # settle tells it
        finally:
            if outage:
                self.sql("warehouse", "ALTER TABLE away RENAME TO people")
        run = settle(ctx).run
        if started not in self.runs:
            self.runs.append(started)
        if run.state != "failed":
            self.note_what_was_read(ctx, run)
        assert run.read == sum(getattr(run, bucket) for bucket in BUCKETS), run
        self.compare()

    def note_what_was_read(self, ctx: RunContext, run: Run) -> None:
        epoch = max(row.epoch for row in self.store.stages(run) if row.stage == "read")
        files = ctx.files("read", epoch)
        for entry in files.manifest().batches:
            for line in files.read(entry).splitlines():
                data = json.loads(line)[0]
                self.seen[data["id"]] = max(self.seen.get(data["id"], 0), data["version"])

    def compare(self) -> None:
        arrived = dict(self.rows("warehouse", "SELECT id, version FROM people"))
        rows = self.store.errors()
        for key, version in self.seen.items():
            mine = [row for row in rows if row.source_key == str(key)]
            waits = [row for row in mine if row.state in UNSETTLED]
            free = [row for row in waits if not row.replay_active]
            given_up = any(row.state == DISCARDED and _version(row) == version for row in mine)
            assert len(free) <= 1, (key, waits)
            if arrived.get(key, 0) < version and not given_up:
                assert waits, f"record {key}, version {version}, is lost: {mine}"
        if not self.pending:
            assert not [row for row in rows if row.replay_active]

    def waiting(self) -> list[ErrorRow]:
        return sorted(self.store.errors(ErrorFilter(state=UNSETTLED)), key=lambda row: row.id)

    def context(self, started: Started) -> RunContext:
        return RunContext(
            flow=load_flow(self.include, "people"),
            run_id=started.run_id,
            trigger=started.trigger,
            store=self.store,
            staging=self.staging,
            credentials=lambda conn_id: Credentials(conn_id, "sqlite", host=str(self.folder / f"{conn_id}.db")),
            include=self.include,
            epoch=started.epoch,
            replay=started.replay,
        )

    def sql(self, database: str, statement: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.folder / f"{database}.db")) as connection:
            connection.execute(statement, values)
            connection.commit()

    def rows(self, database: str, query: str) -> list[tuple[int, int]]:
        with closing(sqlite3.connect(self.folder / f"{database}.db")) as connection:
            return list(connection.execute(query))


def _version(row: ErrorRow) -> int:
    return int(json.loads(row.payload)["version"])


TestInbox = InboxMachine.TestCase
TestInbox.settings = settings(
    max_examples=15,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
