"""kill -9 while clients go one by one into Jobber, which has no upsert, and whose search knows none of them yet."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.contracts.servers.wire import serve
from tests.contracts.vendors.jobber import Jobber
from tests.processes.conftest import Flux, assert_sum_holds, contacts
from tests.processes.vendor_crash import kill_at

RECORDS = 40
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
destination: {{connector: jobber, connection: field, object: clients, key: email, mode: {mode}, in_flight: {in_flight}}}
mapping: contacts
"""
MAPPING = """\
rules:
  - {to: email, expression: "record.id ~ '@example.com'"}
  - {from: name, to: lastName}
"""


@pytest.fixture
def jobber(monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobber]:
    vendor = Jobber()
    with serve(vendor.answer) as wire:
        fields = {**vendor.connection(wire.url), "extra": {"limit": "none", "retry_budget": 0.2}}
        monkeypatch.setenv("AIRFLOW_CONN_FIELD", json.dumps(fields))
        yield vendor


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(("mode", "in_flight"), [("upsert", 4), ("create", 1)])
def test_every_client_is_there_once_after_a_crash(
    flux: Flux, jobber: Jobber, mode: str, in_flight: int, moment: str
) -> None:
    flux.write_flow()
    (flux.folder / "include/flows/contacts.yaml").write_text(FLOW.format(mode=mode, in_flight=in_flight))
    (flux.folder / "include/mappings/contacts/v1.yaml").write_text(MAPPING)
    flux.saas.put(*contacts(RECORDS))
    flux.stage("read", "r1")
    flux.stage("transform", "r1")
    jobber.search_is_late = True
    kill_at(flux, jobber, 17, moment, lambda call: b"clientCreate" in call.body)
    assert flux.killed("write", "r1")
    assert 0 < jobber.count() < RECORDS

    run = flux.run("r1", "write settle")

    assert_sum_holds(run)
    assert (run["state"], run["written"]) == ("succeeded", RECORDS)
    assert jobber.count() == len(jobber.stored()) == RECORDS
