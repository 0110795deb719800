"""Limits of calls as people write them: `100/10s`, `40/2s, 2500/5m`, `none`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from airflow_provider_flux.transport.pace import Limit

FORM: Final = "calls/span, as 100/10s, 5/s, 2500/5m (s, m or h), several of them with commas between, or none"

_LIMIT: Final = re.compile(r"(\d{1,9})\s*/\s*(\d{1,6}(?:\.\d{1,3})?)?\s*([smh])", re.IGNORECASE)
_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST: Final = 3600.0  # seconds; what is allowed in a day no task waits for: the system says when it is used up
_SHORTEST: Final = 0.01

_LONG: Final = 60.0  # seconds; spans beyond it are spread, because no call waits for so long ...
_TOO_LONG: Final = 600.0  # ... and beyond this one they are not: a flow of a few hundred calls would crawl
_SPREAD: Final = 30.0


def read_limits(value: object) -> tuple[Limit, ...]:
    """The limits that a connection declares.

    :param value: a text as in `FORM`, or a list of such texts
    :raises ValueError: when it is none; the message says what it must be
    """
    texts = value.split(",") if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"must be {FORM}")
    if [text.strip().lower() for text in texts] == ["none"]:
        return ()
    return tuple(_limit(text.strip()) for text in texts)


def spread(limits: Sequence[Limit]) -> tuple[Limit, ...]:
    """The limits, with those over minutes cut into half minutes.

    A burst that uses up five minutes' calls at once would then have to wait for minutes, longer than a call may; as
    many calls spread evenly never do.
    """
    found = [*limits]
    for limit in limits:
        if _LONG < limit.seconds <= _TOO_LONG:
            found.append(replace(limit, calls=max(1, int(limit.calls * _SPREAD / limit.seconds)), seconds=_SPREAD))
    return tuple(found)


def _limit(text: str) -> Limit:
    match = _LIMIT.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is no limit; it must be {FORM}")
    limit = Limit(int(match[1]), float(match[2] or 1) * _UNITS[match[3].lower()])
    if limit.calls < 1:
        raise ValueError(f"'{text}' allows no call; switch the connection off instead, or say none for no limit")
    if not _SHORTEST <= limit.seconds <= _LONGEST:
        raise ValueError(f"'{text}': the span must be between {_SHORTEST:g} seconds and an hour")
    return limit
