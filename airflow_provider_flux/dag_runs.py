"""DAG runs, started and asked for from inside a task: through the supervisor on Airflow 3, in its database on 2.11.

`TriggerDagRunOperator` ends its task by an exception, and so cannot start a run from a task that goes on or fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, TypeVar

from airflow_provider_flux.compat import AIRFLOW_V_3_0_PLUS

LONGEST_ID = 250
"""Characters of a run id: the width of Airflow's column."""

_MICROSECOND = timedelta(microseconds=1)
_T = TypeVar("_T")


class DagRunRefused(Exception):
    """Airflow did not start a run, or did not tell about one; the message says why.

    :param missing: whether it does not know the DAG
    """

    def __init__(self, message: str, *, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing


def start(dag_id: str, run_id: str, conf: Mapping[str, Any], at: datetime | None = None) -> bool:
    """Create a DAG run.

    :param at: when it starts, at the earliest (aware); at once unless given
    :return: False when the DAG has a run of that id already
    :raises DagRunRefused: when Airflow does not know the DAG, or refuses the run
    """
    return (_start_3 if AIRFLOW_V_3_0_PLUS else _start_2)(dag_id, run_id, dict(conf), at)


def state(dag_id: str, run_id: str) -> str | None:
    """State of a DAG run as Airflow calls it (queued, running, success, failed); None when there is no such run.

    :raises DagRunRefused: when Airflow does not answer
    """
    return (_state_3 if AIRFLOW_V_3_0_PLUS else _state_2)(dag_id, run_id)


def paused(dag_id: str) -> bool:
    """Whether a DAG that Airflow knows is paused; False where Airflow cannot tell (3.0 and 3.1).

    :raises DagRunRefused: when Airflow does not answer
    """
    return (_paused_3 if AIRFLOW_V_3_0_PLUS else _paused_2)(dag_id)


def joined_id(*parts: str) -> str:
    """A run id of these parts, joined by two underscores; what would be too long for Airflow ends in a digest."""
    text = "__".join(parts)
    if len(text) <= LONGEST_ID:
        return text
    digest = blake2b(text.encode(), digest_size=8).hexdigest()
    return f"{text[: LONGEST_ID - len(digest) - 1]}~{digest}"


# --- Airflow 3: the task asks its supervisor, which asks the API server ------------------------------------------


def _start_3(dag_id: str, run_id: str, conf: dict[str, Any], at: datetime | None) -> bool:
    from airflow.sdk.exceptions import ErrorType
    from airflow.sdk.execution_time import task_runner
    from airflow.sdk.execution_time.comms import ErrorResponse, TriggerDagRun

    # 3.0 and 3.1 cannot delay a run: it starts at once, and its own task waits.
    when: dict[str, Any] = {"run_after": at} if at is not None and "run_after" in TriggerDagRun.model_fields else {}
    order = TriggerDagRun(dag_id=dag_id, run_id=run_id, conf=conf, **when)
    answer = _asked(lambda: task_runner.SUPERVISOR_COMMS.send(order))
    return not (isinstance(answer, ErrorResponse) and answer.error == ErrorType.DAGRUN_ALREADY_EXISTS)


def _state_3(dag_id: str, run_id: str) -> str | None:
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    # Counted first: the state of a run that is not there is an error, which the supervisor logs as such.
    if not _asked(lambda: RuntimeTaskInstance.get_dr_count(dag_id, run_ids=[run_id])):
        return None
    found: Any = _asked(lambda: RuntimeTaskInstance.get_dagrun_state(dag_id, run_id))
    return str(getattr(found, "value", found))


def _paused_3(dag_id: str) -> bool:
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    if not hasattr(RuntimeTaskInstance, "get_dag"):
        return False
    return bool(_asked(lambda: RuntimeTaskInstance.get_dag(dag_id)).is_paused)


def _asked(ask: Callable[[], _T]) -> _T:
    from airflow.sdk.api.client import ServerResponseError
    from airflow.sdk.exceptions import AirflowRuntimeError

    try:
        return ask()
    except AirflowRuntimeError as error:
        detail: Any = error.error.detail or {}
        raise _refusal(detail.get("status_code"), detail.get("detail") or detail.get("message")) from None
    except ServerResponseError as error:  # `airflow dags test` has no supervisor in between
        raise _refusal(error.response.status_code, error.detail) from None


def _refusal(status: int | None, detail: Any) -> DagRunRefused:
    while isinstance(detail, Mapping) and ("message" in detail or "detail" in detail):
        detail = detail.get("message") or detail.get("detail")
    return DagRunRefused(f"{detail} ({status})" if status else str(detail), missing=status == 404)


# --- Airflow 2.11: a task may use Airflow's database --------------------------------------------------------------


def _start_2(dag_id: str, run_id: str, conf: dict[str, Any], at: datetime | None) -> bool:
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.exceptions import DagNotFound, DagRunAlreadyExists

    trigger: Any = trigger_dag  # its arguments in Airflow 3 are others
    # A run in the future waits for its logical date, of which a DAG has only one run: a taken one is passed over.
    date = at or datetime.now(UTC)
    while True:
        try:
            trigger(dag_id, run_id, conf, date, replace_microseconds=False)
        except DagRunAlreadyExists as error:
            if error.dag_run.run_id == run_id:
                return False
            date += _MICROSECOND
        except DagNotFound as error:
            raise DagRunRefused(str(error), missing=True) from None
        except ValueError as error:
            raise DagRunRefused(str(error)) from None
        else:
            return True


def _state_2(dag_id: str, run_id: str) -> str | None:
    from airflow.models.dagrun import DagRun

    found = DagRun.find(dag_id=dag_id, run_id=run_id)
    return str(getattr(found[0].state, "value", found[0].state)) if found else None


def _paused_2(dag_id: str) -> bool:
    from airflow.models.dag import DagModel

    model: Any = DagModel.get_current(dag_id)
    return model is not None and bool(model.is_paused)
