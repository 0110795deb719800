"""Hands records to a flow, one run each, and waits for the runs of a batch together."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from airflow_provider_flux.connectors.api.one_by_one import raise_if_all_alike, write_each
from airflow_provider_flux.connectors.api.profile import ApiProfile
from airflow_provider_flux.connectors.contract import Destination, Verdict, WriteItem, Written
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.flow_platform.options import FlowPlatformDestinationOptions
from airflow_provider_flux.connectors.flow_platform.platform import Platform
from airflow_provider_flux.connectors.flow_platform.runs import CHECK, CHECKED, EXECUTE, EXECUTED, Run, run_of
from airflow_provider_flux.connectors.graphql.writing import Answer, Mutation, Mutator
from airflow_provider_flux.connectors.rest.placeholders import Unfit, compile_template
from airflow_provider_flux.errors import FluxError, RecordError
from airflow_provider_flux.transport.classify import as_text
from airflow_provider_flux.transport.tally import Tally
from airflow_provider_flux.transport.wordings import record_fault

log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 15.0  # seconds between two looks at runs; doubled each time


class FlowPlatformDestination(Destination):
    """One flow of one project."""

    one_by_one = True

    def __init__(
        self, options: FlowPlatformDestinationOptions, credentials: Credentials, profile: ApiProfile
    ) -> None:
        self.batch_size = options.batch_size
        self.in_flight = options.in_flight
        self.idempotent = options.mode == "upsert"
        self._options = options
        self._platform = Platform(credentials, profile, options)
        self._mutator = Mutator(self._platform.graph)
        self._payload = compile_template(options.payload, options.one_key)
        self._delete_payload = compile_template(options.delete_payload, options.one_key)

    def write(self, items: Sequence[WriteItem]) -> list[Verdict]:
        """Start a run for each record, then wait for their ends: one verdict per item, in order."""
        started: dict[int, Run] = {}
        number = iter(range(len(items)))

        def start(item: WriteItem) -> Verdict:
            place = next(number)
            verdict = self._start(item)
            if isinstance(verdict, Run):
                started[place] = verdict
                return Written(verdict.id)
            return verdict

        with self._platform.advising():
            verdicts = write_each(items, start, idempotent=self.idempotent, can_find=False)
            if len(items) > 1:  # one payload that does not fit says nothing about the next
                raise_if_all_alike(verdicts)
        for place, verdict in self._ends(started).items():
            verdicts[place] = verdict
        return verdicts

    def calls(self) -> Tally:
        """The calls made so far."""
        return self._platform.graph.calls()

    def close(self) -> None:
        """Close the connections."""
        self._platform.close()

    def _start(self, item: WriteItem) -> Verdict | Run:
        """Hand one record over: the run that has not ended yet, or the verdict.

        :raises FluxError: what keeps every record from being handed over
        """
        workflow = self._options.delete_workflow if item.deleted else self._options.workflow
        render = self._delete_payload if item.deleted else self._payload
        try:
            payload = render(item)
        except Unfit as unfit:
            return unfit.error
        answer = self._execute({"workflowId": workflow, "payload": payload}, item)
        if not isinstance(answer, Answer):
            return answer
        run = run_of(answer.at(EXECUTED))
        if run is None or (not run.ended and run.id is None):
            return self._unknown(f"the platform does not say what became of it: {as_text(answer.value)[:300]}")
        if run.ended or not self._options.wait:
            return self._verdict(run, answer.value)
        return run

    def _execute(self, variables: dict[str, Any], item: WriteItem) -> Answer | RecordError:
        """Ask for a run.

        :raises FluxError: what keeps every record from being handed over
        """
        mutation = Mutation(EXECUTE, id=f"{EXECUTED}.status", idempotent=self.idempotent)
        try:
            answer = self._mutator.send(mutation, variables, item)
        except FluxError as error:
            if error.code != "PAYLOAD_MISMATCH":
                raise
            # The document is always the same: it is the payload that does not fit, of this record at least.
            return RecordError(error.code, error.message, answer=error.answer, status=error.status)
        if isinstance(answer, RecordError) and answer.status == 400 and answer.code == "RECORD_REJECTED":
            return replace(answer, code="PAYLOAD_MISMATCH")  # as the platform's error reference names a 400
        return answer

    def _ends(self, runs: dict[int, Run]) -> dict[int, Verdict]:
        """The verdicts on records whose runs were started, as soon as each has ended, or the time is up."""
        verdicts: dict[int, Verdict] = {}
        deadline = time.monotonic() + self._options.wait_timeout.total_seconds()
        pause = _FIRST_PAUSE
        while runs:
            for place, run in list(runs.items()):
                verdict = self._look(run)
                if verdict is not None:
                    verdicts[place] = verdict
                    del runs[place]
            if runs and time.monotonic() + pause > deadline:
                break
            if runs:
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        for place, run in runs.items():
            waited = self._options.wait_timeout.total_seconds()
            verdicts[place] = self._unknown(f"run {run.id} had not ended after {waited:.0f} s")
        return verdicts

    def _look(self, run: Run) -> Verdict | None:
        """The verdict on a record whose run has ended; None while it has not."""
        try:
            told = self._platform.graph.ask(CHECK, {"requestId": run.id})
        except FluxError as error:
            if error.transient:
                log.warning("run %s could not be looked at: %s", run.id, error.message)
                return None
            return self._unknown(f"run {run.id} was started, and its end cannot be seen: {error.message}")
        now = run_of(told.at(CHECKED), run.id)
        if now is None or not (now.ended or now.state == "running"):
            said = as_text(told.decoded.value)[:300]
            return self._unknown(f"run {run.id} was started, and the platform does not say how it ended: {said}")
        return self._verdict(now, told.decoded.value) if now.ended else None

    def _verdict(self, run: Run, value: Any) -> Verdict:
        if run.state != "failed":
            return Written(run.id)
        which = f"run {run.id}" if run.id else "the run"
        where = f" at node '{run.node}'" if run.node else ""
        # A node may say what the record lacks. What else it says is about the flow, which a person must look at.
        finding = record_fault(None, {"message": run.reason}) if run.reason else None
        mask = self._platform.graph.client.mask
        message = f"{which} of flow {self._options.workflow} failed{where}"
        return RecordError(
            finding.code if finding else "RECORD_REJECTED",
            mask(f"{message}: {run.reason}" if run.reason else f"{message}; its trace is in the platform's Logs"),
            field=finding.field if finding else None,
            answer=mask(as_text(value))[:4000],
        )

    def _unknown(self, reason: str) -> RecordError:
        """The error of a record that was handed over, and of whose run no end is known."""
        code = "CONNECTION_TIMEOUT" if self.idempotent else "OUTCOME_UNKNOWN"
        return RecordError(code, self._platform.graph.client.mask(reason))
