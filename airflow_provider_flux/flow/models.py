"""What a flow file may say, and the flow that comes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Strict, field_validator, model_validator

from airflow_provider_flux.connectors.options import DestinationOptions, Duration, Model, SourceOptions
from airflow_provider_flux.errors import CATALOGUE, Disposition
from airflow_provider_flux.flow.clock import check_cron, check_timezone
from airflow_provider_flux.mapping.countries import known_country

FLOW_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,249}")
"""A flow's id is the stem of its file and the id of its DAG."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
"""The name of a mapping (a folder) or of a connector file (its stem)."""

_MAPPING = re.compile(rf"{NAME.pattern}(@[1-9][0-9]{{0,5}})?")
_RATE = re.compile(r"rate\s*>\s*(0(?:\.\d+)?|1(?:\.0+)?)")


def _interval(value: timedelta) -> timedelta:
    # Far longer ones, and far away days below, overflow when Airflow computes the next run.
    if not timedelta(seconds=1) <= value <= timedelta(days=366):
        raise ValueError("must be between 1s and 366d")
    return value


def _fail_run_when(value: object) -> object:
    if value in ("never", "any") or (isinstance(value, str) and _RATE.fullmatch(value.strip())):
        return value
    raise ValueError("write `never`, `any` or a rate between 0 and 1, for example `rate > 0.05`")


def _mapping_name(value: str) -> str:
    if _MAPPING.fullmatch(value) is None:
        raise ValueError("write the name of a mapping, or name@version with a whole number, for example `contacts@2`")
    return value


def _day(value: object) -> object:
    # Pydantic would take a number for seconds since 1970.
    if isinstance(value, (int, float)):
        raise ValueError("write a date such as 2026-01-31")
    return value


Whole = Annotated[int, Strict()]
"""A whole number; neither `"5"` nor `true`."""


class Schedule(Model):
    """When a flow runs: `every` or `cron`. Without a schedule it runs on demand."""

    every: Annotated[Duration, AfterValidator(_interval)] | None = Field(
        default=None, description="Interval: a number with s, m, h or d, for example `15m`, `1h`, `1d`."
    )
    cron: Annotated[str, AfterValidator(check_cron)] | None = Field(
        default=None, description="Cron expression with five fields, for example `0 6 * * 1-5`."
    )
    timezone: Annotated[str, AfterValidator(check_timezone)] = Field(
        default="UTC", description="Time zone of `cron`, for example `Europe/Berlin`."
    )

    @model_validator(mode="after")
    def _one_of(self) -> Schedule:
        if (self.every is None) == (self.cron is None):
            raise ValueError("write either `every` or `cron`")
        return self


Strategy = Literal["skip", "retry", "fail_fast", "review"]
"""What becomes of a record that fails."""

_LADDER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))


def _delays(value: object) -> object:
    if value == "exponential":
        return value
    if isinstance(value, (list, tuple)) and value:
        return value
    raise ValueError("write `exponential`, or a list of waiting times, for example `[1m, 5m, 30m]`")


class RetryLadder(Model):
    """When a record with a transient error is tried again by itself."""

    max: Whole = Field(default=3, ge=1, le=10, description="Most automatic retries of a record.")
    delay: Annotated[
        Literal["exponential"] | tuple[Annotated[Duration, AfterValidator(_interval)], ...],
        BeforeValidator(_delays, json_schema_input_type=str | list[str]),
    ] = Field(
        default=_LADDER,
        description="Waiting time before each retry; the last one holds for all that follow. "
        "`exponential`: 1m, doubled each time, 1h at most.",
    )

    def wait(self, rung: int) -> timedelta | None:
        """How long to wait before the next retry.

        :param rung: automatic retries made so far
        :return: None when there is no further one
        """
        if rung >= self.max:
            return None
        if self.delay == "exponential":
            return min(timedelta(minutes=2**rung), timedelta(hours=1))
        return self.delay[min(rung, len(self.delay) - 1)]


class ErrorPolicy(Model):
    """What happens when records fail."""

    strategy: Strategy = Field(
        default="skip",
        description="`skip`: keep the record for a person and go on. `retry`: the same, but try transient errors "
        "again by themselves. `fail_fast`: stop the run at the first error, when the batch that holds it is through, "
        "and begin no scheduled run until a person has dealt with it. `review`: hold the record until a person "
        "approves it.",
    )
    codes: dict[str, Strategy] = Field(
        default={}, description="Another strategy for single codes, for example `INVALID_EMAIL: review`."
    )
    retry: RetryLadder = Field(default=RetryLadder(), description="When `retry` tries again: after 1m, 5m and 30m.")

    fail_run_when: Annotated[str, BeforeValidator(_fail_run_when, json_schema_input_type=str)] = Field(
        default="never", description="When failed records turn the DAG run red: `never`, `any`, `rate > 0.05`."
    )
    outage_after: Whole = Field(
        default=5,
        ge=1,
        description="After so many batches in a row failed it is an outage: the task fails, the rest is unsent.",
    )

    @field_validator("codes")
    @classmethod
    def _known_codes(cls, codes: dict[str, Strategy]) -> dict[str, Strategy]:
        for code, strategy in codes.items():
            if code not in CATALOGUE:
                raise ValueError(f"there is no error code `{code}`; docs/errors.md lists them")
            if strategy == "retry" and CATALOGUE[code].disposition is not Disposition.RETRY:
                raise ValueError(f"`{code}` is not transient: no retry mends it by itself")
        return codes

    def strategy_for(self, code: str) -> Strategy:
        """The strategy for an error code."""
        return self.codes.get(code, self.strategy)

    def run_fails(self, read: int, lost: int) -> bool:
        """Whether `lost` failed or held records out of `read` turn the run red."""
        if self.fail_run_when == "never" or not lost:
            return False
        match = _RATE.fullmatch(self.fail_run_when.strip())
        return match is None or lost > float(match[1]) * read


class FlowFile(Model):
    """The content of a flow file. `source` and `destination` are the models of their connectors."""

    description: str = Field(default="", description="What the flow is for; shown on the DAG's page.")
    source: SourceOptions = Field(description="Where records come from.")
    destination: DestinationOptions = Field(description="Where records go to.")
    mapping: Annotated[str, AfterValidator(_mapping_name)] = Field(
        description="Name of a mapping, whose active version runs; or name@version to pin one."
    )
    country: Annotated[str, AfterValidator(known_country)] | None = Field(
        default=None,
        description="Country of phone numbers and addresses where neither the record nor the rule names one, "
        "for example `DE`.",
    )
    filter: str | None = Field(
        default=None,
        min_length=1,
        description="Jinja expression over `record`; records for which it is false are skipped.",
    )
    schedule: Schedule | None = Field(default=None, description="When it runs; on demand unless given.")
    start_date: Annotated[date, BeforeValidator(_day, json_schema_input_type=date)] = Field(
        default=date(2024, 1, 1),
        ge=date(1970, 1, 1),
        le=date(2199, 12, 31),
        description="First day that a backfill may ask for.",
    )
    errors: ErrorPolicy = Field(default=ErrorPolicy(), description="What happens when records fail.")
    batch: Whole = Field(default=1000, ge=1, le=100_000, description="Records per staged file.")
    owner: str = Field(default="flux", min_length=1, description="Owner of the DAG.")
    tags: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(
        default=(), description="Tags of the DAG."
    )
    pool: str | None = Field(
        default=None, min_length=1, description="Airflow pool of the tasks; the default pool unless given."
    )


@dataclass(frozen=True)
class Flow:
    """A valid flow file."""

    id: str
    path: Path
    file: FlowFile

    @property
    def mapping_name(self) -> str:
        return self.file.mapping.partition("@")[0]

    @property
    def mapping_pin(self) -> int | None:
        """The pinned version, or None to follow the active one."""
        return split_mapping(self.file.mapping)[1]


def split_mapping(text: Any) -> tuple[str, int | None]:
    """`contacts@2` as `("contacts", 2)`; a version of None follows the active one.

    :raises ValueError: for anything else than such a name
    """
    name, _, version = _mapping_name(text if isinstance(text, str) else "").partition("@")
    return name, int(version) if version else None
