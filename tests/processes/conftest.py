"""A flow between two halves of a small SaaS, each stage in a process of its own that a test may kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_flux.stages.promotion import promote
from airflow_provider_flux.store import Store, open_store
from tests.processes.saas import Saas, serve
from tests.processes.stage_process import perform

FLOW = """\
source:
  connector: rest
  connection: saas
  path: /contacts
  records: data
  key: id
  cursor: {{field: updated_at, lookback: 5m}}
  incremental: {{param: since, until: until, format: iso}}
  page: {{kind: cursor, param: after, next: next, size_param: limit, size: 50}}
destination:
  connector: rest
  connection: saas
  path: /{endpoint}
  mode: {mode}
  key: id
  batch_size: 20
  in_flight: {in_flight}
  batch: {{records: records}}
  results: {{records: results, ok: {{status: status}}, error_message: error, error_field: field, id: id}}
mapping: contacts
errors: {errors}
batch: 100
"""

MAPPING = """\
rules:
  - {from: id, to: id, required: true}
  - {from: name, to: name, transforms: [trim], required: true}
  - {from: phone, to: phone, transforms: [{phone_e164: {country: US}}]}
  - {from: updated_at, to: updated_at, transforms: [date_iso]}
"""


@dataclass
class Result:
    """How a stage ended."""

    code: int
    answer: dict[str, Any]


@dataclass
class Flux:
    """Runs stages of the flow `contacts`, one process each."""

    folder: Path
    saas: Saas
    store_url: str
    staging: str = ""

    @property
    def pid(self) -> int:
        """The process id of the stage that runs now."""
        return int((self.folder / "pid").read_text())

    def write_flow(self, *, mode: str = "upsert", in_flight: int = 1, errors: str = "{}") -> None:
        """:param errors: the flow's `errors`, as YAML in one line"""
        endpoint = "upsert" if mode == "upsert" else "insert"
        (self.folder / "include/flows").mkdir(parents=True, exist_ok=True)
        (self.folder / "include/mappings/contacts").mkdir(parents=True, exist_ok=True)
        flow = FLOW.format(mode=mode, endpoint=endpoint, in_flight=in_flight, errors=errors)
        (self.folder / "include/flows/contacts.yaml").write_text(flow)
        (self.folder / "include/mappings/contacts/v1.yaml").write_text(MAPPING)

    def new_mapping(self, old: str = "country: US}}]", new: str = "country: US}}], skip_invalid: true") -> None:
        """Write version 2 of the mapping and promote it. Unless told otherwise it lets records with bad phones pass."""
        first = self.folder / "include/mappings/contacts/v1.yaml"
        first.with_name("v2.yaml").write_text(first.read_text().replace(old, new))
        with self.open_store() as store:
            promote(store, self.folder / "include", "contacts", 2, by="ann", reason=None)

    def order(self, stage: str, run_id: str, **order: Any) -> dict[str, Any]:
        """What `stage_process` is told."""
        return order | {
            "stage": stage,
            "run_id": run_id,
            "flow": "contacts",
            "include": str(self.folder / "include"),
            "store": self.store_url,
            "staging": self.staging or str(self.folder / "staging"),
            "pid_file": str(self.folder / "pid"),
        }

    def start(self, stage: str, run_id: str, **order: Any) -> subprocess.Popen[str]:
        """Begin a stage in a process of its own."""
        (self.folder / "pid").unlink(missing_ok=True)
        return subprocess.Popen(
            [sys.executable, "-m", "tests.processes.stage_process", json.dumps(self.order(stage, run_id, **order))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def killed(self, stage: str, run_id: str, **order: Any) -> bool:
        """Run a stage in a process of its own, which something in the test kills; whether it was."""
        process = self.start(stage, run_id, **order)
        process.communicate(timeout=90)
        return process.returncode == -signal.SIGKILL

    def stage(self, stage: str, run_id: str, **order: Any) -> Result:
        """Run a stage in this process."""
        code, answer = perform(self.order(stage, run_id, **order))
        return Result(code, answer)

    def run(self, run_id: str, stages: str = "read transform write settle", **order: Any) -> dict[str, Any]:
        """The stages one after another, each of which must succeed; the run's row as settle left it."""
        for stage in stages.split():
            result = self.stage(stage, run_id, **order)
            assert result.code == 0, f"{stage}: {result.answer}"
        run: dict[str, Any] = result.answer["run"]
        return run

    def open_store(self) -> Store:
        return open_store(self.store_url)


@pytest.fixture
def saas() -> Iterator[Saas]:
    with serve(Saas()) as server:
        yield server


@pytest.fixture
def flux(tmp_path: Path, saas: Saas, monkeypatch: pytest.MonkeyPatch) -> Flux:
    monkeypatch.setenv(
        "AIRFLOW_CONN_SAAS", json.dumps({"conn_type": "flux_rest", "host": saas.url, "extra": {"retry_budget": 0.2}})
    )
    flux = Flux(tmp_path, saas, f"sqlite:///{tmp_path}/flux.db")
    flux.write_flow()
    return flux


def contacts(count: int, *, bad_phones: int = 0, long_names: int = 0, minute: int = 0) -> list[dict[str, Any]]:
    """Contacts with distinct ids; the first ones have a phone with letters, the next a name that is too long."""
    records = [
        {
            "id": f"c{number:05d}",
            "name": f"Contact {number}",
            "phone": f"(415) 555-{number % 10000:04d}",
            "updated_at": f"2026-01-01T{minute // 60:02d}:{minute % 60:02d}:{number % 60:02d}.{number:06d}Z",
        }
        for number in range(count)
    ]
    for record in records[:bad_phones]:
        record["phone"] = "(415) CALL-NOW"
    for record in records[bad_phones : bad_phones + long_names]:
        record["name"] = "x" * 41
    return records


def assert_sum_holds(run: dict[str, Any]) -> None:
    """`read = written + skipped + deduplicated + failed + held + unsent`."""
    buckets = ("written", "skipped", "deduplicated", "failed", "held", "unsent")
    assert run["read"] == sum(run[bucket] for bucket in buckets), run
