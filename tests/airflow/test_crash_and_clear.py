"""What a person or a machine does to a run in Airflow: kill -9, retry, clear. The rows are right and the sums hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from airflow_provider_flux.store import open_store
from airflow_provider_flux.store.rows import Run
from tests.airflow.running_airflow import RunningAirflow
from tests.processes.conftest import FLOW, MAPPING, assert_sum_holds, contacts
from tests.processes.saas import Saas, serve

RECORDS = 200
BAD = 6


@pytest.fixture
def saas() -> Iterator[Saas]:
    with serve(Saas()) as server:
        yield server


class Sync:
    """One flow of its own between the two halves of the SaaS."""

    def __init__(self, airflow: RunningAirflow, saas: Saas, flow: str, mode: str) -> None:
        self.airflow = airflow
        self.saas = saas
        self.flow = flow
        airflow.connection(f"{flow}_saas", conn_type="flux_rest", host=saas.url)
        endpoint = "upsert" if mode == "upsert" else "insert"
        text = FLOW.format(mode=mode, endpoint=endpoint, in_flight=2, errors="{}")
        airflow.write(f"mappings/{flow}/v1.yaml", MAPPING)
        text = text.replace("connection: saas", f"connection: {flow}_saas").replace(
            "mapping: contacts", f"mapping: {flow}"
        )
        airflow.write(f"flows/{flow}.yaml", text)
        saas.put(*contacts(RECORDS, bad_phones=BAD))

    def start(self) -> str:
        return self.airflow.trigger(self.flow)

    def finish(self, run_id: str) -> tuple[str, Run]:
        """Airflow's state of the run, and the run in Flux's store with its sum checked."""
        state = self.airflow.wait(self.flow, run_id, 150)
        store = open_store(self.airflow.store_url)
        run = store.run(self.flow, run_id)
        store.close()
        assert run is not None
        assert_sum_holds(vars(run) if hasattr(run, "__dict__") else {})
        return state, run

    def kill_at_write(self, run_id: Callable[[], str], number: int, *, supervisor: bool = False) -> None:
        """Kill the write task when the destination has stored that write and not yet answered."""

        def on_write(count: int, moment: str) -> None:
            if (count, moment) == (number, "after"):
                self.airflow.kill_task(self.flow, run_id(), "write", supervisor=supervisor)

        self.saas.on_write = on_write


@pytest.fixture
def new_sync(airflow_standalone: RunningAirflow, saas: Saas, request: pytest.FixtureRequest) -> Callable[[str], Sync]:
    def make(mode: str) -> Sync:
        flow = "".join(letter if letter.isalnum() else "_" for letter in request.node.name)[:60].strip("_")
        return Sync(airflow_standalone, saas, flow, mode)

    return make


@pytest.mark.parametrize("supervisor", [False, True], ids=["task", "worker"])
@pytest.mark.timeout(240)
def test_kill_of_the_write(new_sync: Callable[[str], Sync], supervisor: bool) -> None:
    sync = new_sync("upsert")
    run_ids: list[str] = []
    sync.kill_at_write(lambda: run_ids[0], 4, supervisor=supervisor)
    # The run id is chosen here, so that it is known before the first write.
    run_ids.append(f"manual__{sync.flow}")
    sync.airflow.trigger(sync.flow, dag_run_id=run_ids[0])

    state, run = sync.finish(run_ids[0])

    assert state == "success"
    assert (run.state, run.read, run.written, run.failed) == ("partial", RECORDS, RECORDS - BAD, BAD)
    assert sorted(sync.saas.upserted) == sorted(sync.saas.contacts)[BAD:]


@pytest.mark.timeout(240)
def test_kill_of_an_insert_holds_and_never_doubles(new_sync: Callable[[str], Sync]) -> None:
    sync = new_sync("create")
    run_id = f"manual__{sync.flow}"
    sync.kill_at_write(lambda: run_id, 4)
    sync.airflow.trigger(sync.flow, dag_run_id=run_id)

    state, run = sync.finish(run_id)

    assert state == "success"
    assert run.held is not None and 20 <= run.held <= 40
    assert run.written == RECORDS - BAD - run.held
    assert set(Counter(record["id"] for record in sync.saas.inserted).values()) == {1}


@pytest.mark.timeout(400)
def test_clear_of_each_task_and_of_the_whole_run(new_sync: Callable[[str], Sync]) -> None:
    sync = new_sync("upsert")
    run_id = sync.start()
    sync.finish(run_id)
    for tasks in (["settle"], ["write"], ["transform"], ["read"], []):
        sync.saas.upserted.clear()
        sync.airflow.clear(sync.flow, run_id, *tasks)
        state, run = sync.finish(run_id)
        assert state == "success"
        assert (run.state, run.read, run.written, run.failed) == ("partial", RECORDS, RECORDS - BAD, BAD)
        assert len(sync.saas.upserted) == (0 if tasks == ["settle"] else RECORDS - BAD)


@pytest.mark.timeout(240)
def test_a_failed_run_is_red_says_why_and_a_clear_of_its_failed_task_heals_it(
    new_sync: Callable[[str], Sync],
) -> None:
    sync = new_sync("upsert")
    sync.saas.status = 401
    run_id = sync.start()

    state, run = sync.finish(run_id)

    assert state == "failed"
    assert (run.state, run.written, run.unsent) == ("failed", 0, RECORDS - BAD)
    assert sync.airflow.states(sync.flow, run_id) == {
        "read": "success",
        "transform": "success",
        "write": "failed",
        "settle": "failed",
    }
    assert "AUTHENTICATION_FAILED" in sync.airflow.log(sync.flow, run_id, "write")
    log = sync.airflow.log(sync.flow, run_id, "settle")
    assert "failed in write: Authentication failed" in log
    assert "next" in log

    sync.saas.status = 200
    sync.airflow.clear(sync.flow, run_id, "write")
    state, run = sync.finish(run_id)
    assert (state, run.state, run.written) == ("success", "partial", RECORDS - BAD)
