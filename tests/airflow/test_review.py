"""Held records in a real Airflow: a person is asked in a run of its own, and the answer is carried out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_flux.store import open_store
from airflow_provider_flux.store.filters import ErrorFilter
from airflow_provider_flux.store.rows import Decision, ErrorRow
from tests.airflow.running_airflow import AirflowFault, RunningAirflow
from tests.processes.conftest import FLOW, MAPPING, contacts
from tests.processes.saas import Saas, serve

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def saas() -> Iterator[Saas]:
    with serve(Saas()) as server:
        yield server


class Review:
    """A flow whose destination refuses two contacts, which its strategy then holds, and the review of its run."""

    def __init__(self, airflow: RunningAirflow, saas: Saas, flow: str) -> None:
        self.airflow, self.saas, self.flow = airflow, saas, flow
        saas.put(*contacts(10))
        self.refused = sorted(saas.contacts)[:2]
        saas.record_status = lambda record: 422 if record["id"] in self.refused else 200
        airflow.connection(f"{flow}_saas", conn_type="flux_rest", host=saas.url)
        airflow.write(f"mappings/{flow}/v1.yaml", MAPPING)
        text = FLOW.format(mode="upsert", endpoint="upsert", in_flight=1, errors="{strategy: review}")
        text = text.replace("connection: saas", f"connection: {flow}_saas")
        airflow.write(f"flows/{flow}.yaml", text.replace("mapping: contacts", f"mapping: {flow}"))
        self.run_id = airflow.trigger(flow)
        self.review = f"{flow}__{self.run_id}"

    def asked(self) -> dict[str, Any]:
        """Wait until the question is there; the flow's own run has ended by itself."""
        assert self.airflow.wait(self.flow, self.run_id) == "success"
        assert set(self.airflow.states(self.flow, self.run_id)) == {"read", "transform", "write", "settle"}
        self.airflow.wait_for_task("flux_review", self.review, "ask", "awaiting_input", "deferred")
        path = f"/api/v2/dags/flux_review/dagRuns/{self.review}/hitlDetails"
        [detail] = self.airflow.get(path)["hitl_details"]
        found: dict[str, Any] = detail
        return found

    def decided(self, option: str, **params: Any) -> str:
        """Answer as a person; what the second task says it did."""
        answered: set[int] = set()

        def carried_out() -> str | None:
            task = self.airflow.tasks("flux_review", self.review)["ask"]
            # An answer within a second of the question crosses Airflow's own books: it takes the task for lost, tries
            # it again and asks once more.
            if task["state"] in ("awaiting_input", "deferred") and task["try_number"] not in answered:
                answered.add(task["try_number"])
                self.airflow.answer("flux_review", self.review, "ask", option, **params)
            state: str = self.airflow.run("flux_review", self.review)["state"]
            return state if state in ("success", "failed") else None

        assert self.airflow.until("the answer is carried out", carried_out, 90) == "success"
        done: str = self.airflow.xcom("flux_review", self.review, "decide")
        return done

    def errors(self) -> list[ErrorRow]:
        with open_store(self.airflow.store_url) as store:
            return store.errors(ErrorFilter(flow=self.flow))

    def decisions(self, error: ErrorRow) -> list[Decision]:
        with open_store(self.airflow.store_url) as store:
            return store.decisions(error.id)


def test_what_a_person_approves_is_delivered(airflow_standalone: RunningAirflow, saas: Saas) -> None:
    review = Review(airflow_standalone, saas, "review_approve")
    detail = review.asked()
    assert detail["options"] == ["Approve", "Discard", "Decide one by one"]
    assert detail["subject"].startswith("2 held: run ")
    # Airflow's page takes no answer before a field is filled in that may not be null.
    assert detail["params"]["reason"]["schema"]["type"] == ["null", "string"]
    assert detail["params"]["reason"]["value"] is None
    for contact in review.refused:
        assert contact in detail["body"]
    assert {row.state for row in review.errors()} == {"held"}

    review.refused = []  # the destination takes them now
    done = review.decided("Approve")
    assert done.startswith("2 records approved by ")
    replay = done.rpartition(" ")[2]
    assert airflow_standalone.wait(review.flow, replay) == "success"
    assert sorted(saas.upserted) == sorted(saas.contacts)
    rows = review.errors()
    assert {row.state for row in rows} == {"resolved"}
    taken = [(one.action, one.decided_by) for one in review.decisions(rows[0])]
    assert [action for action, _ in taken] == ["approve", "retry"]
    assert len({by for _, by in taken} - {""}) == 1


def test_what_a_person_discards_is_given_up_with_the_reason(airflow_standalone: RunningAirflow, saas: Saas) -> None:
    review = Review(airflow_standalone, saas, "review_discard")
    review.asked()
    with pytest.raises(AirflowFault, match=r"400|422"):
        airflow_standalone.answer("flux_review", review.review, "ask", "Perhaps")
    assert "2 records discarded by " in review.decided("Discard", reason="  tests of a test ")
    rows = review.errors()
    assert {row.state for row in rows} == {"discarded"}
    assert {decision.reason for row in rows for decision in review.decisions(row)} == {"tests of a test"}
