"""Runs a flow through the proxy stage by stage, as Airflow would: with tries, clears, replays and killed workers."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_provider_flux.staging import StageFiles, open_staging
from tests.faults.people import People
from tests.faults.proxy import Faults, proxy
from tests.faults.server import Saas, serve
from tests.processes.stage_process import perform

STAGES = ("read", "transform", "write", "settle")
FLOW = "contacts"

_SOURCE = """\
source:
  connector: rest
  connection: saas
  path: /contacts
  records: data
  key: id
  cursor: {field: updated_at, lookback: 5m}
  incremental: {param: since, until: until, format: iso}
  page: {kind: cursor, param: after, next: next, size_param: limit, size: 200}
mapping: contacts
filter: "record.kind != 'test'"
"""

_BATCHES = """\
  batch: {records: records}
  results: {records: results, ok: {status: status}, error_message: error, error_field: field, id: id}
"""

_FIND = """\
  find: {path: /people, params: {id: "{key}"}, records: data, id: id}
"""

DESTINATIONS = {
    "upsert": "  path: /upsert\n  mode: upsert\n" + _BATCHES,
    "insert": "  path: /insert\n  mode: create\n" + _BATCHES,
    "find": "  path: /insert\n  mode: create\n" + _BATCHES + _FIND,
    "single upsert": '  path: "/people/{key}"\n  mode: upsert\n',
    "single insert": "  path: /people\n  mode: create\n",
    "single find": "  path: /people\n  mode: create\n" + _FIND,
}
"""By what the destination is able to do: take a record twice, neither, or be asked."""

_MAPPING = """\
rules:
  - {from: id, to: id, required: true}
  - {from: name, to: name, transforms: [trim], required: true}
  - {from: phone, to: phone, transforms: [{phone_e164: {country: US}}]}
"""


@dataclass
class Pipeline:
    """The flow `contacts` between two halves of a SaaS, through the proxy.

    :param chance: of this test's seed: when workers are killed
    :param most_tries: of a task, as Airflow is told
    :param tries: tries of tasks so far
    :param killed: workers that were killed so far
    """

    folder: Path
    saas: Saas
    faults: Faults
    chance: random.Random
    most_tries: int = 4
    tries: int = 0
    killed: int = 0
    epochs: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def write_flow(self, destination: str, *, in_flight: int, strategy: str, batch_size: int) -> None:
        """:param destination: one of DESTINATIONS"""
        flow = (
            f"{_SOURCE}errors: {{strategy: {strategy}}}\n"
            f"destination:\n  connector: rest\n  connection: saas\n  key: id\n  batch_size: {batch_size}\n"
            f"  in_flight: {in_flight}\n{DESTINATIONS[destination]}"
        )
        (self.folder / "include/flows").mkdir(parents=True)
        (self.folder / "include/mappings/contacts").mkdir(parents=True)
        (self.folder / "include/flows/contacts.yaml").write_text(flow)
        (self.folder / "include/mappings/contacts/v1.yaml").write_text(_MAPPING)

    def run(self, run_id: str, first: str = "read", *, kills: int = 0, **order: Any) -> dict[str, Any]:
        """A DAG run, or what a clear from the stage `first` does again: a task that fails for good ends in settle.

        :param kills: how many tries of the write stage are killed, at a random moment each
        :param order: trigger, replay
        :return: the run's row as settle left it
        """
        started = time.monotonic()
        for stage in STAGES[STAGES.index(first) : -1]:
            if not self._task(stage, run_id, kills if stage == "write" else 0, order):
                break
        settled = self._try("settle", run_id, order)
        assert settled[0] == 0, f"seed {self.faults.seed}, run {run_id}: settle failed: {settled[1]}"
        self.seconds += time.monotonic() - started
        row: dict[str, Any] = settled[1]["run"]
        return row

    def pass_time(self) -> int:
        """Let every automatic retry be due; how many there are."""
        due = "UPDATE flux_errors SET due_at = '2026-01-01T00:00:00.000000Z' WHERE state = 'retrying'"
        with closing(sqlite3.connect(self.folder / "flux.db")) as database, database:
            return database.execute(due).rowcount

    def waits(self, run_id: str) -> int:
        """How many records of a run wait for a person to send them again."""
        waiting = "SELECT count(*) FROM flux_errors e JOIN flux_runs r ON r.id = e.run WHERE run_id = ? AND e.state = ?"
        with closing(sqlite3.connect(self.folder / "flux.db")) as database:
            return int(database.execute(waiting, (run_id, "open")).fetchone()[0])

    def clear(self, run_id: str, first: str = "write", **order: Any) -> dict[str, Any]:
        """A person clears the task and what follows it."""
        self.epochs[run_id] = self.epochs.get(run_id, 0) + 1
        return self.run(run_id, first, **order)

    def files(self, run_id: str, stage: str, epoch: int) -> StageFiles:
        """The staged files of a stage."""
        return open_staging(str(self.folder / "staging")).files(FLOW, run_id, stage, epoch)

    @property
    def _store_url(self) -> str:
        return f"sqlite:///{self.folder}/flux.db"

    def _task(self, stage: str, run_id: str, kills: int, order: dict[str, Any]) -> bool:
        """Try as often as Airflow does; whether the task succeeded."""
        for number in range(self.most_tries):
            if number < kills:
                code, answer = self._killed(stage, run_id, order)
            else:
                code, answer = self._try(stage, run_id, order)
            if code == 0:
                return True
            if not answer["transient"]:
                return False
        return False

    def _order(self, stage: str, run_id: str, order: dict[str, Any]) -> dict[str, Any]:
        self.tries += 1
        return {
            "trigger": "scheduled",
            **order,
            "stage": stage,
            "run_id": run_id,
            "epoch": self.epochs.get(run_id, 0),
            "flow": FLOW,
            "include": str(self.folder / "include"),
            "store": self._store_url,
            "staging": str(self.folder / "staging"),
            "pid_file": str(self.folder / "pid"),
        }

    def _try(self, stage: str, run_id: str, order: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return perform(self._order(stage, run_id, order))

    def _killed(self, stage: str, run_id: str, order: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """A try in a process of its own, which gets SIGKILL around one of its writes, unless it ends before."""
        pid = self.folder / "pid"
        pid.unlink(missing_ok=True)
        at, moment = self.chance.randint(1, 30), self.chance.choice(("before", "after"))
        writes = 0

        def on_write(now: str) -> None:
            nonlocal writes
            writes += now == moment
            if now == moment and writes == at:
                os.kill(int(pid.read_text()), signal.SIGKILL)

        self.faults.on_write = on_write
        told = json.dumps(self._order(stage, run_id, order))
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.processes.stage_process", told],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        output, _ = process.communicate(timeout=300)
        self.faults.on_write = lambda moment: None
        if process.returncode == -signal.SIGKILL:
            self.killed += 1
            return 1, {"transient": True}
        answer: dict[str, Any] = json.loads(output)
        return process.returncode, answer


@contextmanager
def begin(folder: Path, contacts: People, seed: int) -> Iterator[Pipeline]:
    """The SaaS with its contacts, the proxy with its seed before it, and a pipeline over both.

    :param seed: of the faults and of the kills
    """
    saas, faults = Saas(contacts.rows), Faults(seed)
    with serve(saas) as port, proxy(port, faults) as url:
        connection = {"conn_type": "flux_rest", "host": url, "extra": {"timeout": 1, "retry_budget": 8}}
        os.environ["AIRFLOW_CONN_SAAS"] = json.dumps(connection)
        try:
            yield Pipeline(folder, saas, faults, random.Random(seed))
        finally:
            del os.environ["AIRFLOW_CONN_SAAS"]
