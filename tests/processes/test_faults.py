"""The lane `faults` in short: a part of the requests is spoilt, workers are killed, and the accounts are right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.driver import begin
from tests.faults.people import people
from tests.faults.weather import storm


@pytest.mark.parametrize(("destination", "strategy"), [("upsert", "retry"), ("insert", "skip"), ("find", "retry")])
def test_under_faults_no_record_is_doubled_and_none_is_lost(tmp_path: Path, destination: str, strategy: str) -> None:
    contacts = people(400)
    with begin(tmp_path, contacts, seed=11) as pipeline:
        pipeline.write_flow(destination, in_flight=4, strategy=strategy, batch_size=20)
        storm(pipeline, contacts, destination, kills=1)
