"""Whatever the server says and whatever the flow's strategy: every record is read once and ends in one bucket."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_flux.store.error_rows import UNSETTLED
from airflow_provider_flux.store.filters import ErrorFilter
from tests.processes.conftest import Flux, assert_sum_holds, contacts
from tests.processes.saas import Saas, serve

FATES = ("good", "bad phone", "long name", "record 429", "record 500", "batch 422", "batch 429", "batch 500")
"""What the server, or the mapping, makes of a record, or of every batch that holds it."""

STRATEGIES = (
    "{strategy: skip}",
    "{strategy: retry, outage_after: 2}",
    "{strategy: fail_fast}",
    "{strategy: review}",
    "{strategy: retry, codes: {VALUE_TOO_LONG: fail_fast, INVALID_FORMAT: review}}",
    "{codes: {RATE_LIMIT_EXCEEDED: retry, DESTINATION_OUTAGE: review, UNKNOWN: fail_fast}}",
)

fates = st.lists(st.sampled_from(FATES) | st.just("good"), min_size=1, max_size=40)


@pytest.fixture(scope="module")
def server() -> Iterator[Saas]:
    with serve(Saas()) as saas:
        yield saas


class _Example:
    """A new flow on the shared server, whose records have these fates."""

    def __init__(self, folder: Path, saas: Saas, fates: list[str]) -> None:
        self.flux = Flux(folder, saas, f"sqlite:///{folder}/flux.db")
        self.fates = {f"c{number:05d}": fate for number, fate in enumerate(fates)}
        saas.contacts.clear()
        saas.upserted.clear()
        saas.inserted.clear()
        saas.calls.clear()
        records = contacts(len(fates))
        for record in records:
            if self.fates[record["id"]] == "bad phone":
                record["phone"] = "(415) CALL-NOW"
            if self.fates[record["id"]] == "long name":
                record["name"] = "x" * 41
        saas.put(*records)
        saas.record_status = lambda record: self._status("record", record)
        saas.batch_status = lambda records: max(self._status("batch", record) for record in records)

    def heal(self) -> None:
        self.flux.saas.record_status = lambda record: 200
        self.flux.saas.batch_status = lambda records: 200

    def run(self, **order: Any) -> dict[str, Any]:
        """All stages, each tried again as Airflow would; settle's row of the run."""
        for stage in ("read", "transform", "write"):
            for _ in range(3):
                result = self.flux.stage(stage, "r1", **order)
                if result.code == 0 or not result.answer["transient"]:
                    break
            if result.code:
                break
        settled = self.flux.stage("settle", "r1", **order)
        assert settled.code == 0, settled.answer
        run: dict[str, Any] = settled.answer["run"]
        return run

    def _status(self, whose: str, record: dict[str, Any]) -> int:
        kind, _, status = self.fates[record["id"]].partition(" ")
        return int(status) if kind == whose else 200


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", ["upsert", "create"])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fates=fates, errors=st.sampled_from(STRATEGIES), in_flight=st.sampled_from([1, 3]))
def test_every_record_ends_in_one_bucket_and_no_insert_is_doubled(
    server: Saas,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    fates: list[str],
    errors: str,
    in_flight: int,
) -> None:
    connection = {"conn_type": "flux_rest", "host": server.url, "extra": {"retry_budget": 0.1}}
    monkeypatch.setenv("AIRFLOW_CONN_SAAS", json.dumps(connection))
    example = _Example(tmp_path_factory.mktemp("flow"), server, fates)
    example.flux.write_flow(mode=mode, in_flight=in_flight, errors=errors)
    flow = example.flux.folder / "include/flows/contacts.yaml"
    flow.write_text(flow.read_text().replace("batch_size: 20", "batch_size: 5"))

    run = example.run()

    assert_sum_holds(run)
    assert run["read"] == len(fates)
    _check_inbox(example.flux, run)
    if mode == "create":
        assert run["written"] == len(server.inserted)
    else:
        assert run["written"] <= len(server.upserted)

    # A clear once the server is well: what can arrive is there once, and what may have arrived is sent by nobody.
    example.heal()
    again = example.run(epoch=1)
    assert_sum_holds(again)
    there = Counter(record["id"] for record in server.inserted) if mode == "create" else Counter(server.upserted.keys())
    assert max(there.values(), default=1) == 1
    if "fail_fast" not in errors:
        lost = sum(fate in ("bad phone", "long name") for fate in fates)
        # An insert that was answered with 500 may be stored: it is held still, or left alone as a known error.
        in_doubt = fates.count("batch 500") * 5 if mode == "create" else 0
        # What a person is to look at is not inserted by a clear either: it waits for the approval.
        held = sum(fate != "good" for fate in fates) if mode == "create" and "review" in errors else 0
        assert len(there) >= len(fates) - lost - in_doubt - held


def _check_inbox(flux: Flux, run: dict[str, Any]) -> None:
    """One row for each record that failed or is held, and none for any other."""
    with flux.open_store() as store:
        rows = store.errors(ErrorFilter(flow="contacts", state=UNSETTLED))
    assert len(rows) == run["failed"] + run["held"]
    assert len({row.ordinal for row in rows}) == len(rows)
    assert sum(row.state == "held" for row in rows) == run["held"]
