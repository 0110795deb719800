"""The two tasks of the DAG `flux_review` (Airflow 3.1 and newer): ask, and do what was answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException, BaseOperator
from airflow.providers.standard.operators.hitl import HITLOperator

from airflow_provider_flux import settings
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.operators.review import (
    APPROVE,
    DISCARD,
    LEAVE,
    decide,
    held_for_review,
    question,
    who,
)

if TYPE_CHECKING:
    from airflow_provider_flux.compat import Context
    from airflow_provider_flux.store import Store
    from airflow_provider_flux.store.rows import Run


REASON: dict[str, Any] = {
    # Without null Airflow's page would ask for a reason before anything can be answered.
    "type": ["null", "string"],
    "maxLength": 1000,
    "title": "Reason",
    "description": "Why, if you discard them.",
}
"""JSON Schema of the one field of the form, the operator's param `reason`."""


class FluxReviewOperator(HITLOperator):
    """Shows a person what a run holds, and waits for the answer; it takes no worker meanwhile."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(subject="Records are held", options=[APPROVE, DISCARD, LEAVE], **kwargs)

    def execute(self, context: Context) -> Any:
        """Ask, about what is held now.

        :raises AirflowSkipException: when nothing is
        :raises FluxError: when the store cannot be read
        """
        with _store() as store:
            run = _run(store, context)
            numbers = held_for_review(store, run)
            if not numbers:
                raise AirflowSkipException(f"Run {run.run_id} of flow {run.flow} holds nothing any more.")
            # Set here and not as a template: what stands in a record is nothing to be rendered.
            self.subject = f"{len(numbers)} held: run {run.run_id} of flow {run.flow}"
            self.body = question(store, run, numbers)
        return super().execute(context)


class FluxDecisionOperator(BaseOperator):
    """Does with the held records what the person chose.

    :param asked_in: id of the task that asked
    """

    def __init__(self, *, asked_in: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.asked_in = asked_in

    def execute(self, context: Context) -> str:
        """What was done, in a sentence.

        :raises AirflowFailException: when the inbox refuses it
        :raises FluxError: when the store cannot be reached, or the replay not be started
        """
        from airflow_provider_flux.inbox.refusal import Refused

        answer: Any = context["ti"].xcom_pull(task_ids=self.asked_in)
        [option] = answer["chosen_options"]
        reason = answer["params_input"].get("reason") or ""
        try:
            with _store() as store:
                done = decide(store, settings.load().include, _run(store, context), option, reason, who(answer))
        except Refused as refused:
            why = str(refused)
        except FluxError as error:
            if error.transient:
                raise
            why = f"{error}. {error.next_step}"
        else:
            self.log.info("%s", done)
            return done
        raise AirflowFailException(why)


def _store() -> Store:
    from airflow_provider_flux.store import open_store

    return open_store(settings.load().store)


def _run(store: Store, context: Context) -> Run:
    params: Any = context["params"]
    run = store.run(params["flow"], params["run_id"])
    if run is None:
        raise AirflowFailException(f"Flow {params['flow']} has no run {params['run_id']}; was it purged?")
    return run
