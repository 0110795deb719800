"""The clock of the automatic retries: settle arms it, and the DAG `flux_timer` starts the flow's DAG when it rings.

A delayed run of the flow's own DAG would stop its schedule until then, because a flow has one run at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, BaseSensorOperator

from airflow_provider_flux import dag_runs, settings
from airflow_provider_flux.operators.generic import why_not

if TYPE_CHECKING:
    from airflow_provider_flux.compat import Context
    from airflow_provider_flux.store import Store

TIMER = "flux_timer"

_TOGETHER = timedelta(seconds=30)
"""Records that failed seconds apart are retried in one run, by when the last of them is due."""

_SECOND = timedelta(seconds=1)
_WAITING = ("queued", "running")


def arm(store: Store, flow: str, run_id: str, warn: Callable[..., Any]) -> None:
    """Have the next automatic retries of a flow started when they are due; what is overdue, at once.

    Every run of the flow does this, so a timer that somebody deleted is made up for. A timer that cannot be set does
    not fail the run: its records are in the store.

    :param run_id: the run that has just settled
    :param warn: told in one message why nothing will start the retries
    """
    due = store.next_due(flow, _TOGETHER)
    if due is None:
        return
    trouble = why_not(TIMER, lambda: _set(flow, run_id, datetime.fromisoformat(due)))
    if trouble is not None:
        warn(
            "Records wait for a retry that is due at %s, but Airflow's DAG %s %s. The next run of the flow tries to "
            "set it again; `airflow-flux errors retry` delivers the records by hand.",
            due,
            TIMER,
            trouble,
        )


def _set(flow: str, run_id: str, due: datetime) -> None:
    now = datetime.now(UTC)
    if _start_timer(flow, due, now):
        return
    # There is a timer for that instant. While it, or the run that it started, has yet to come, all is well.
    if dag_runs.state(TIMER, timer_id(flow, due)) in _WAITING:
        return
    if retry_id(due) != run_id and dag_runs.state(flow, retry_id(due)) in _WAITING:
        return
    # It has rung, and its run did not take the records: it was deleted, or gave them back.
    _start_timer(flow, max(now, due + _SECOND), now)


def _start_timer(flow: str, due: datetime, now: datetime) -> bool:
    conf = {"flow": flow, "due": _text(due)}
    return dag_runs.start(TIMER, timer_id(flow, due), conf, at=max(due, now))


def timer_id(flow: str, due: datetime) -> str:
    """Run id of the timer: two settles that find the same retries set one timer."""
    return dag_runs.joined_id(flow, _text(due))


def retry_id(due: datetime) -> str:
    """Run id of the flow's run that retries what was due then."""
    return dag_runs.joined_id("retry", _text(due))


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class FluxTimerOperator(BaseSensorOperator):
    """Starts the run of a flow that retries what is due; waits for the instant where its own run started too early.

    Airflow 3.0, 3.1 and `[scheduler] allow_trigger_in_future` of 2.11 start a run at once, whatever its date.
    The DAG run's params are `flow` and `due` (an instant of the store).
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(mode="reschedule", poke_interval=15, **kwargs)

    def poke(self, context: Context) -> bool:
        """Whether the time had come; the run is started then.

        :raises AirflowFailException: when the flow has no DAG any more, or `due` is no instant
        :raises FluxError: when the store cannot be opened
        :raises DagRunRefused: when Airflow does not take the run now
        """
        flow, due = _order(context["params"])
        if datetime.now(UTC) < due:
            return False
        if not _anything_due(flow):
            self.log.info("Nothing of flow %s is due any more: another run took it.", flow)
            return True
        conf = {"replay": {"due": True, "what": f"records whose retry was due by {_text(due)}"}}
        try:
            started = dag_runs.start(flow, retry_id(due), conf)
        except dag_runs.DagRunRefused as refusal:
            if not refusal.missing:
                raise
            refused = f"Airflow does not start the retry of flow {flow}: {refusal}"
        else:
            self.log.info("Run %s of flow %s %s.", retry_id(due), flow, "is queued" if started else "exists already")
            if dag_runs.paused(flow):
                self.log.warning("Flow %s is paused: the retry starts when it is unpaused.", flow)
            return True
        raise AirflowFailException(f"{refused}. The records wait in the inbox: `airflow-flux errors list`.")


def _order(params: Any) -> tuple[str, datetime]:
    try:
        return params["flow"], datetime.fromisoformat(params["due"])
    except ValueError as error:
        wrong = f"`due` is {params['due']}, which is no instant: {error}"
    raise AirflowFailException(wrong)


def _anything_due(flow: str) -> bool:
    from airflow_provider_flux.store import open_store

    with open_store(settings.load().store) as store:
        first = store.next_due(flow)
    return first is not None and datetime.fromisoformat(first) <= datetime.now(UTC)
