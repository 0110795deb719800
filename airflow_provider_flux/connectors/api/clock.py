"""The clock of a system, as its answers show it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from airflow_provider_flux.transport.messages import Response


def clock(response: Response) -> datetime | None:
    """When the server answered, by its `Date` header; None where it sends none.

    A date has whole seconds, which is on the safe side: nothing is read that is newer.
    """
    try:
        moment = parsedate_to_datetime(response.headers.get("date", ""))
        # A cache answers with the date of the day it was filled.
        age = timedelta(seconds=max(0, int(response.headers.get("age", "0"))))
    except (ValueError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC) + age
