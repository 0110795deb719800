"""kill -9 while records go one by one into a system that has no upsert, and whose search knows none of them yet."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.contracts.servers.wire import serve
from tests.contracts.vendors.pipedrive import PipedriveVendor
from tests.processes.conftest import Flux, assert_sum_holds, contacts
from tests.processes.vendor_crash import kill_at

RECORDS = 60
FLOW = """\
source:
  connector: rest
  connection: saas
  path: /contacts
  records: data
  key: id
  cursor: {{field: updated_at}}
  incremental: {{param: since, until: until, format: iso}}
  page: {{kind: cursor, param: after, next: next, size_param: limit, size: 50}}
destination:
  connector: pipedrive
  connection: pipedrive
  object: persons
  key: {key}
  mode: {mode}
  in_flight: {in_flight}
mapping: contacts
"""
MAPPING = """\
rules:
  - {to: email, expression: "record.id ~ '@example.com'"}
  - {from: name, to: name}
"""


@pytest.fixture
def crm(monkeypatch: pytest.MonkeyPatch) -> Iterator[PipedriveVendor]:
    vendor = PipedriveVendor()
    with serve(vendor.answer) as wire:
        fields = {**vendor.connection(wire.url), "extra": {"limit": "none", "retry_budget": 0.2}}
        monkeypatch.setenv("AIRFLOW_CONN_PIPEDRIVE", json.dumps(fields))
        yield vendor


def prepare(flux: Flux, *, mode: str, in_flight: int = 1, key: str = "email") -> None:
    flux.write_flow()
    (flux.folder / "include/flows/contacts.yaml").write_text(FLOW.format(mode=mode, in_flight=in_flight, key=key))
    (flux.folder / "include/mappings/contacts/v1.yaml").write_text(MAPPING)
    flux.saas.put(*contacts(RECORDS))
    flux.stage("read", "r1")
    flux.stage("transform", "r1")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("mode", "in_flight"), [("upsert", 1), ("upsert", 4), ("create", 1), ("create", 4)])
def test_every_record_is_there_once_after_a_crash(
    flux: Flux, crm: PipedriveVendor, mode: str, in_flight: int, moment: str
) -> None:
    prepare(flux, mode=mode, in_flight=in_flight)
    kill_at(flux, crm, 27, moment, lambda call: call.method == "POST")
    assert flux.killed("write", "r1")
    assert 0 < crm.count() < RECORDS

    run = flux.run("r1", "write settle")

    assert_sum_holds(run)
    assert (run["state"], run["written"]) == ("succeeded", RECORDS)
    assert crm.count() == len(crm.stored()) == RECORDS


def test_what_cannot_be_looked_up_is_held_and_never_doubled(flux: Flux, crm: PipedriveVendor) -> None:
    prepare(flux, mode="create", key="null")
    kill_at(flux, crm, 27, "after", lambda call: call.method == "POST")
    assert flux.killed("write", "r1")

    run = flux.run("r1", "write settle")

    assert_sum_holds(run)
    assert run["held"] > 0
    assert run["held"] + run["written"] == RECORDS
    assert crm.count() == len(crm.stored())
