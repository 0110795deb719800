"""What differs between Airflow 2.11 and 3.x, in one place. Everything else is imported from `common.compat.sdk`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.version_compat import AIRFLOW_V_3_0_PLUS, AIRFLOW_V_3_2_PLUS, AIRFLOW_V_3_3_PLUS

if TYPE_CHECKING or AIRFLOW_V_3_0_PLUS:
    from airflow.sdk import Context
else:
    from airflow.utils.context import Context

# Airflow 3.1 moved the authoring side of timetables into the task SDK.
try:
    from airflow.sdk import CronDataIntervalTimetable, DeltaDataIntervalTimetable
except ImportError:
    from airflow.timetables.interval import (  # type: ignore[assignment]
        CronDataIntervalTimetable,
        DeltaDataIntervalTimetable,
    )

__all__ = [
    "AIRFLOW_V_3_0_PLUS",
    "AIRFLOW_V_3_2_PLUS",
    "AIRFLOW_V_3_3_PLUS",
    "Context",
    "CronDataIntervalTimetable",
    "DeltaDataIntervalTimetable",
    "retry_arguments",
]


def retry_arguments(delays: tuple[float, ...]) -> dict[str, Any]:
    """The operator arguments with which a task is retried after `delays` (seconds).

    From 3.3 a retry policy keeps the delays to the second and knows the error. `retry_delay` stands beside it for a
    process that was killed, which no policy sees. Older versions know one delay, at best doubled with every retry.
    """
    first = timedelta(seconds=delays[0])
    if AIRFLOW_V_3_3_PLUS:
        from airflow_provider_flux.operators.retry_policy import FluxRetryPolicy

        return {"retries": len(delays), "retry_delay": first, "retry_policy": FluxRetryPolicy(delays)}
    return {
        "retries": len(delays),
        "retry_delay": first,
        "retry_exponential_backoff": delays[-1] > delays[0],
        "max_retry_delay": timedelta(seconds=max(delays)),
    }
