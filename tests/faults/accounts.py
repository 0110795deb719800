"""Three counts that must agree: what Flux says in sum, what it says of every record, and what the destination holds."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from airflow_provider_flux.stages.records import ReadRecord
from tests.faults.driver import Pipeline
from tests.faults.people import People

BUCKETS = ("written", "skipped", "deduplicated", "failed", "held")


@dataclass(frozen=True)
class Fate:
    """Where one record of a run ended; bucket `unsent` where nothing says so."""

    run: str
    key: str
    version: str
    bucket: str
    reason: str


def check_run(pipeline: Pipeline, run: dict[str, Any]) -> list[Fate]:
    """The sums of a settled run against a count of its records, one by one. Their fates."""
    seed = f"seed {pipeline.faults.seed}: {run}"
    assert run["read"] == run["unsent"] + sum(run[bucket] for bucket in BUCKETS), seed
    fates = fates_of(pipeline, run)
    counted = Counter(fate.bucket for fate in fates)
    assert len(fates) == run["read"], seed
    assert counted == Counter({bucket: run[bucket] for bucket in (*BUCKETS, "unsent")}), seed
    if run["state"] != "failed":
        assert run["unsent"] == 0, seed
    return fates


def check_destination(pipeline: Pipeline, people: People, fates: list[Fate], *, not_there: set[str]) -> None:
    """What a run says of its records against the destination: none is there twice, and each is where the run says.

    :param fates: of every run so far, the newest last
    :param not_there: buckets whose records cannot be there: a destination that takes a record twice, or that can be
        asked for it, may have what was sent in vain
    """
    stored = pipeline.saas.stored
    none(pipeline, "doubled", {key for key, copies in stored.items() if len(copies) > 1})
    none(pipeline, "not as the source has it", {key for key, rows in stored.items() if rows != [people.good.get(key)]})
    written = {fate.key for fate in fates if fate.bucket == "written"}
    none(pipeline, "written and not there", written - set(stored))
    last = {fate.key: fate for fate in fates if fate.bucket not in ("deduplicated", "skipped")}
    lost = {fate.key for fate in last.values() if fate.bucket in not_there} - written
    none(pipeline, "failed or unsent, and there", lost & set(stored))


def check_errors(pipeline: Pipeline, fates: list[Fate]) -> None:
    """Every record that waits stands in the inbox once.

    Beside them may stand what an earlier epoch of a failed run was refused, and the newest has not come to yet.
    """
    waiting = Counter(key for key, _, _ in _inbox(pipeline))
    last = {fate.key: fate.bucket for fate in fates if fate.bucket not in ("deduplicated", "skipped")}
    lost = {key for key, bucket in last.items() if bucket in ("failed", "held")}
    none(pipeline, "in the inbox twice", {key for key, count in waiting.items() if count > 1})
    none(pipeline, "failed or held, and not in the inbox", lost - set(waiting))
    none(pipeline, "in the inbox for nothing", {key for key in set(waiting) - lost if last.get(key) != "unsent"})


def none(pipeline: Pipeline, what: str, keys: set[str]) -> None:
    """Fail with the seed where there is such a record."""
    assert not keys, f"seed {pipeline.faults.seed}: {len(keys)} records are {what}: {sorted(keys)[:5]}"


def held(pipeline: Pipeline) -> set[str]:
    """Keys of the records that wait for a person, because nobody knows whether they arrived."""
    errors = [(key, code) for key, state, code in _inbox(pipeline) if state == "held"]
    assert {code for _, code in errors} <= {"OUTCOME_UNKNOWN"}
    return {key for key, _ in errors}


def fates_of(pipeline: Pipeline, run: dict[str, Any]) -> list[Fate]:
    """The fate of every record that the run read, from the rows of the store and the files of read."""
    with closing(sqlite3.connect(pipeline.folder / "flux.db")) as database:
        newest = {
            stage: (epoch, input_epoch)
            for stage, epoch, input_epoch in database.execute(
                "SELECT stage, epoch, input_epoch FROM flux_stages WHERE run = ? ORDER BY epoch", (run["id"],)
            )
        }
        outcomes = database.execute(
            "SELECT stage, epoch, bucket, reason, first, last FROM flux_outcomes WHERE run = ?", (run["id"],)
        ).fetchall()
    said: dict[int, tuple[str, str]] = {}
    for stage, epoch, bucket, reason, first, last in outcomes:
        if epoch != newest[stage][0]:
            continue
        for ordinal in range(first, last + 1):
            assert ordinal not in said, f"record {ordinal} is {said[ordinal]} and {bucket}"
            said[ordinal] = (bucket, reason)
    return [
        Fate(run["run_id"], key, version, *said.get(ordinal, ("unsent", "")))
        for ordinal, (key, version) in enumerate(_read(pipeline, run["run_id"], newest["read"][0]))
    ]


def _inbox(pipeline: Pipeline) -> list[tuple[str, str, str]]:
    """Key, state and code of every error that is not settled."""
    with closing(sqlite3.connect(pipeline.folder / "flux.db")) as database:
        return database.execute(
            "SELECT source_key, state, code FROM flux_errors WHERE state NOT IN ('resolved', 'superseded', 'discarded')"
        ).fetchall()


def _read(pipeline: Pipeline, run_id: str, epoch: int) -> list[tuple[str, str]]:
    files = pipeline.files(run_id, "read", epoch)
    records = [record for entry in files.manifest().batches for record in files.load(entry, ReadRecord)]
    return [(str(record.key), str(record.version)) for record in records]
