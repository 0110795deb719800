"""Throttles and quotas that only an answer's body tells apart, by the rows that know a vendor's bodies."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_flux.transport.advice import Advice, Adviser
from airflow_provider_flux.transport.classify import Row, loosely, recognise
from airflow_provider_flux.transport.messages import Response


def adviser_of(rows: Sequence[Row]) -> Adviser:
    """An adviser from the rows of a vendor or of a flow.

    * An answer that a row calls QUOTA_EXHAUSTED (a day's or a month's calls are used up) is not asked for again: no
      wait within a task outlasts it, although it may look like any other 429.
    * One that a row calls RATE_LIMIT_EXCEEDED was not executed, whatever its status (some vendors throttle with 403),
      and is asked for again after the usual pauses or `Retry-After`.
    """
    known = [row for row in rows if row.code in ("QUOTA_EXHAUSTED", "RATE_LIMIT_EXCEEDED")]
    successes = {status for row in known for status in row.status or () if status < 400}

    def advise(response: Response) -> Advice | None:
        failed = response.status >= 400
        if not failed and response.status not in successes:
            return None
        value = loosely(response.body, response.content_type)
        # All rows are asked, in their order: one before may know better.
        finding = recognise(rows, response.status, value, failed=failed)
        if finding is None or finding.code not in ("QUOTA_EXHAUSTED", "RATE_LIMIT_EXCEEDED"):
            return None
        return Advice(again=finding.code == "RATE_LIMIT_EXCEEDED")

    return advise if known else _nothing


def advisers(*several: Adviser) -> Adviser:
    """Asks each in turn; the first that has advice is followed."""

    def advise(response: Response) -> Advice | None:
        for adviser in several:
            advice = adviser(response)
            if advice is not None:
                return advice
        return None

    return advise


def day_used_up(response: Response) -> bool:
    """Whether a 429 says by its headers that nothing is left of a day's budget.

    As `x-daily-ratelimit-token-remaining: 0` of Pipedrive and `X-HubSpot-RateLimit-Daily-Remaining: 0` of HubSpot do.
    """
    if response.status != 429:
        return False
    return any(
        "daily" in name.lower() and "remaining" in name.lower() and value.strip() == "0"
        for name, value in response.headers.items()
    )


def daily_advice(response: Response) -> Advice | None:
    """An adviser: nothing is left of a day's budget, so no wait within a task helps."""
    return Advice(again=False) if day_used_up(response) else None


def _nothing(response: Response) -> Advice | None:
    """No row tells a throttle."""
