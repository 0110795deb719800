"""After its retention a failed record's data is gone, and the record is still delivered from its source."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow_provider_flux.housekeeping import Purged, purge
from airflow_provider_flux.settings import Retention
from airflow_provider_flux.staging import open_staging
from airflow_provider_flux.store.filters import ErrorFilter
from tests.processes.conftest import Flux, assert_sum_holds, contacts

KEEP = Retention(timedelta(days=7), timedelta(days=30), timedelta(days=400))


def later(flux: Flux, days: float) -> Purged:
    """Housekeeping, so many days from now."""
    staging = open_staging(flux.staging or str(flux.folder / "staging"))
    with flux.open_store() as store:
        return purge(store, staging, datetime.now(UTC) + timedelta(days=days), KEEP)


def test_a_purged_record_is_delivered_from_its_source_and_not_from_the_store(flux: Flux) -> None:
    flow = flux.folder / "include/flows/contacts.yaml"
    item = "  records: data\n  item: {path: '/contacts/{key}'}\n"
    flow.write_text(flow.read_text().replace("  records: data\n", item))
    flux.saas.put(*contacts(10, bad_phones=2))
    assert flux.run("r1", trigger="scheduled")["failed"] == 2
    assert later(flux, 31) == Purged(staging=1, payloads=2, runs=0)
    with flux.open_store() as store:
        assert not any("CALL-NOW" in repr(row) for row in store.errors())

    run = flux.run("r2", trigger="replay", replay={"run": "r1"})
    assert (run["read"], run["written"]) == (0, 0)

    flux.saas.put(*contacts(2))
    run = flux.run("r3", trigger="replay", replay={"run": "r1", "payload": "source"})
    assert_sum_holds(run)
    assert (run["read"], run["written"]) == (2, 2)
    assert flux.saas.upserted["c00001"]["phone"] == "+14155550001"
    with flux.open_store() as store:
        assert store.count_errors(ErrorFilter(state="open")) == 0


def test_a_run_whose_files_went_is_cleared_from_its_read_task_on(flux: Flux) -> None:
    flux.saas.put(*contacts(10))
    flux.saas.status = 503
    assert flux.stage("read", "r1").code == 0
    assert flux.stage("transform", "r1").code == 0
    assert flux.stage("write", "r1").code == 1
    flux.stage("settle", "r1")
    assert later(flux, 8).staging == 1
    flux.saas.status = 200
    assert flux.stage("write", "r1", epoch=1).answer["code"] == "STAGING_UNSEALED"
    run = flux.run("r1", epoch=2)
    assert_sum_holds(run)
    assert (run["state"], run["written"]) == ("succeeded", 10)


def test_after_everything_went_older_data_still_overwrites_nothing(flux: Flux) -> None:
    flux.saas.put(*contacts(10, minute=5))
    flux.run("r1", trigger="scheduled")
    assert later(flux, 401) == Purged(staging=1, payloads=0, runs=1)
    flux.saas.put(*contacts(3))  # an older version of three, as a backup that was restored would show them
    flux.saas.upserted["c00000"]["phone"] = "as it was"
    run = flux.run("r2", trigger="backfill", interval=["2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"])
    assert_sum_holds(run)
    assert flux.saas.upserted["c00000"]["phone"] == "as it was"
