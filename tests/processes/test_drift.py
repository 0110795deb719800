"""A source that changes under its flows: seen by the next run, before a person has to look for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow_provider_flux.flow.loader import load_flow
from airflow_provider_flux.stages.report import run_report, trace_text
from airflow_provider_flux.stages.shapes import Drifted, drift_of
from tests.processes.conftest import Flux, contacts


def renamed(count: int, minute: int) -> list[dict[str, Any]]:
    """Contacts whose `phone` is called `phone_number`."""
    found = []
    for contact in contacts(count, minute=minute):
        found.append({**contact, "phone_number": contact["phone"]})
        del found[-1]["phone"]
    return found


def drift(flux: Flux, flow: str = "contacts") -> Drifted:
    include = flux.folder / "include"
    with flux.open_store() as store:
        return drift_of(store, include, load_flow(include, flow))


def shown(flux: Flux, run_id: str) -> str:
    with flux.open_store() as store:
        run = store.run("contacts", run_id)
        assert run is not None
        return trace_text(run_report(store, run))


def test_a_renamed_field_is_an_event_of_the_run_and_names_the_rule(flux: Flux) -> None:
    flux.saas.put(*contacts(30))
    flux.run("r1", trigger="scheduled")
    assert drift(flux).changes == ()
    flux.saas.put(*renamed(30, minute=5))
    flux.run("r2", trigger="scheduled")
    [change] = drift(flux).changes
    assert (change.kind, change.path, change.now) == ("renamed", "phone", "phone_number")
    assert [(rule.path, rule.target) for rule in change.rules] == [("phone", "phone")]
    assert "has changed: phone was renamed to phone_number" in shown(flux, "r2")
    assert "has changed" not in shown(flux, "r1")


def test_every_flow_that_reads_the_source_learns_of_it(flux: Flux) -> None:
    flows = flux.folder / "include" / "flows"
    (flows / "others.yaml").write_text((flows / "contacts.yaml").read_text())
    flux.saas.put(*contacts(30))
    flux.run("r1", trigger="scheduled")
    assert drift(flux, "others").since is None
    flux.saas.put(*renamed(30, minute=5))
    with flux.open_store() as store:
        include = flux.folder / "include"
        [first] = store.last_shapes(_source(include), 1)
        store.set_baseline(first, "others")  # as its own first run would have
    flux.run("r2", trigger="scheduled")
    assert [str(change) for change in drift(flux, "others").changes] == ["phone was renamed to phone_number"]


def test_a_version_promoted_on_the_new_shape_ends_the_drift(flux: Flux) -> None:
    flux.saas.put(*contacts(30))
    flux.run("r1", trigger="scheduled")
    flux.saas.put(*renamed(30, minute=5))
    flux.run("r2", trigger="scheduled")
    flux.new_mapping("from: phone,", "from: phone_number,")
    assert drift(flux).changes == ()
    flux.saas.put(*renamed(30, minute=9))
    flux.run("r3", trigger="scheduled")
    assert "has changed" not in shown(flux, "r3")
    assert "has changed" in shown(flux, "r2")  # what a run saw stays


def test_small_runs_are_laid_together(flux: Flux) -> None:
    flux.saas.put(*contacts(30))
    flux.run("r1", trigger="scheduled")
    for number in range(5):  # the first one also reads old records, by the lookback
        flux.saas.put(*renamed(3, minute=20 + 10 * number))
        flux.run(f"small{number}", trigger="scheduled")
    assert [change.kind for change in drift(flux).changes] == ["renamed"]


def test_a_replay_is_no_observation(flux: Flux) -> None:
    flux.saas.put(*contacts(30, bad_phones=12))
    flux.run("r1", trigger="scheduled")
    before = drift(flux).observed
    flux.run("again", trigger="replay", replay={"run": "r1"})
    assert drift(flux).observed == before


def _source(include: Path) -> str:
    from airflow_provider_flux.stages.shapes import source_id

    return source_id(load_flow(include, "contacts").file.source)
