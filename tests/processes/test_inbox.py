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


def test_without_a_version_a_failed_record_is_tried_by_every_tick_until_it_is_mended(versionless: Flux) -> None:
    versionless.saas.put(*contacts(10, bad_phones=1))
    versionless.run("r1", trigger="scheduled")
    versionless.run("r2", trigger="scheduled")
    assert _open_errors(versionless) == [("c00000", "r2")]
    versionless.saas.put(*contacts(1))
    run = versionless.run("r3", trigger="scheduled")
    assert_sum_holds(run)
    assert (run["state"], run["written"], run["skipped"]) == ("succeeded", 1, 9)
    assert _open_errors(versionless) == []


def test_a_stored_payload_without_a_version_overwrites_nothing(versionless: Flux) -> None:
    versionless.saas.put(*contacts(10))
    versionless.run("r1", trigger="scheduled")
    versionless.saas.put(*contacts(1, bad_phones=1))
    versionless.run("r2", trigger="scheduled")
    mapping = versionless.folder / "include/mappings/contacts/v1.yaml"
    mended = mapping.read_text().replace("country: US}}]", "country: US}}], skip_invalid: true")
    mapping.with_name("v2.yaml").write_text(mended)

    run = versionless.run("r3", trigger="replay", replay={"run": "r2"})

    assert_sum_holds(run)
    assert (run["written"], run["failed"]) == (0, 1)
    assert versionless.saas.upserted["c00000"]["phone"] == "+14155550000"
    with versionless.open_store() as store:
        [error] = store.errors(ErrorFilter(flow="contacts", state="open"))
    assert (error.code, error.run_id) == ("PAYLOAD_MAY_BE_OLD", "r3")
