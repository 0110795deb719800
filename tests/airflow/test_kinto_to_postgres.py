"""10,000 records from a real server into PostgreSQL through Airflow: full, incremental, deletes, changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_flux.store import open_store
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import Run
from tests.airflow.kinto_server import RECORDS, Kinto, between_pages, executable, record_id, running
from tests.airflow.running_airflow import RunningAirflow
from tests.conftest import Postgres
from tests.sql import execute

COUNT = 10_000
FLOW = "kinto_contacts"

FLOW_FILE = f"""\
source:
  connector: rest
  connection: kinto
  path: /v1{RECORDS}
  params: {{_sort: last_modified}}
  records: data
  key: id
  cursor: {{field: last_modified, type: integer}}
  incremental: {{param: _since}} # time stamps are unique in a collection: what equals the cursor was delivered
  page: {{kind: next_url_header, header: Next-Page, size_param: _limit, size: 500}}
  deleted: {{field: deleted}}
destination:
  connector: sql
  connection: kinto_warehouse
  table: contacts
  key: crm_id
  deletes: delete
mapping: kinto_contacts
"""

MAPPING_FILE = """\
rules:
  - {from: id, to: crm_id, required: true}
  - {from: number, to: number, transforms: [number]}
  - {from: email, to: email, transforms: [trim, lowercase, email], required: true}
  - {from: name, to: name, transforms: [trim]}
"""

TABLE = "CREATE TABLE contacts (crm_id text PRIMARY KEY, number bigint, email text NOT NULL UNIQUE, name varchar(40))"

pytestmark = [
    pytest.mark.skipif(executable() is None, reason="kinto is not installed"),
    pytest.mark.timeout(400),
]


def contact(number: int, name: str = "") -> dict[str, Any]:
    return {"number": number, "email": f" User.{number}@Example.com", "name": name or f"Contact {number}"}


@pytest.fixture(scope="module")
def kinto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kinto]:
    with running(tmp_path_factory.mktemp("kinto")) as server:
        server.put([contact(number) for number in range(COUNT)])
        yield server


class Sync:
    """The flow between Kinto and a table, run by Airflow."""

    def __init__(self, airflow: RunningAirflow, kinto: Kinto, postgres: Postgres) -> None:
        self.airflow = airflow
        self.kinto = kinto
        self._url = postgres.new_database()
        execute(self._url, TABLE)
        airflow.connection("kinto_warehouse", conn_type="flux_sql", extra=json.dumps({"url": self._url}))
        self.read_from(kinto.url)
        airflow.write(f"mappings/{FLOW}/v1.yaml", MAPPING_FILE)
        airflow.write(f"flows/{FLOW}.yaml", FLOW_FILE)
        airflow.wait_for_dag(FLOW)

    def read_from(self, url: str) -> None:
        self.airflow.connection("kinto", conn_type="flux_rest", host=url, login="sync", password="s3cret-pass")

    def count(self, where: str = "true") -> int:
        return int(execute(self._url, f"SELECT count(*) FROM contacts WHERE {where}"))

    def run(self) -> Run:
        """One run through the scheduler; its row in Flux's store."""
        run_id = self.airflow.trigger(FLOW)
        assert self.airflow.wait(FLOW, run_id, 240) == "success"
        store = open_store(self.airflow.store_url)
        run = store.run(FLOW, run_id)
        store.close()
        assert run is not None
        assert run.read == sum(
            getattr(run, bucket) for bucket in ("written", "skipped", "deduplicated", "failed", "held", "unsent")
        )
        return run


@pytest.fixture(scope="module")
def sync(airflow_standalone: RunningAirflow, kinto: Kinto, pg: Postgres) -> Sync:
    return Sync(airflow_standalone, kinto, pg)


# The tests below follow one another: each is the next thing that happens to the same table.


def test_1_a_full_load_delivers_everything(sync: Sync) -> None:
    run = sync.run()
    assert (run.state, run.read, run.written) == ("succeeded", COUNT, COUNT)
    assert sync.count() == COUNT
    assert sync.count("email = 'user.77@example.com' AND name = 'Contact 77'") == 1


def test_2_a_second_run_reads_nothing(sync: Sync) -> None:
    run = sync.run()
    assert (run.state, run.read, run.cursor_after) == ("succeeded", 0, None)


def test_3_an_incremental_run_reads_what_changed(sync: Sync) -> None:
    sync.kinto.put([contact(number, name="Changed") for number in (1, 2, 3)] + [contact(COUNT)])
    run = sync.run()
    assert (run.read, run.written) == (4, 4)
    assert sync.count("name = 'Changed'") == 3
    assert sync.count() == COUNT + 1


def test_4_tombstones_delete(sync: Sync) -> None:
    sync.kinto.delete(5)
    sync.kinto.delete(6)
    run = sync.run()
    assert (run.read, run.written) == (2, 2)
    assert sync.count() == COUNT - 1
    assert sync.count(f"crm_id IN ('{record_id(5)}', '{record_id(6)}')") == 0


def test_5_a_bad_record_costs_only_itself(sync: Sync) -> None:
    long_name = contact(11, name="x" * 41)
    sync.kinto.put([contact(10, name="Fine"), long_name, contact(12, name="Fine")])
    run = sync.run()
    assert (run.state, run.read, run.written, run.failed) == ("partial", 3, 2, 1)
    store = open_store(sync.airflow.store_url)
    [error] = store.errors(ErrorFilter(flow=FLOW, state="open"))
    store.close()
    assert (error.source_key, error.code, error.stage) == (record_id(11), "VALUE_TOO_LONG", "write")
    assert '"name":"' + "x" * 41 in error.payload


def test_6_a_record_that_changes_between_pages_arrives_in_its_newest_version(sync: Sync, tmp_path: Path) -> None:
    sync.kinto.put([contact(number, name="Wave") for number in range(1000, 2200)])

    def change(page: int) -> None:
        if page == 2:
            sync.kinto.put([contact(1001, name="Changed meanwhile"), contact(2199, name="Changed meanwhile")])

    with between_pages(sync.kinto, change) as url:
        sync.read_from(url)
        run = sync.run()
    sync.read_from(sync.kinto.url)
    after = sync.run()
    assert run.state == after.state == "succeeded"
    assert sync.count("name = 'Changed meanwhile'") == 2
    assert sync.count("name = 'Wave'") == 1198
    assert sync.count() == COUNT - 1
