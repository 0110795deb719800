"""Dates and timestamps to ISO 8601 in UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from airflow_provider_flux.connectors.options import Model
from airflow_provider_flux.mapping.transforms.base import Apply, Example, Failure, Transform, finite

_ISO = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?"
    r"|\d{8}(?:T\d{4}(?:\d\d)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
# Eight digits are a date, as ISO 8601 has it; fewer are nothing that can be told.
_EPOCH = re.compile(r"-?\d{9,17}(?:\.\d{1,9})?", re.ASCII)
_UTC = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z", re.ASCII)
_ZERO = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MILLISECONDS = 10**11
"""Larger epochs are milliseconds: as seconds it would be the year 5138."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # OSError: a name that is a folder of the time zone database
        raise ValueError(f"{name!r} is not a time zone; write a name as Europe/Berlin") from None
    return name


def _known_format(pattern: str) -> str:
    try:
        written = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC).strftime(pattern)
        _parse(written, pattern)
    except (ValueError, re.error) as error:
        raise ValueError(f"{pattern!r} is not a date format as %d.%m.%Y: {error}") from None
    if written == pattern:
        raise ValueError(f"{pattern!r} holds no field of a date as %d, %m, %Y")
    return pattern


class DateIso(Model):
    """Arguments of `date_iso`."""

    formats: tuple[Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_known_format)], ...] = Field(
        default=(), description="Other forms of writing, tried before ISO 8601, for example %d.%m.%Y."
    )
    timezone: Annotated[str, AfterValidator(_known_zone)] = Field(
        default="UTC", description="Time zone of values that name none."
    )
    epoch: Literal["auto", "s", "ms"] = Field(
        default="auto", description="Unit of numbers; auto takes those from 10^11 on for milliseconds."
    )
    output: Literal["timestamp", "date"] = "timestamp"


def date_iso(arguments: DateIso) -> Apply:
    zone: tzinfo = UTC if arguments.timezone == "UTC" else ZoneInfo(arguments.timezone)
    write = _write_timestamp if arguments.output == "timestamp" else _date_writer(zone)
    formats, epoch = arguments.formats, arguments.epoch
    quick = not formats and arguments.output == "timestamp"

    def apply(value: Any) -> str | None:
        try:
            if quick and type(value) is str and (match := _UTC.fullmatch(value)) is not None:
                return _checked_utc(value, match[1], match[2])
            moment = _read_text(value.strip(), formats, epoch) if isinstance(value, str) else _read(value, epoch)
            if moment is None:
                return None
            return write(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))
        except (ValueError, OverflowError):
            raise Failure("The value is not a date or timestamp that exists.") from None

    return apply


def _checked_utc(text: str, seconds: str, fraction: str | None) -> str:
    """What most APIs send is in our own form already, but for the length of the fraction."""
    datetime.fromisoformat(text)  # raises ValueError for a day or an hour that does not exist
    if fraction is None:
        return text
    return f"{seconds}.{fraction:0<6}Z" if fraction.strip("0") else f"{seconds}Z"


def _read_text(text: str, formats: tuple[str, ...], epoch: str) -> datetime | None:
    for pattern in formats:
        try:
            return _parse(text, pattern)
        except ValueError:
            continue  # the next form of writing
    if _ISO.fullmatch(text):
        return datetime.fromisoformat(text)
    if _EPOCH.fullmatch(text):
        return _from_epoch(float(text) if "." in text else int(text), epoch)
    if not text:
        return None
    raise Failure("The value is not a date or timestamp in a known form.")


def _parse(text: str, pattern: str) -> datetime:
    return datetime.strptime(text, pattern)  # noqa: DTZ007 - in the zone of the rule, put in later


def _read(value: Any, epoch: str) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - in the zone of the rule, put in later
    return _from_epoch(finite(value, "a date or timestamp"), epoch)


def _from_epoch(number: Any, epoch: str) -> datetime:
    milliseconds = epoch == "ms" or (epoch == "auto" and abs(number) >= _FIRST_MILLISECONDS)
    if abs(number) > 10**18:
        raise OverflowError("later than any date")
    if isinstance(number, int):
        return _ZERO + (timedelta(milliseconds=number) if milliseconds else timedelta(seconds=number))
    return _ZERO + timedelta(seconds=float(number) / (1000 if milliseconds else 1))


def _write_timestamp(moment: datetime) -> str:
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return f"{utc.replace(tzinfo=None).isoformat()}Z"


def _date_writer(zone: tzinfo) -> Any:
    def write(moment: datetime) -> str:
        return moment.astimezone(zone).date().isoformat()

    return write


class Timezone(Model):
    """Arguments of `timezone`."""

    to: Annotated[str, AfterValidator(_known_zone)] = Field(description="Time zone to write in, as Europe/Berlin.")
    source: Annotated[str, AfterValidator(_known_zone)] = Field(
        default="UTC", alias="from", description="Time zone of values that name none."
    )
    offset: bool = Field(default=True, description="Whether the offset, as +02:00, is written behind the time.")


def timezone(arguments: Timezone) -> Apply:
    target, source, offset = ZoneInfo(arguments.to), ZoneInfo(arguments.source), arguments.offset

    def apply(value: Any) -> str | None:
        try:
            moment = _read_text(value.strip(), (), "auto") if isinstance(value, str) else _read(value, "auto")
            if moment is None:
                return None
            aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=source)
            local = aware.astimezone(target)
            return (local if offset else local.replace(tzinfo=None)).isoformat()
        except (ValueError, OverflowError):
            raise Failure("The value is not a date or timestamp that exists.") from None

    return apply


TRANSFORMS = (
    Transform(
        "date_iso",
        "Brings a date or timestamp into ISO 8601 in UTC, to the microsecond; understands ISO 8601, epoch seconds and "
        "milliseconds, and the given formats; empty text becomes null.",
        date_iso, arguments=DateIso,
        examples=(
            Example("2024-05-01T10:00:00+02:00", "2024-05-01T08:00:00Z"), Example("2024-05-01", "2024-05-01T00:00:00Z"),
            Example(1714557600, "2024-05-01T10:00:00Z"), Example("1714557600123", "2024-05-01T10:00:00.123000Z"),
            Example("01.05.2024", "2024-05-01", {"formats": ["%d.%m.%Y"], "output": "date"}),
            Example("2024-05-01 10:00", "2024-05-01T08:00:00Z", {"timezone": "Europe/Berlin"}),
            Example("", None), Example("soon", fails="not a date or timestamp in a known form"),
            Example("2024-02-30", fails="that exists"), Example(True, fails="is a boolean"),
        ),
    ),
    Transform(
        "timezone", "Writes a timestamp as the clock of another time zone shows it; empty text becomes null.", timezone,
        arguments=Timezone,
        examples=(
            Example("2024-05-01T10:00:00Z", "2024-05-01T12:00:00+02:00", {"to": "Europe/Berlin"}),
            Example("2024-01-01 09:00", "2024-01-01T15:00:00+00:00", {"from": "America/Chicago", "to": "UTC"}),
            Example("2024-07-01", "2024-07-01T09:00:00", {"to": "Asia/Tokyo", "offset": False}),
            Example(1714557600, "2024-05-01T10:00:00+00:00", {"to": "UTC"}), Example("", None, {"to": "UTC"}),
            Example("soon", arguments={"to": "UTC"}, fails="not a date or timestamp in a known form"),
        ),
    ),
)
