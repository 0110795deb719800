"""A version tried on what failed: the promise is kept by the replay that follows."""

from __future__ import annotations

from airflow_provider_flux.flow.loader import load_flow
from airflow_provider_flux.inbox.retry import queue
from airflow_provider_flux.stages.promotion import promote
from airflow_provider_flux.stages.trial import Trial, try_version
from airflow_provider_flux.staging import open_staging
from airflow_provider_flux.store.filters import ErrorFilter
from tests.processes.conftest import Flux, contacts

COUNT, BAD = 60, 9


def tried(flux: Flux, old: str, new: str, sample: int = 200) -> Trial:
    """What version 2 would do, in which `old` of version 1 is `new`."""
    first = flux.folder / "include/mappings/contacts/v1.yaml"
    text = first.read_text()
    assert old in text
    first.with_name("v2.yaml").write_text(text.replace(old, new))
    with flux.open_store() as store:
        staging = open_staging(str(flux.folder / "staging"))
        return try_version(store, staging, flux.folder / "include", "contacts", 2, sample=sample)


def test_what_it_says_it_would_clear_is_cleared_by_promote_and_retry(flux: Flux) -> None:
    flux.saas.put(*contacts(COUNT, bad_phones=BAD))
    flux.run("r1", trigger="scheduled")
    trial = tried(flux, "country: US}}]", "country: US}}], skip_invalid: true")
    assert (trial.failed, len(trial.cleared), trial.still) == (BAD, BAD, [])
    assert (trial.good, trial.newly_broken, trial.changed) == (COUNT - BAD, 0, 0)

    started: list[str] = []
    with flux.open_store() as store:
        include = flux.folder / "include"
        promote(store, include, "contacts", 2, by="ann", reason=None)
        chosen = ErrorFilter(ids=tuple(trial.cleared))
        queue(store, include, chosen, by="ann", start=lambda flow, run_id, conf: started.append(run_id))
    replay = flux.run(started[0], trigger="replay", replay={"claimed": True})
    assert (replay["written"], replay["failed"], replay["mapping_version"]) == (BAD, 0, 2)


def test_records_that_would_still_fail_and_good_ones_that_would_break_are_named_with_their_rule(flux: Flux) -> None:
    flux.saas.put(*contacts(COUNT, bad_phones=BAD))
    flux.run("r1", trigger="scheduled")
    trial = tried(flux, "rules:\n", "rules:\n  - {from: nowhere, to: nothing, required: true}\n")
    assert (len(trial.cleared), trial.newly_broken) == (0, COUNT - BAD)
    assert [(one.code, one.field, one.records) for one in trial.broken] == [
        ("REQUIRED_FIELD_MISSING", "nothing", COUNT - BAD)
    ]
    assert {(one.code, one.field, one.records) for one in trial.still} == {
        ("REQUIRED_FIELD_MISSING", "nothing", BAD),
        ("INVALID_FORMAT", "phone", BAD),
    }


def test_what_comes_out_differently_is_shown_by_field(flux: Flux) -> None:
    flux.saas.put(*contacts(COUNT))
    flux.run("r1", trigger="scheduled")
    trial = tried(flux, "rules:\n", "rules:\n  - {value: crm, to: origin}\n", sample=10)
    assert (trial.good, trial.changed, trial.newly_broken) == (10, 10, 0)
    assert [(one.field, one.before, one.after, one.records) for one in trial.changes] == [("origin", "null", "crm", 10)]


def test_what_the_destination_refused_is_not_promised(flux: Flux) -> None:
    flux.saas.put(*contacts(COUNT))
    flux.saas.record_status = lambda record: 422 if record["id"] == "c00003" else 200
    flux.run("r1", trigger="scheduled")
    trial = tried(flux, "rules:\n", "rules: # the same\n")
    assert (trial.failed, trial.cleared, trial.refused, trial.sent_otherwise) == (1, [], 1, 0)
    trial = tried(flux, "rules:\n", "rules:\n  - {value: crm, to: origin}\n")
    assert (trial.failed, trial.cleared, trial.refused, trial.sent_otherwise) == (1, [], 0, 1)


def test_a_trial_changes_nothing(flux: Flux) -> None:
    flux.saas.put(*contacts(COUNT, bad_phones=BAD))
    before = flux.run("r1", trigger="scheduled")
    sent = len(flux.saas.upserted)
    tried(flux, "country: US}}]", "country: US}}], skip_invalid: true")
    with flux.open_store() as store:
        assert len(store.runs("contacts")) == 1
        assert store.mapping_rows() == []
        assert store.count_errors(ErrorFilter(state="open")) == BAD
    assert len(flux.saas.upserted) == sent == before["written"]
    assert load_flow(flux.folder / "include", "contacts").mapping_pin is None


def test_without_staged_files_only_the_failed_records_are_tried(flux: Flux) -> None:
    flux.saas.put(*contacts(COUNT, bad_phones=BAD))
    flux.run("r1", trigger="scheduled")
    open_staging(str(flux.folder / "staging")).remove("contacts", "r1")
    trial = tried(flux, "country: US}}]", "country: US}}], skip_invalid: true")
    assert (len(trial.cleared), trial.good) == (BAD, 0)
