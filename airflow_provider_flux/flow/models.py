"""What a flow file may say, and the flow that comes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from airflow_provider_flux.connectors.options import DestinationOptions, Duration, Model, SourceOptions

FLOW_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,249}")
"""A flow's id is the stem of its file and the id of its DAG."""


class Schedule(Model):
    """When a flow runs: `every` or `cron`. Without a schedule it runs on demand."""

    every: Duration | None = Field(default=None, description="Interval, for example 15m, 1h, 1d.")
    cron: str | None = Field(default=None, description="Cron expression with five fields.")
    timezone: str = "UTC"

    @model_validator(mode="after")
    def _one_of(self) -> Schedule:
        if (self.every is None) == (self.cron is None):
            raise ValueError("write either `every` or `cron`")
        return self


_RATE = re.compile(r"rate\s*>\s*(0(?:\.\d+)?|1(?:\.0+)?)")


def _fail_run_when(value: object) -> object:
    if value in ("never", "any") or (isinstance(value, str) and _RATE.fullmatch(value.strip())):
        return value
    raise ValueError("write `never`, `any` or a rate between 0 and 1, for example `rate > 0.05`")


class ErrorPolicy(Model):
    """What happens when records fail."""

    fail_run_when: Annotated[str, BeforeValidator(_fail_run_when)] = Field(
        default="never", description="When failed records turn the DAG run red: `never`, `any`, `rate > 0.05`."
    )
    outage_after: int = Field(
        default=5, ge=1, description="After so many batches in a row failed alike it is an outage: the task fails, the rest stays unsent."
    )

    def run_fails(self, read: int, lost: int) -> bool:
        """Whether `lost` failed or held records out of `read` turn the run red."""
        if self.fail_run_when == "never" or not lost:
            return False
        match = _RATE.fullmatch(self.fail_run_when.strip())
        return match is None or lost > float(match[1]) * read


class FlowFile(Model):
    """The content of a flow file. `source` and `destination` are the models of their connectors."""

    description: str = ""
    source: SourceOptions
    destination: DestinationOptions
    mapping: str = Field(min_length=1, description="Name of a mapping, or name@version to pin one.")
    filter: str | None = Field(
        default=None, description="Jinja expression over `record`; records for which it is false are skipped."
    )
    schedule: Schedule | None = None
    start_date: date = Field(default=date(2024, 1, 1), description="First day that a backfill may ask for.")
    errors: ErrorPolicy = ErrorPolicy()
    batch: int = Field(default=1000, ge=1, le=100_000, description="Records per staged file.")
    owner: str = "flux"
    tags: tuple[str, ...] = ()
    pool: str | None = Field(default=None, description="Airflow pool of the tasks; the default pool unless given.")


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
        version = self.file.mapping.partition("@")[2]
        return int(version) if version else None



