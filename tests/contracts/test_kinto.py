"""Kinto, a real record store: read and written as a flow file declares it, without a line of code."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from airflow_provider_flux.connectors.contract import Destination, Page, Window, WriteItem, Written
from airflow_provider_flux.connectors.cursor import canonical
from airflow_provider_flux.errors import BatchRejected, FluxError, RecordError
from airflow_provider_flux.stages.deliver import deliver
from tests.airflow.kinto_server import RECORDS, Kinto, executable, record_id, running
from tests.contracts.conftest import Bench, pages

pytestmark = pytest.mark.skipif(executable() is None, reason="kinto is not installed; FLUX_KINTO names its program")

LOGIN = {"login": "sync", "password": "s3cret-pass"}

SOURCE = f"""
path: {RECORDS}
params: {{_sort: last_modified}}
records: data
cursor: {{field: last_modified, type: integer}}
incremental: {{param: _since, until: _before, exclusive: true}}
page: {{kind: next_url_header, header: Next-Page, size_param: _limit, size: 40}}
deleted: {{field: deleted}}
"""

DESTINATION = f"""
path: /batch
key: id
batch_size: 50
in_flight: 4
batch:
  records: requests
  item: {{method: PUT, path: '{RECORDS}/{{key|url}}', body: {{data: '{{record}}'}}}}
results:
  records: responses
  ok: {{status: status}}
  id: body.data.id
  error_message: body.message
  error_field: body.details[0].name
deletes: delete
delete:
  item: {{method: DELETE, path: '{RECORDS}/{{key|url}}'}}
errors:
  - {{path: body.message, match: "'(?P<field>\\\\w+)' is a required property", code: REQUIRED_FIELD_MISSING}}
"""


@pytest.fixture(scope="module")
def kinto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kinto]:
    with running(tmp_path_factory.mktemp("kinto")) as server:
        yield server


@pytest.fixture
def base(kinto: Kinto) -> str:
    """The API's base URL, with an empty collection behind it."""
    url = f"{kinto.url}/v1"
    ask("DELETE", f"{url}{RECORDS}")
    return url


def ask(method: str, url: str, body: object = None) -> None:
    httpx.request(method, url, json=body, auth=(LOGIN["login"], LOGIN["password"]), timeout=30).raise_for_status()


def people(count: int) -> list[dict[str, object]]:
    return [{"number": number, "name": f"Person {number}"} for number in range(count)]


def test_a_collection_is_read_whole_then_only_what_is_new_with_tombstones(
    kinto: Kinto, base: str, bench: Bench
) -> None:
    kinto.put(people(110))
    source = bench.source(base, SOURCE, **LOGIN)
    found = pages(source)
    first = [record for page in found for record in page.records if not record.get("deleted")]
    assert len(found[0].records) == 40
    assert sorted(record["number"] for record in first) == list(range(110))
    last = max(record["last_modified"] for record in first)

    kinto.put([{"number": 3, "name": "Changed"}])
    kinto.delete(5)
    start = canonical(last, "integer")
    found = pages(source, start)
    changed = [record for page in found for record in page.records]
    assert {record["id"] for record in changed} >= {record_id(3), record_id(5)}
    assert [record["id"] for record in changed if record.get("deleted")] == [record_id(5)]
    # `_since` is sent one less than the cursor, so that other records with the same value are not missed.
    assert last in {record["last_modified"] for record in changed}
    assert len(changed) == 3


def test_a_window_of_nothing_is_empty(kinto: Kinto, base: str, bench: Bench) -> None:
    kinto.put(people(3))
    source = bench.source(base, SOURCE, **LOGIN)
    last = max(record["last_modified"] for page in pages(source) for record in page.records)
    assert [page.records for page in pages(source, canonical(last + 1, "integer"))] == [[]]


def test_the_clock_of_kinto_is_known(base: str, bench: Bench) -> None:
    assert bench.source(base, SOURCE, **LOGIN).now() is not None


def test_batches_are_written_deleted_and_judged_record_by_record(base: str, bench: Bench) -> None:
    destination = bench.destination(base, DESTINATION, **LOGIN)
    assert destination.idempotent
    records = [{"id": f"p-{number}", "name": f"Person {number}"} for number in range(50)]
    records[7]["id"] = "not a valid id"
    verdicts = destination.write([WriteItem(record) for record in records])
    assert verdicts[0] == Written("p-0")
    bad = verdicts[7]
    assert isinstance(bad, RecordError)
    assert (bad.code, "Invalid object id" in bad.message) == ("RECORD_REJECTED", True)
    assert sum(isinstance(verdict, Written) for verdict in verdicts) == 49

    again = destination.write([WriteItem({"id": "p-1", "name": "New"}), WriteItem({"id": "p-2"}, deleted=True)])
    gone = destination.write([WriteItem({"id": "p-2"}, deleted=True), WriteItem({"id": "never"}, deleted=True)])
    assert [type(verdict) for verdict in (*again, *gone)] == [Written] * 4
    stored = {record["id"]: record for page in _everything(bench, base) for record in page.records}
    assert stored["p-1"]["name"] == "New"
    assert stored["p-2"]["deleted"] is True


def _everything(bench: Bench, base: str) -> list[Page]:
    # Kinto lists tombstones only when it is asked for changes.
    return pages(bench.source(base, SOURCE, **LOGIN), canonical(1, "integer"))


def test_a_schema_error_names_its_field(base: str, bench: Bench) -> None:
    schema = {"type": "object", "required": ["email"], "properties": {"name": {"type": "string", "maxLength": 5}}}
    collection = f"{base}/buckets/crm/collections/contacts"
    ask("PUT", collection, {"data": {"schema": schema}})
    try:
        destination = bench.destination(base, DESTINATION, **LOGIN)
        verdicts = destination.write(
            [WriteItem({"id": "a"}), WriteItem({"id": "b", "email": "x", "name": "much too long"})]
        )
    finally:
        ask("PUT", collection, {"data": {}})
    missing, long = verdicts
    assert isinstance(missing, RecordError)
    assert (missing.code, missing.field) == ("REQUIRED_FIELD_MISSING", "email")
    assert isinstance(long, RecordError)
    assert (long.code, long.field, long.value) == ("VALUE_TOO_LONG", "name", "much too long")


def test_a_batch_beyond_the_servers_limit_is_handed_back_to_be_halved(base: str, bench: Bench) -> None:
    destination = bench.destination(base, DESTINATION.replace("batch_size: 50", "batch_size: 60"), **LOGIN)
    with pytest.raises(BatchRejected, match="requests"):
        destination.write([WriteItem({"id": f"q-{number}"}) for number in range(60)])


def test_a_wrong_password_is_an_error_of_the_connection(base: str, bench: Bench) -> None:
    wrong = {"login": "sync", "password": "wr0ng-pass"}
    for act in (
        lambda: pages(bench.source(base, SOURCE, **wrong)),
        lambda: bench.destination(base, DESTINATION, **wrong).write([WriteItem({"id": "x"})]),
    ):
        with pytest.raises(FluxError) as caught:
            act()
        assert caught.value.code == "AUTHENTICATION_FAILED"
        assert "wr0ng" not in f"{caught.value} {caught.value.answer}"


# --- modes ------------------------------------------------------------------------------------

PATCH = DESTINATION.replace("method: PUT", "method: PATCH")
# A PUT that is only to create; Kinto answers 412 to what is there already.
NEW_ONLY = (
    DESTINATION.replace("method: PUT", "method: PUT, headers: {If-None-Match: '*'}")
    + "  - {status: 412, code: DUPLICATE_RECORD}\n"
)
CREATE = f"{NEW_ONLY}mode: create\n"
CREATE_IF_MISSING = f"{NEW_ONLY}mode: create_if_missing\nidempotent: true\n"
GONE = [WriteItem({"id": "p-1"}, deleted=True)]


def items(*numbers: int, name: str = "Person") -> list[WriteItem]:
    return [WriteItem({"id": f"p-{number}", "name": f"{name} {number}"}) for number in numbers]


def stored(bench: Bench, base: str) -> dict[str, dict[str, object]]:
    """Everything that is there, by id; tombstones are left out."""
    found = (record for page in _everything(bench, base) for record in page.records)
    return {str(record["id"]): record for record in found if not record.get("deleted")}


def written(destination: Destination, batch: list[WriteItem]) -> list[str]:
    """What became of each record: written, kept, or the code of its error."""
    verdicts = [verdict for verdict in deliver(destination, batch) if verdict is not None]
    assert len(verdicts) == len(batch)
    return [
        verdict.code if isinstance(verdict, RecordError) else "kept" if verdict.kept else "written"
        for verdict in verdicts
    ]


def test_create_of_what_is_there_is_a_duplicate_and_leaves_it(base: str, bench: Bench) -> None:
    destination = bench.destination(base, CREATE, **LOGIN)
    assert written(destination, items(1, 2)) == ["written"] * 2
    before = stored(bench, base)
    assert written(destination, items(2, 3, name="Other")) == ["DUPLICATE_RECORD", "written"]
    assert stored(bench, base)["p-2"] == before["p-2"]


def test_create_if_missing_leaves_what_is_there_untouched(base: str, bench: Bench) -> None:
    destination = bench.destination(base, CREATE_IF_MISSING, **LOGIN)
    assert destination.idempotent
    assert written(destination, items(1)) == ["written"]
    before = stored(bench, base)
    assert written(destination, items(1, 2, name="Other")) == ["kept", "written"]
    assert written(destination, items(1, name="Other")) == ["kept"]
    assert stored(bench, base)["p-1"] == before["p-1"]  # its last_modified, too


def test_update_of_what_is_not_there_is_refused_before_and_after_its_delete(base: str, bench: Bench) -> None:
    update = bench.destination(base, f"{PATCH}mode: update\n", **LOGIN)
    assert written(update, items(1)) == ["RECORD_NOT_FOUND"]
    upsert = bench.destination(base, DESTINATION, **LOGIN)
    assert written(upsert, items(1, 2)) == ["written"] * 2
    assert written(update, items(1, 2, name="New")) == ["written"] * 2
    assert written(upsert, GONE) == ["written"]
    assert written(update, items(1, 2, name="Newer")) == ["RECORD_NOT_FOUND", "written"]
    assert {key: record["name"] for key, record in stored(bench, base).items()} == {"p-2": "Newer 2"}


def test_an_upsert_after_the_delete_takes_the_place_of_the_tombstone(base: str, bench: Bench) -> None:
    destination = bench.destination(base, DESTINATION, **LOGIN)
    written(destination, items(1))
    assert written(destination, [*GONE, *GONE]) == ["written"] * 2
    assert stored(bench, base) == {}
    assert written(destination, items(1, name="Again")) == ["written"]
    assert stored(bench, base)["p-1"]["name"] == "Again 1"
    everything = [record for page in _everything(bench, base) for record in page.records if record["id"] == "p-1"]
    assert [record.get("deleted", False) for record in everything] == [False]


def test_more_records_than_the_server_takes_in_a_batch_are_halved_until_they_fit(base: str, bench: Bench) -> None:
    destination = bench.destination(base, DESTINATION.replace("batch_size: 50", "batch_size: 120"), **LOGIN)
    assert written(destination, items(*range(120))) == ["written"] * 120
    assert len(stored(bench, base)) == 120


def test_a_record_that_changes_while_pages_are_read_is_not_lost(kinto: Kinto, base: str, bench: Bench) -> None:
    kinto.put(people(110))
    seen: set[object] = set()
    for number, page in enumerate(bench.source(base, SOURCE, **LOGIN).read(Window())):
        seen |= {record.get("number") for record in page.records}
        kinto.put([{"number": number, "name": "Changed"}, {"number": 109 - number, "name": "Changed"}])
    assert seen >= set(range(110))
