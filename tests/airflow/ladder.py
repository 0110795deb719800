"""A flow between the halves of the small SaaS, whose destination refuses some records for a while; it keeps time."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from airflow_provider_flux.store import Store, open_store
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import ErrorRow, Run
from tests.airflow.running_airflow import RunningAirflow
from tests.airflow.running_airflow_2 import RunningAirflow2
from tests.processes.conftest import FLOW, MAPPING, contacts
from tests.processes.saas import Saas


class Ladder:
    """:param retry: the flow's `errors.retry`, as YAML in one line
    :param refused: so many contacts are answered with 503
    :param times: so often each of them
    :param more: further lines of the flow file, for example its schedule
    """

    def __init__(
        self,
        airflow: RunningAirflow | RunningAirflow2,
        saas: Saas,
        flow: str,
        retry: str,
        refused: int,
        times: int,
        more: str = "",
    ) -> None:
        self.airflow, self.saas, self.flow = airflow, saas, flow
        self.sent: dict[str, list[float]] = defaultdict(list)
        self.times = times
        saas.put(*contacts(20))
        self.refused = sorted(saas.contacts)[:refused]
        saas.record_status = self._status
        airflow.connection(f"{flow}_saas", conn_type="flux_rest", host=saas.url)
        airflow.write(f"mappings/{flow}/v1.yaml", MAPPING)
        text = FLOW.format(mode="upsert", endpoint="upsert", in_flight=1, errors=f"{{strategy: retry, retry: {retry}}}")
        text = text.replace("connection: saas", f"connection: {flow}_saas")
        airflow.write(f"flows/{flow}.yaml", text.replace("mapping: contacts", f"mapping: {flow}") + more)

    def _status(self, record: dict[str, Any]) -> int:
        calls = self.sent[record["id"]]
        calls.append(time.time())
        return 503 if record["id"] in self.refused and len(calls) <= self.times else 200

    def store(self) -> Store:
        """Flux's store, to be closed."""
        return open_store(self.airflow.store_url)

    def errors(self, *states: str) -> list[ErrorRow]:
        """The flow's errors in these states, or all."""
        with self.store() as store:
            return store.errors(ErrorFilter(flow=self.flow, state=states or None))

    def retries(self) -> list[Run]:
        """The runs that the ladder started, oldest first."""
        with self.store() as store:
            return sorted((run for run in store.runs(self.flow) if run.trigger == "retry"), key=lambda run: run.id)

    def timers(self) -> list[str]:
        """Run ids of the flow's timers."""
        return [run for run in self.airflow.runs("flux_timer") if run.startswith(f"{self.flow}__")]

    def finished(self, timeout: float = 120) -> None:
        """Wait until nothing of the flow waits for a retry any more."""
        self.airflow.until(
            f"the retries of {self.flow}", lambda: self.retries() and not self.errors("retrying"), timeout
        )

    def lateness(self) -> list[float]:
        """By how many seconds each retry came after it was due."""
        late = []
        for row in self.errors():
            if row.due_at is not None:
                assert row.source_key is not None
                calls = self.sent[_contact(row.source_key, self.sent)]
                late.append(calls[row.attempt] - datetime.fromisoformat(row.due_at).timestamp())
        return late


def _contact(key: str, known: Iterable[str]) -> str:
    return next(one for one in known if one in key)
