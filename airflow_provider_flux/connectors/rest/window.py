"""The run's window as request parameters, in the form that the API reads."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow_provider_flux.connectors.contract import Window
from airflow_provider_flux.connectors.cursor import native
from airflow_provider_flux.connectors.rest.source_options import Incremental

_UNITS = {
    "iso": timedelta(seconds=1),
    "date": timedelta(days=1),
    "epoch": timedelta(seconds=1),
    "epoch_ms": timedelta(milliseconds=1),
}


def window_parameters(window: Window, incremental: Incremental | None, kind: str) -> dict[str, Any]:
    """Parameters that ask for the window. An open end has none.

    The begin is rounded down and the end up to what the form can express: a record too many is sorted out by the
    read stage, one too few would be lost.

    :param kind: type of the cursor
    """
    if incremental is None:
        return {}
    form = incremental.format or ("iso" if kind == "timestamp" else "raw")
    parameters: dict[str, Any] = {}
    if window.start is not None:
        parameters[incremental.param] = _begin(native(window.start, kind), form, incremental.exclusive)
    if window.end is not None and incremental.until is not None:
        parameters[incremental.until] = _end(native(window.end, kind), form)
    return parameters


def _begin(value: datetime | int | str, form: str, exclusive: bool) -> Any:
    if isinstance(value, datetime):
        down = _floor(value, _UNITS[form])
        return _written(_back(down, _UNITS[form]) if exclusive else down, form)
    return value - 1 if exclusive and isinstance(value, int) else value


def _end(value: datetime | int | str, form: str) -> Any:
    if not isinstance(value, datetime):
        return value
    unit = _UNITS[form]
    down = _floor(value, unit)
    return _written(down if down == value else down + unit, form)


def _floor(moment: datetime, unit: timedelta) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return moment - (moment - midnight) % unit


def _back(moment: datetime, unit: timedelta) -> datetime:
    try:
        return moment - unit
    except OverflowError:  # the beginning of time
        return moment


def _written(moment: datetime, form: str) -> Any:
    if form == "iso":
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
    if form == "date":
        return moment.date().isoformat()
    if form == "epoch":
        return int(moment.timestamp())
    # Not by way of a float: milliseconds of today need more digits than it has.
    since = moment - datetime(1970, 1, 1, tzinfo=moment.tzinfo)
    return since // timedelta(milliseconds=1)
