"""A record stands in the inbox once, and a flow whose source has no version is neither stuck nor overwritten."""

from __future__ import annotations

import pytest

from airflow_provider_flux.store.filters import ErrorFilter
from tests.processes.conftest import Flux, assert_sum_holds, contacts


@pytest.fixture
def versionless(flux: Flux) -> Flux:
    flow = flux.folder / "include/flows/contacts.yaml"
    kept = [
        line for line in flow.read_text().splitlines() if "cursor: {field" not in line and "incremental" not in line
    ]
    flow.write_text("\n".join(kept))
    return flux


def _open_errors(flux: Flux) -> list[tuple[str | None, str]]:
    with flux.open_store() as store:
        return [(error.source_key, error.run_id) for error in store.errors(ErrorFilter(flow="contacts", state="open"))]


def test_a_record_that_fails_again_in_a_new_version_stands_in_the_inbox_once(flux: Flux) -> None:
    flux.saas.put(*contacts(10, bad_phones=1))
    flux.run("r1", trigger="scheduled")
    flux.saas.put(*contacts(1, bad_phones=1, minute=5))
    flux.run("r2", trigger="scheduled")
    assert _open_errors(flux) == [("c00000", "r2")]


def test_without_a_version_a_failed_record_is_tried_again_when_its_content_changes(versionless: Flux) -> None:
    versionless.saas.put(*contacts(10, bad_phones=1))
    versionless.run("r1", trigger="scheduled")
    run = versionless.run("r2", trigger="scheduled")
    assert (run["state"], run["failed"], run["skipped"]) == ("succeeded", 0, 10)
    assert _open_errors(versionless) == [("c00000", "r1")]
    versionless.saas.put(*contacts(1))
    run = versionless.run("r3", trigger="scheduled")
    assert_sum_holds(run)
    assert (run["state"], run["written"], run["skipped"]) == ("succeeded", 1, 9)
    assert _open_errors(versionless) == []


def test_a_record_without_a_key_is_not_tried_by_every_tick(versionless: Flux) -> None:
    versionless.saas.contacts["x"] = {**contacts(1)[0], "id": ""}
    versionless.run("r1", trigger="scheduled")
    run = versionless.run("r2", trigger="scheduled")
    assert (run["state"], run["skipped"]) == ("succeeded", 1)
    assert _open_errors(versionless) == [(None, "r1")]
    # A run that a person starts tries everything, and the record still stands there once.
    assert versionless.run("r3", trigger="manual")["failed"] == 1
    assert _open_errors(versionless) == [(None, "r3")]


def test_what_was_discarded_is_left_alone_until_it_changes(flux: Flux) -> None:
    flux.saas.put(*contacts(10, bad_phones=1))
    flux.run("r1", trigger="scheduled")
    with flux.open_store() as store:
        assert store.discard([row.id for row in store.errors()], "a test record", "ann") == 1
    run = flux.run("r2", trigger="scheduled")
    assert (run["failed"], run["skipped"]) == (0, 10)
    flux.saas.put(*contacts(1, bad_phones=1, minute=5))
    assert flux.run("r3", trigger="scheduled")["failed"] == 1
    assert _open_errors(flux) == [("c00000", "r3")]
    with flux.open_store() as store:
        assert [row.state for row in store.errors()] == ["discarded", "open"]


def test_a_stored_payload_without_a_version_overwrites_what_was_delivered_before_it_was_read(versionless: Flux) -> None:
    versionless.saas.put(*contacts(10))
    versionless.run("r1", trigger="scheduled")
    versionless.saas.put(*contacts(1, bad_phones=1))
    versionless.run("r2", trigger="scheduled")
    versionless.new_mapping()
    run = versionless.run("r3", trigger="replay", replay={"run": "r2"})
    assert_sum_holds(run)
    assert (run["written"], run["failed"]) == (1, 0)
    assert versionless.saas.upserted["c00000"]["phone"] is None
    assert _open_errors(versionless) == []


@pytest.mark.parametrize("force", [False, True])
def test_a_stored_payload_without_a_version_overwrites_nothing_delivered_since(versionless: Flux, force: bool) -> None:
    versionless.saas.put(*contacts(10, bad_phones=1))
    versionless.run("r1", trigger="scheduled")
    versionless.new_mapping()
    order = {"trigger": "replay", "replay": {"run": "r1", "force": force}}
    assert versionless.stage("read", "r2", **order).code == 0
    # A tick delivers what was mended in the source while the replay is on its way.
    versionless.saas.put(*contacts(1))
    versionless.run("r3", trigger="scheduled")

    run = versionless.run("r2", "transform write settle", **order)

    assert_sum_holds(run)
    assert (run["written"], run["failed"]) == ((1, 0) if force else (0, 1))
    assert versionless.saas.upserted["c00000"]["phone"] == (None if force else "+14155550000")
    with versionless.open_store() as store:
        left = store.errors(ErrorFilter(flow="contacts", state="open"))
    assert [(error.code, error.run_id) for error in left] == ([] if force else [("PAYLOAD_MAY_BE_OLD", "r2")])
