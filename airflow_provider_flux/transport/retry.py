"""Tries a request again within one attempt of the task: connection trouble, 429, 502, 503, 504, half an answer.

This is the shortest of the three clocks (one attempt, the record, the task): it ends after a budget of seconds, and
what is left then is for the task's retry. A write that may have been executed is never repeated unless the caller says
that it is harmless.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tenacity import RetryCallState, Retrying, stop_before_delay, wait_exponential, wait_random

from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.advice import Advice, Adviser, no_advice
from airflow_provider_flux.transport.buckets import points_left
from airflow_provider_flux.transport.messages import Request, Response

log = logging.getLogger("airflow_provider_flux.transport")

_REFUSED = frozenset({429, 503})  # the server says that it did not execute the request
_GATEWAY = frozenset({502, 504})  # a proxy does not know whether the server did
# An answer that was cut off, or a maintenance page, is soon another one. A wrong path gives the same page for ever.
_MOST_UNREADABLE = 4  # of one request

_backoff = wait_exponential(multiplier=0.5, max=8.0) + wait_random(0.0, 0.25)


class AttemptFailed(Exception):
    """One attempt that brought no answer.

    :param error: what to raise when there is no further attempt
    :param sent: whether the server may have executed the request
    """

    def __init__(self, error: FluxError, *, sent: bool) -> None:
        super().__init__(error.message)
        self.error = error
        self.sent = sent


@dataclass
class _Tries:
    """What came of the tries of one request so far.

    :param advice: on the last answer
    """

    unreadable: int = 0
    advice: Advice | None = None


class Persistence:
    """Tries a call again as long as a budget lasts.

    The budget is that of an outage, not of each call: once it was spent in vain, every further call is tried once only,
    until one comes through. Otherwise a destination that is down would cost each batch a minute more.

    :param attempt: one try
    :param budget: seconds
    :param adviser: what is known of the system's answers
    :param on_throttle: told each answer that only the adviser knows for a throttle, when it is about to be overcome
    """

    def __init__(
        self,
        attempt: Callable[[Request], Response],
        budget: float,
        adviser: Adviser = no_advice,
        on_throttle: Callable[[Response], None] | None = None,
    ) -> None:
        self._attempt = attempt
        self._adviser = adviser
        self._on_throttle = on_throttle
        self._in_vain = False
        enough = stop_before_delay(budget)
        self._retrying = Retrying(
            retry=_again,
            wait=_wait,
            stop=lambda state: self._in_vain or enough(state),
            before_sleep=self._before_sleep,
            retry_error_callback=self._give_up,
        )

    def __call__(self, request: Request) -> Response:
        """Send the request.

        :return: the last answer, whatever its status
        :raises AttemptFailed: the last try brought none
        """
        return self._retrying(self._try, request, _Tries())

    def _try(self, request: Request, tries: _Tries) -> Response:
        response = self._attempt(request)
        tries.unreadable += not response.fits(request)
        tries.advice = self._adviser(response)
        if response.status not in _REFUSED | _GATEWAY and tries.advice is None:
            self._in_vain = False
        if tries.advice is not None and not tries.advice.again:
            then = "not trying again: no wait within a task outlasts it"
            log.warning("quota exhausted: %s, %s, quota left: %s", _answered(response), then, quota_left(response))
        return response

    def _before_sleep(self, state: RetryCallState) -> None:
        _log(state, f"waiting {state.upcoming_sleep:.1f} s")
        assert state.outcome is not None
        tries: _Tries = state.args[1]
        if self._on_throttle is not None and not state.outcome.failed and tries.advice is not None:
            self._on_throttle(state.outcome.result())

    def _give_up(self, state: RetryCallState) -> Response:
        assert state.outcome is not None
        _log(state, "not trying again: the time for that is used up")
        self._in_vain = True
        response: Response = state.outcome.result()
        return response


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait, from either form of `Retry-After` (RFC 9110, 10.2.3), or None.

    A date is compared with the answer's own `Date`, because the two clocks need not agree.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        until = http_date(text)
    if until is None:
        return None
    now = http_date(headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def quota_left(response: Response) -> str:
    """What the server says is left of the quota, or `unknown`. Every vendor spells the header differently."""
    for name, value in response.headers.items():
        spelt = name.lower().replace("-", "")
        if ("ratelimit" in spelt and "remaining" in spelt) or "requestsleft" in spelt:
            return value
    return points_left(response) or "unknown"


def _again(state: RetryCallState) -> bool:
    request: Request = state.args[0]
    tries: _Tries = state.args[1]
    outcome = state.outcome
    assert outcome is not None
    error = outcome.exception()
    if error is not None:
        return isinstance(error, AttemptFailed) and (request.may_repeat or not error.sent)
    response: Response = outcome.result()
    if tries.advice is not None:
        return tries.advice.again
    if response.status in _REFUSED:
        return True
    if not request.may_repeat:
        return False
    return response.status in _GATEWAY or (not response.fits(request) and tries.unreadable < _MOST_UNREADABLE)


def _wait(state: RetryCallState) -> float:
    assert state.outcome is not None
    waiting = _backoff(state)
    if state.outcome.failed:
        return waiting
    tries: _Tries = state.args[1]
    if tries.advice is not None and tries.advice.wait is not None:
        return tries.advice.wait
    return max(waiting, retry_after(state.outcome.result().headers) or 0.0)


def _log(state: RetryCallState, then: str) -> None:
    assert state.outcome is not None
    error = state.outcome.exception()
    if error is not None:
        log.warning("%s, %s", error, then)
        return
    response: Response = state.outcome.result()
    tries: _Tries = state.args[1]
    throttled = response.status in _REFUSED or (tries.advice is not None and tries.advice.again)
    what = "throttled: " if throttled else "unreadable: " if response.status < 300 else ""
    log.warning("%s%s, %s, quota left: %s", what, _answered(response), then, quota_left(response))


def _answered(response: Response) -> str:
    return f"HTTP {response.status} from {response.endpoint}"


def http_date(text: str) -> datetime | None:
    """The instant of a date as HTTP writes it, None where it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
