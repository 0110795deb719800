"""What changes while it is read, what comes late, and what an older run must not overwrite."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from airflow_provider_flux.store.filters import ErrorFilter
from tests.processes.conftest import Flux, assert_sum_holds, contacts


def test_the_second_tick_writes_nothing_twice(flux: Flux) -> None:
    flux.saas.put(*contacts(120))
    flux.run("r1", trigger="scheduled")
    flux.saas.writes = 0
    run = flux.run("r2", trigger="scheduled")
    assert_sum_holds(run)
    assert run["written"] == 0
    assert run["skipped"] == run["read"]
    assert flux.saas.writes == 0


def test_a_known_failure_is_not_repeated_by_every_tick(flux: Flux) -> None:
    flux.saas.put(*contacts(120, bad_phones=4))
    assert flux.run("r1", trigger="scheduled")["state"] == "partial"
    run = flux.run("r2", trigger="scheduled")
    assert (run["state"], run["failed"]) == ("succeeded", 0)
    store = flux.open_store()
    assert store.count_errors(ErrorFilter(flow="contacts", state="open")) == 4
    store.close()


def test_a_new_version_of_a_failed_record_is_tried_and_resolves_its_error(flux: Flux) -> None:
    flux.saas.put(*contacts(120, bad_phones=4))
    flux.run("r1", trigger="scheduled")
    mended = contacts(1, minute=10)
    flux.saas.put(*mended)
    run = flux.run("r2", trigger="scheduled")
    assert (run["written"], run["failed"]) == (1, 0)
    store = flux.open_store()
    [error] = store.errors(ErrorFilter(flow="contacts", state="resolved"))
    assert (error.source_key, error.resolved_by) == ("c00000", "r2")
    store.close()


def test_a_row_committed_late_with_an_older_time_stamp_is_read_by_the_lookback(flux: Flux) -> None:
    flux.saas.put(*contacts(60, minute=10))
    flux.run("r1", trigger="scheduled")
    late = {"id": "late", "name": "Late", "phone": None, "updated_at": "2026-01-01T00:07:00.000000Z"}
    flux.saas.put(late)
    run = flux.run("r2", trigger="scheduled")
    assert_sum_holds(run)
    assert run["written"] == 1
    assert "late" in flux.saas.upserted


def test_rows_that_share_one_time_stamp_over_pages_are_all_read(flux: Flux) -> None:
    rows = contacts(230)
    for row in rows:
        row["updated_at"] = "2026-01-01T00:00:00.000000Z"
    flux.saas.put(*rows)
    run = flux.run("r1", trigger="scheduled")
    assert_sum_holds(run)
    assert run["written"] == 230


def test_rows_that_change_while_they_are_paged_arrive_in_their_newest_version(flux: Flux) -> None:
    flux.saas.put(*contacts(230))

    def on_page(count: int) -> None:
        if count == 2:  # a row that was read, one that was not, and one that moves to the end
            for number in (3, 120, 229):
                changed = contacts(230, minute=30)[number] | {"name": "Changed"}
                flux.saas.put(changed)

    flux.saas.on_page = on_page
    first = flux.run("r1", trigger="scheduled")
    second = flux.run("r2", trigger="scheduled")
    assert_sum_holds(first)
    assert_sum_holds(second)
    assert first["deduplicated"] == 2  # those of the first page were read twice
    assert len(flux.saas.upserted) == 230
    assert {flux.saas.upserted[f"c{number:05d}"]["name"] for number in (3, 120, 229)} == {"Changed"}


def test_a_backfill_beside_a_tick_overwrites_nothing_newer(flux: Flux) -> None:
    flux.saas.put(*contacts(120))
    window: dict[str, Any] = {
        "trigger": "backfill",
        "interval": ["2026-01-01T00:00:00+00:00", "2026-01-01T01:00:00+00:00"],
    }
    flux.stage("read", "backfill", **window)
    changed = [record | {"name": "Newer"} for record in contacts(10, minute=200)]
    flux.saas.put(*changed)
    tick = flux.run("tick", trigger="scheduled")
    assert tick["written"] == 120

    backfill = flux.run("backfill", "transform write settle", **window)

    assert_sum_holds(backfill)
    assert backfill["skipped"] == 10
    assert backfill["cursor_after"] is None
    assert Counter(record["name"] for record in flux.saas.upserted.values())["Newer"] == 10
    store = flux.open_store()
    assert store.cursor("contacts") == tick["cursor_after"]
    store.close()


def test_a_backfill_reads_its_window_only_and_does_not_double_inserts(flux: Flux) -> None:
    flux.write_flow(mode="create")
    flux.saas.put(*contacts(50), *[record | {"id": f"later{record['id']}"} for record in contacts(30, minute=120)])
    flux.run("tick", trigger="scheduled")
    backfill = flux.run(
        "backfill", trigger="backfill", interval=["2026-01-01T00:00:00+00:00", "2026-01-01T01:00:00+00:00"]
    )
    assert (backfill["read"], backfill["skipped"]) == (50, 50)
    assert set(Counter(record["id"] for record in flux.saas.inserted).values()) == {1}


def test_an_empty_window_succeeds_with_nothing(flux: Flux) -> None:
    run = flux.run("r1", trigger="scheduled")
    assert_sum_holds(run)
    assert (run["state"], run["read"], run["cursor_after"]) == ("succeeded", 0, None)


@pytest.mark.parametrize("status", [503, 401])
def test_an_outage_leaves_records_unsent_and_the_cursor_before_them(flux: Flux, status: int) -> None:
    flux.saas.put(*contacts(120))
    flux.stage("read", "r1", trigger="scheduled")
    flux.stage("transform", "r1", trigger="scheduled")
    flux.saas.status = status
    failed = flux.stage("write", "r1", trigger="scheduled")
    assert failed.code == 1
    assert failed.answer["transient"] is (status == 503)
    run = flux.run("r1", "settle", trigger="scheduled")
    assert_sum_holds(run)
    assert (run["state"], run["written"], run["unsent"], run["failed"]) == ("failed", 0, 120, 0)

    flux.saas.status = 200
    healed = flux.run("r2", trigger="scheduled")
    assert healed["written"] == 120


def test_a_newer_version_that_maps_to_the_same_record_is_not_written_where_the_flow_says_so(flux: Flux) -> None:
    flow = flux.folder / "include/flows/contacts.yaml"
    flow.write_text(flow.read_text().replace("  batch_size: 20\n", "  batch_size: 20\n  skip_unchanged: true\n"))
    mapping = flux.folder / "include/mappings/contacts/v1.yaml"
    lines = mapping.read_text().splitlines(keepends=True)
    mapping.write_text("".join(line for line in lines if "updated_at" not in line))
    flux.saas.put(*contacts(50))
    flux.run("r1", trigger="scheduled")
    flux.saas.put(*contacts(50, minute=30), {**contacts(1, minute=31)[0], "name": "Changed"})
    flux.saas.writes = 0

    run = flux.run("r2", trigger="scheduled")

    assert_sum_holds(run)
    assert (run["read"], run["written"], run["skipped"]) == (50, 1, 49)
    store = flux.open_store()
    assert store.links("contacts", ["c00001"])["c00001"].version == "2026-01-01T00:30:01.000001Z"
    store.close()


def test_a_read_that_breaks_off_counts_what_it_had_as_unsent(flux: Flux) -> None:
    flux.saas.put(*contacts(230))

    def on_page(count: int) -> None:
        if count == 4:
            raise ConnectionError("the source goes away")

    flux.saas.on_page = on_page
    assert flux.stage("read", "r1").answer["transient"]
    run = flux.run("r1", "settle")
    assert_sum_holds(run)
    assert (run["state"], run["error_stage"], run["read"], run["unsent"]) == ("failed", "read", 100, 100)
    assert run["cursor_after"] is None
