"""What Pipedrive's answers mean beyond their status.

Its bodies are `{"success": false, "error": "...", "error_info": "...", "code": "ERR_..."}`; every header is optional.
Two limits answer 429: a burst of calls within two seconds, which is over in seconds, and the company's daily budget of
tokens, which is not. Only a header tells them apart, where it is there.
"""

from __future__ import annotations

import re

from airflow_provider_flux.transport.advice import Advice
from airflow_provider_flux.transport.classify import Row
from airflow_provider_flux.transport.messages import Response
from airflow_provider_flux.transport.quota import day_used_up

_LONGEST_WINDOW = 10.0  # seconds; the burst window has two

# A refusal may come with a status that says that all is well.
_REFUSED = frozenset({200, 201, 400, 422})


def _row(code: str, pattern: str, statuses: frozenset[int] = _REFUSED) -> Row:
    return Row(code, statuses, "error", re.compile(pattern, re.IGNORECASE))


ROWS = (
    _row("FIELD_NOT_FOUND", r"invalid field\(s\) in the payload: (?P<field>[\w.]+)"),
    _row("REQUIRED_FIELD_MISSING", r"\"?(?P<field>[\w.]+)\"? (?:is required|must be given|is missing)"),
    _row("VALUE_TOO_LONG", r"(?P<field>[\w.]+)\W{1,3}(?:length must be less|must be at most|is too long|exceeds)"),
    _row(
        "REFERENCE_MISSING",
        r"\b(?:person|organization|deal|user|pipeline|stage|product|owner)\b.{0,20}(?:does not exist|not found)",
    ),
    _row("INVALID_FORMAT", r"(?P<field>[\w.]+)\W{1,3}must be (?:an? )?(?:valid |number|integer|string|array|object)"),
    Row("BAD_REQUEST", frozenset({200, 201}), "success", re.compile("^false$")),
)


def advise(response: Response) -> Advice | None:
    """Whether to ask again after a 429, and when."""
    if response.status != 429:
        return None
    if day_used_up(response):
        return Advice(again=False)
    try:
        window = float(response.headers.get("x-ratelimit-reset", ""))
        asked = float(response.headers.get("retry-after", "0"))
    except ValueError:
        return None  # the usual pauses
    return Advice(again=True, wait=max(asked, min(max(window, 0.0), _LONGEST_WINDOW)))
