"""How often and when Airflow tries a failed task again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow_provider_flux.compat import AIRFLOW_V_3_3_PLUS


def retry_arguments(delays: tuple[float, ...]) -> dict[str, Any]:
    """The operator arguments with which a task is retried after `delays` (seconds).

    From 3.3 a retry policy keeps the delays to the second and knows the error. `retry_delay` stands beside it for a
    process that was killed, which no policy sees. Older versions know one delay, at best doubled with every retry.
    """
    first = timedelta(seconds=delays[0])
    if AIRFLOW_V_3_3_PLUS:
        from airflow_provider_flux.operators.retry_policy import FluxRetryPolicy  # not importable before 3.3

        return {"retries": len(delays), "retry_delay": first, "retry_policy": FluxRetryPolicy(delays)}
    return {
        "retries": len(delays),
        "retry_delay": first,
        "retry_exponential_backoff": delays[-1] > delays[0],
        "max_retry_delay": timedelta(seconds=max(delays)),
    }
