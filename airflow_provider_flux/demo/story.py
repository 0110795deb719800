"""What happens in the demo, told with Flux's own commands: everything that is printed comes from the store."""

from __future__ import annotations

import difflib
from pathlib import Path

from airflow_provider_flux.demo import warehouse
from airflow_provider_flux.demo.airflow_api import AirflowApi
from airflow_provider_flux.demo.airflow_process import AirflowProcess
from airflow_provider_flux.demo.sandbox import Sandbox
from airflow_provider_flux.demo.screen import Screen
from airflow_provider_flux.demo.workdir import Workdir
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.store import open_store
from airflow_provider_flux.store.rows import Run

CONTACTS, CUSTOMERS = "crm_contacts", "ledger_customers"
"""The shipped flows: CRM to warehouse, and warehouse to Ledger."""

_TASKS = ("read", "transform", "write", "settle")
_REPAIRED = Path(__file__).parent / "contacts_v2.yaml"
_DAG_SECONDS, _RUN_SECONDS = 60.0, 120.0


class Story:
    """:param environment: the variables under which `airflow-flux` sees the demo"""

    def __init__(
        self, screen: Screen, workdir: Workdir, environment: dict[str, str], airflow: AirflowProcess, api: AirflowApi
    ) -> None:
        self._screen = screen
        self._workdir = workdir
        self._environment = environment
        self._airflow = airflow
        self._api = api

    def first_run(self) -> Run:
        """The contacts flow, started by the scheduler's own first tick."""
        screen = self._screen
        screen.heading("2. A flow, run by Airflow's scheduler: include/flows/crm_contacts.yaml")
        screen.line((self._workdir.include / "flows" / f"{CONTACTS}.yaml").read_text().rstrip())
        run = self._tick(CONTACTS)
        screen.heading("3. The fate of every record")
        self._shell("show", str(run.id))
        screen.line(f"\n{self._destination_says()}; the run says {run.written} written.")
        screen.line(f"The run in Airflow, as long as that runs: {self._api.page(CONTACTS, run.run_id)}")
        return run

    def recovery(self, first: Run) -> None:
        """A person mends the mapping, and the failed records of the first run are sent once more."""
        screen = self._screen
        screen.heading("4. The mapping mended, the failed records sent again")
        self._mend_mapping()
        self._shell("mapping", "promote", "contacts", "2", "--reason", "a bad phone costs no contact")
        self._shell("errors", "retry", "--run", str(first.id))
        replay = self._finished(CONTACTS, "replay__")
        screen.heading("5. What is repaired, and what is left")
        self._shell("errors", "list", "--run", str(first.id), "--state", "resolved", "--by", "field", "--by", "code")
        self._shell("show", str(replay.id))
        screen.line(f"\n{self._destination_says()} now.")

    def second_flow(self, sandbox: Sandbox) -> None:
        """The rows of the database go on to an API that takes batches and answers for each record."""
        screen = self._screen
        screen.heading("6. From the database on to another API")
        run = self._tick(CUSTOMERS)
        self._shell("show", str(run.id))
        screen.line(f"\nThe destination's own count: {len(sandbox.ledger.customers)} customers in Ledger.")

    def _tick(self, flow: str) -> Run:
        """Switch a flow on and wait for the run that the scheduler starts."""
        with self._screen.step(f"DAG {flow}") as step:
            self._airflow.wait_until(
                lambda: self._api.unpause(flow), f"the DAG {flow} cannot be switched on", _DAG_SECONDS, "dag-processor"
            )
            step.result = f"made from include/flows/{flow}.yaml; switched on"
        return self._finished(flow, "scheduled__")

    def _finished(self, flow: str, prefix: str) -> Run:
        """Wait for the first run whose id begins so, and for its end."""
        found: list[str] = []

        def begun() -> bool:
            found[:] = [run_id for run_id in self._api.run_ids(flow) if run_id.startswith(prefix)]
            return bool(found)

        def ended() -> bool:
            states = self._api.task_states(flow, found[0])
            step.now(" >> ".join(f"{task} {states.get(task) or '-'}" for task in _TASKS))
            return self._api.state(flow, found[0]) in ("success", "failed")

        with self._screen.step(f"run of {flow}") as step:
            step.now("waiting for the scheduler")
            self._airflow.wait_until(begun, f"no run of {flow} starts", _RUN_SECONDS)
            self._airflow.wait_until(ended, f"run {found[0]} of {flow} does not end", _RUN_SECONDS)
            run = self._run(flow, found[0])
            step.result = f"{run.state}, {run.run_id}"
        if run.state == "failed":
            self._shell("show", str(run.id))
            raise FluxError(
                run.error_code or "UNKNOWN", f"run {run.run_id} of {flow} failed", next_step=run.error_next_step
            )
        return run

    def _mend_mapping(self) -> None:
        folder = self._workdir.include / "mappings" / "contacts"
        old, new = (folder / "v1.yaml").read_text(), _REPAIRED.read_text()
        (folder / "v2.yaml").write_text(new)
        where = "include/mappings/contacts/v"
        for line in difflib.unified_diff(
            old.splitlines(), new.splitlines(), f"{where}1.yaml", f"{where}2.yaml", n=0, lineterm=""
        ):
            self._screen.line(line)

    def _destination_says(self) -> str:
        return f"The destination's own count: {warehouse.count(self._workdir.warehouse)} rows in `contacts`"

    def _shell(self, *arguments: str) -> None:
        code = self._screen.shell(self._environment, *arguments)
        if code:
            raise FluxError("UNKNOWN", f"`airflow-flux {' '.join(arguments)}` ended with code {code}")

    def _run(self, flow: str, run_id: str) -> Run:
        with open_store(self._environment["AIRFLOW__FLUX__STORE"]) as store:
            run = store.run(flow, run_id)
        if run is None:
            raise FluxError("UNKNOWN", f"run {run_id} of {flow} left no trace", next_step=f"See {self._workdir.logs}.")
        return run
