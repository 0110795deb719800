"""10,000 records while three of ten requests are spoilt: each ends in its bucket, none is doubled, none is lost.

`FAULT_SEED` chooses other faults; a failure names its seed. `-s` prints the figures.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.driver import begin
from tests.faults.people import people
from tests.faults.weather import storm

RECORDS = int(os.environ.get("FAULT_RECORDS", "10000"))
SINGLE = RECORDS // 33
"""Records that are written one by one."""

LOOKED_UP = RECORDS // 4
"""Records that are looked up one by one, again after every kill: a minute for a thousand."""

pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("kills", [0, 3])
@pytest.mark.parametrize("strategy", ["skip", "retry"])
@pytest.mark.parametrize("in_flight", [1, 4])
@pytest.mark.parametrize("destination", ["upsert", "insert", "find"])
def test_batches(tmp_path: Path, destination: str, in_flight: int, strategy: str, kills: int) -> None:
    contacts = people(LOOKED_UP if destination == "find" and kills else RECORDS)
    with begin(tmp_path, contacts, _seed(destination, in_flight, strategy, kills)) as pipeline:
        pipeline.write_flow(destination, in_flight=in_flight, strategy=strategy, batch_size=100)
        storm(pipeline, contacts, destination, kills=kills)


@pytest.mark.parametrize("kills", [0, 3])
@pytest.mark.parametrize("in_flight", [1, 4])
@pytest.mark.parametrize("destination", ["single upsert", "single insert", "single find"])
def test_single_writes(tmp_path: Path, destination: str, in_flight: int, kills: int) -> None:
    contacts = people(SINGLE)
    with begin(tmp_path, contacts, _seed(destination, in_flight, kills)) as pipeline:
        pipeline.write_flow(destination, in_flight=in_flight, strategy="retry", batch_size=10)
        storm(pipeline, contacts, destination, kills=kills)


def _seed(*case: object) -> int:
    return int(os.environ.get("FAULT_SEED", "3")) * 1000 + sum(map(ord, "".join(map(str, case)))) % 1000
