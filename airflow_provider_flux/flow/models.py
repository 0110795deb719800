"""What a flow file may say, and the flow that comes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, Strict, model_validator

from airflow_provider_flux.connectors.options import DestinationOptions, Duration, Model, SourceOptions
from airflow_provider_flux.flow.clock import check_cron, check_timezone

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


class ErrorPolicy(Model):
    """What happens when records fail."""

    fail_run_when: Annotated[str, BeforeValidator(_fail_run_when, json_schema_input_type=str)] = Field(
        default="never", description="When failed records turn the DAG run red: `never`, `any`, `rate > 0.05`."
    )
    outage_after: Whole = Field(
        default=5,
        ge=1,
        description="After so many batches in a row failed alike it is an outage: the task fails, the rest is unsent.",
    )

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
        description="Name of a mapping, or name@version to pin one."
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
        """The pinned version, or None to follow the newest."""
        return split_mapping(self.file.mapping)[1]


def split_mapping(text: Any) -> tuple[str, int | None]:
    """`contacts@2` as `("contacts", 2)`; a version of None follows the newest.

    :raises ValueError: for anything else than such a name
    """
    name, _, version = _mapping_name(text if isinstance(text, str) else "").partition("@")
    return name, int(version) if version else None
