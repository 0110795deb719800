"""What every flow file may say about its source and its destination.

Each connector derives its own option models from these. `extra="forbid"` at every level: a misspelt key
is an error, never silently ignored.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from airflow_provider_flux.connectors.duration import parse_duration

Duration = Annotated[timedelta, BeforeValidator(parse_duration, json_schema_input_type=str)]
"""`30s`, `5m`, `1h`, `7d`, in a flow file."""


class Model(BaseModel):
    """Base of everything that is written in YAML."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Fields = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    BeforeValidator(_as_list, json_schema_input_type=str | list[str]),
    Field(min_length=1),
]
"""One field path, or a list of them."""


Mode = Literal["create", "update", "upsert", "create_if_missing"]
Deletes = Literal["ignore", "archive", "delete"]


class Cursor(Model):
    """The field by which a run reads only what is new."""

    field: str = Field(min_length=1, description="Path of the source field, for example `updated_at`.")
    type: Literal["timestamp", "integer", "text"] = Field(
        default="timestamp", description="How its values sort. Timestamps may be ISO 8601, or seconds or milliseconds."
    )
    lookback: Duration | None = Field(
        default=None,
        description="How far before the cursor each run reads again, for rows that are committed late. "
        "Timestamps only; 5m there.",
    )
    settle: Duration = Field(default=timedelta(0), description="How far behind the source's clock a run stops reading.")

    @property
    def effective_lookback(self) -> timedelta:
        """The lookback, with the default of the cursor's type."""
        if self.lookback is not None:
            return self.lookback
        return timedelta(minutes=5) if self.type == "timestamp" else timedelta(0)


class Deleted(Model):
    """How a tombstone is recognised in the source."""

    field: str = Field(min_length=1, description="Path of the source field, for example `deleted`.")
    equals: bool | int | str = Field(default=True, description="What it holds in a record that is gone.")


class SourceOptions(Model):
    """Common to all sources."""

    connector: str = Field(description="A built-in connector, or the name of a connector file.")
    connection: str = Field(min_length=1, description="Airflow connection id.")
    key: Fields = Field(description="Field path(s) that identify a record in the source.")
    cursor: Cursor | None = Field(default=None, description="Without a cursor every run reads everything.")
    version: str | None = Field(
        default=None, description="Field that grows with every change of a record; the cursor's field unless given."
    )
    deleted: Deleted | None = Field(default=None, description="How a record is recognised that is gone in the source.")

    def selected_fields(self) -> frozenset[str] | None:
        """The fields that are read from the source at all; None where whole records come."""
        return None

    def can_fetch(self) -> bool:
        """Whether the source can be asked for single records by their key (see `contract.Source.fetch`)."""
        return False

    def advice(self) -> tuple[str, ...]:
        """What is allowed but has a price that the writer should know; `check` prints it as warnings."""
        return ()


class DestinationOptions(Model):
    """Common to all destinations. A connector says by the class variables which of these it has."""

    MODES: ClassVar[tuple[Mode, ...]] = ("upsert", "create", "update")
    DELETES: ClassVar[tuple[Deletes, ...]] = ("ignore", "delete")
    FALLBACK_KEYS: ClassVar[bool] = False

    connector: str = Field(description="A built-in connector, or the name of a connector file.")
    connection: str = Field(min_length=1, description="Airflow connection id.")
    key: Fields | None = Field(default=None, description="Target field(s) that identify a record in the destination.")
    fallback_keys: tuple[Fields, ...] = Field(
        default=(),
        description="Other target fields by which a record is looked up, one after another, while nothing is found by "
        "`key`.",
    )
    mode: Mode = Field(
        default="upsert",
        description="`upsert` makes or changes records by their key, `create` only makes them, `update` only changes "
        "them, `create_if_missing` makes those that are not there and leaves the others as they are.",
    )
    deletes: Deletes = Field(
        default="ignore",
        description="What becomes of a record that is gone in the source: `ignore`, `archive` (where the destination "
        "can bring it back), `delete`.",
    )
    batch_size: int = Field(default=500, strict=True, ge=1, le=10_000, description="Most records in one write.")
    in_flight: int = Field(default=1, strict=True, ge=1, le=64, description="Most writes at the same time.")
    skip_unchanged: bool = Field(
        default=False, description="Do not write a newer version whose mapped record equals the one delivered last."
    )

    def advice(self) -> tuple[str, ...]:
        """What is allowed but has a price that the writer should know; `check` prints it as warnings."""
        return ()

    @model_validator(mode="after")
    def _can_do_that(self) -> Self:
        modes, deletes, fallback_keys = self.possible()
        _expect("mode", self.mode, modes)
        _expect("deletes", self.deletes, deletes)
        if self.fallback_keys and not fallback_keys:
            raise ValueError(f"connector {self.connector} finds records by `key` only, it has no `fallback_keys`")
        return self

    def possible(self) -> tuple[tuple[Mode, ...], tuple[Deletes, ...], bool]:
        """The modes and deletes that the connector has, and whether it has fallback keys."""
        return self.MODES, self.DELETES, self.FALLBACK_KEYS


def _expect(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"`{name}: {value}` is not possible here; possible are {', '.join(allowed)}")
