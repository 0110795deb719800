"""Whether a cron expression and a time zone are what Airflow will understand."""

from __future__ import annotations

import re
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from airflow_provider_flux.errors import preview
from airflow_provider_flux.flow.suggest import did_you_mean

_RANDOM = re.compile(r"\b[RH]\b", re.IGNORECASE)


@lru_cache(maxsize=1024)
def check_cron(text: str) -> str:
    """Return the expression as it is.

    The verdict is croniter's, with which Airflow computes the runs. It also knows seconds, years and `@daily`: those
    are refused here, because five fields are what everybody can read.

    :raises ValueError: when it is not a cron expression of five fields, or names a day that never comes
    """
    from croniter import croniter

    shown = preview(text, 60)
    if len(text.split()) != 5:
        raise ValueError(
            f"'{shown}' is not a cron expression: write five fields (minute hour day month weekday), "
            "for example `0 6 * * *`"
        )
    if _RANDOM.search(text):
        raise ValueError(f"'{shown}': `R` and `H` stand for random times; write the times out")
    try:
        croniter.expand(text, strict=True)
    except ValueError as error:
        raise ValueError(f"'{shown}' is not a cron expression: {_plain(error)}") from None
    return text


def _plain(error: Exception) -> str:
    """croniter's sentence, without the expression that it sometimes repeats in front."""
    return str(error).rpartition("] ")[2] or type(error).__name__


@lru_cache(maxsize=1024)
def check_timezone(name: str) -> str:
    """Return the name as it is.

    :raises ValueError: when the time zone database does not have it
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # OSError: "Europe" is a folder of the database.
        hint = did_you_mean(name, available_timezones())
        shown = preview(name, 60)
        raise ValueError(f"'{shown}' is not a time zone; write one such as `Europe/Berlin` or `UTC`.{hint}") from None
    return name
