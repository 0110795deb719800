"""The lane `faults` in short: a part of the requests is spoilt, workers are killed, and the accounts are right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.accounts import check_run, held
from tests.faults.driver import begin
from tests.faults.people import people
from tests.faults.weather import storm


@pytest.mark.parametrize(("destination", "strategy"), [("upsert", "retry"), ("insert", "skip"), ("find", "retry")])
def test_under_faults_no_record_is_doubled_and_none_is_lost(tmp_path: Path, destination: str, strategy: str) -> None:
    contacts = people(240)
    with begin(tmp_path, contacts, seed=11) as pipeline:
        pipeline.faults.stubborn = 0.04
        pipeline.write_flow(destination, in_flight=4, strategy=strategy, batch_size=12)
        storm(pipeline, contacts, destination, kills=1)


@pytest.mark.parametrize("then", ["clear", "tick"])
def test_a_destination_that_can_be_asked_is_asked_for_what_a_dead_run_left_in_doubt(tmp_path: Path, then: str) -> None:
    contacts = people(160)
    with begin(tmp_path, contacts, seed=5) as pipeline:
        pipeline.faults.stop()
        pipeline.write_flow("find", in_flight=4, strategy="skip", batch_size=1)
        pipeline.most_tries = 1
        run = pipeline.run("r1", kills=1)
        assert (run["state"], run["error_code"], run["held"]) == ("failed", "WORKER_DIED", 0)
        assert 0 < len(pipeline.saas.stored) < len(contacts.good)

        check_run(pipeline, pipeline.clear("r1") if then == "clear" else pipeline.run("r2"))

        assert pipeline.saas.stored == {key: [record] for key, record in contacts.good.items()}
        assert held(pipeline) == set()
