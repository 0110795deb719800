"""The life of a flow whose requests are spoilt, with the accounts drawn up after every run."""

from __future__ import annotations

import itertools
import json
from typing import Any

from tests.faults.accounts import Fate, check_destination, check_errors, check_run, held, none
from tests.faults.driver import Pipeline
from tests.faults.people import People

_CLEARS = 8
"""How often a person clears a failed run while the faults go on."""
_LADDER = 2
"""Automatic retries that take place while the faults go on."""
_NOT_THERE: dict[str, set[str]] = {"upsert": set(), "find": {"failed"}, "insert": {"failed", "unsent"}}


def storm(pipeline: Pipeline, contacts: People, destination: str, *, kills: int) -> None:
    """A run under faults, with its clears and automatic retries; then all that is still missing, in fair weather.

    :param kills: tries of the first write that are killed; of a cleared one it is one
    """
    weather = _Weather(pipeline, contacts, destination)
    run = weather.settled(pipeline.run("r1", kills=kills))
    for _ in range(_CLEARS):
        if run["state"] != "failed":
            break
        run = weather.settled(pipeline.clear("r1", run["error_stage"], kills=min(kills, 1)))
    for number in range(_LADDER):
        weather.retry(f"under faults {number}")
    _say(pipeline, "under faults", run)

    pipeline.faults.stop()
    if run["state"] == "failed":
        run = weather.settled(pipeline.clear("r1", run["error_stage"]))
    weather.retry("afterwards")
    weather.replay_what_failed()
    tick = weather.settled(pipeline.run("tick"))
    _say(pipeline, "afterwards", tick)

    assert tick["written"] == tick["unsent"] == 0, pipeline.faults.seed
    weather.nothing_is_missing()


class _Weather:
    """The fates of all records in all runs so far, the newest last."""

    def __init__(self, pipeline: Pipeline, contacts: People, destination: str) -> None:
        self._pipeline = pipeline
        self._contacts = contacts
        self._not_there = _NOT_THERE[destination.rpartition(" ")[2]]
        self._may_hold = destination.endswith("insert")
        self._fates: list[Fate] = []

    def settled(self, run: dict[str, Any]) -> dict[str, Any]:
        """Draw up the accounts of a run that settled, and of all runs together."""
        fates = check_run(self._pipeline, run)
        self._fates = [fate for fate in self._fates if fate.run != run["run_id"]] + fates
        check_destination(self._pipeline, self._contacts, self._fates, not_there=self._not_there)
        check_errors(self._pipeline, self._fates)
        return run

    def retry(self, run_id: str) -> None:
        """The run that the timer starts for what is due, if anything is."""
        if self._pipeline.pass_time():
            self.settled(self._pipeline.run(run_id, trigger="retry", replay={"due": True}))

    def replay_what_failed(self) -> None:
        """Replay run after run, as long as that delivers something."""
        for number in itertools.count(1):
            before = len(self._pipeline.saas.stored)
            for run_id in sorted({fate.run for fate in self._fates}):
                if self._pipeline.waits(run_id):
                    order = {"run": run_id}
                    self.settled(self._pipeline.run(f"replay {number} of {run_id}", trigger="replay", replay=order))
            if len(self._pipeline.saas.stored) == before:
                return

    def nothing_is_missing(self) -> None:
        """Every good record is there, or a person is asked about it."""
        doubtful = held(self._pipeline)
        assert self._may_hold or not doubtful
        assert doubtful <= set(self._contacts.good) | self._contacts.refused
        none(self._pipeline, "missing", set(self._contacts.good) - set(self._pipeline.saas.stored) - doubtful)


def _say(pipeline: Pipeline, when: str, run: dict[str, Any]) -> None:
    """The figures, for whoever runs this with `-s`."""
    buckets = {name: run[name] for name in ("read", "written", "skipped", "deduplicated", "failed", "held", "unsent")}
    print(
        f"\n{when}: {run['state']} after {pipeline.seconds:.1f} s, {pipeline.tries} tries of tasks, {pipeline.killed} "
        f"killed, {pipeline.epochs.get('r1', 0)} clears, {pipeline.faults.requests} requests, "
        f"{len(pipeline.faults.injected)} spoilt; calls that arrived: {json.dumps(pipeline.saas.calls)}; "
        f"{json.dumps(buckets)}"
    )
