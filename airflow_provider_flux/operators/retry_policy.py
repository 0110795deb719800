"""When a failed task is tried again (Airflow 3.3 and newer)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryDecision, RetryPolicy

from airflow_provider_flux.errors import FluxError

if TYPE_CHECKING:
    from airflow.sdk import Context


class FluxRetryPolicy(RetryPolicy):
    """Retries after fixed delays, or later where the other system asks for it; never after a permanent error.

    :param delays: seconds before each retry
    """

    def __init__(self, delays: Sequence[float]) -> None:
        self.delays = tuple(delays)

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Decide in the task's process, with the exception itself at hand."""
        if isinstance(exception, FluxError) and not exception.transient:
            return RetryDecision.fail(exception.code)
        # A clear does not start the count anew, it raises `max_tries`: what counts are the tries since then.
        tries = try_number - max(max_tries - len(self.delays), 0)
        delay = self.delays[min(max(tries, 1), len(self.delays)) - 1]
        asked = exception.retry_after if isinstance(exception, FluxError) else None
        reason = exception.code if isinstance(exception, FluxError) else type(exception).__name__
        return RetryDecision.retry(timedelta(seconds=max(delay, asked or 0)), reason=reason)

    def serialize(self) -> dict[str, Any]:
        """The arguments, as JSON."""
        return {"delays": list(self.delays)}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> FluxRetryPolicy:
        """The policy of `serialize`."""
        return cls(data["delays"])
