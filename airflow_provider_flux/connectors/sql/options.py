"""What a flow file may say about a SQL source and a SQL destination."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from airflow_provider_flux.connectors.options import Deletes, DestinationOptions, Fields, Mode, SourceOptions

BIND = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
"""A parameter in SQL text, as `sqlalchemy.text` finds it: `:name`, but neither `::type` nor `\\:name`."""

_LEADING = re.compile(r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*", re.DOTALL)


class SqlSourceOptions(SourceOptions):
    """A table, a view or a query, read in pages ordered by the key."""

    table: str | None = Field(default=None, min_length=1, description="Table or view, `name` or `schema.name`.")
    query: str | None = Field(
        default=None, description="A SELECT in place of a table; Flux reads it as a subquery, page by page."
    )
    columns: Fields | None = Field(default=None, description="Columns to read; all unless given.")
    where: str | None = Field(
        default=None, min_length=1, description="SQL condition on the columns, with `:name` for each of `params`."
    )
    params: dict[str, str | int | float | bool | None] = Field(
        default_factory=dict, description="Values for `:name` in `query` and `where`."
    )
    page_size: int = Field(default=1000, ge=1, le=100_000, description="Rows per query.")

    @model_validator(mode="after")
    def _one_source(self) -> SqlSourceOptions:
        if (self.table is None) == (self.query is None):
            raise ValueError("write either `table` or `query`")
        if self.query is not None and not _is_select(self.query):
            raise ValueError("`query` must be one SELECT (or WITH ... SELECT)")
        return self

    @model_validator(mode="after")
    def _params_are_used(self) -> SqlSourceOptions:
        used = set(BIND.findall(f"{self.query or ''}\n{self.where or ''}"))
        if missing := sorted(used - set(self.params)):
            raise ValueError(f"`params` has no value for :{missing[0]} (write \\:{missing[0]} if it is no parameter)")
        if unused := sorted(set(self.params) - used):
            raise ValueError(f"neither `query` nor `where` uses the parameter :{unused[0]}")
        return self

    def can_fetch(self) -> bool:
        """A query by the key columns."""
        return True

    def selected_fields(self) -> frozenset[str] | None:
        """Top-level fields that a record has; None where only the database knows."""
        return None if self.columns is None else frozenset(self.columns)


class SqlDestinationOptions(DestinationOptions):
    """A table that mapped records are written into; their fields are its columns."""

    MODES: ClassVar[tuple[Mode, ...]] = ("upsert", "create", "update", "create_if_missing")
    DELETES: ClassVar[tuple[Deletes, ...]] = ("ignore", "archive", "delete")
    FALLBACK_KEYS: ClassVar[bool] = True

    table: str = Field(min_length=1, description="Table, `name` or `schema.name`. It must exist: Flux creates none.")
    archive: dict[Annotated[str, Field(min_length=1)], str | int | float | bool | None] = Field(
        default_factory=dict,
        description="Columns that are set when a record is archived, for `deletes: archive`: "
        "`{archived_at: '{now}', active: false}`. `{now}` is the time of the write.",
    )

    def advice(self) -> tuple[str, ...]:
        """What an insert cannot do without a key."""
        if self.mode != "create" or self.key is not None:
            return ()
        return (
            "`mode: create` without `key`: when a worker dies while it writes, nobody can look up what is there,"
            " and the batch is held for a person; name the `key` to have it looked up",
        )

    @model_validator(mode="after")
    def _key_is_given(self) -> SqlDestinationOptions:
        if self.key is None and self.mode != "create":
            raise ValueError(f"`mode: {self.mode}` needs `key`: the column(s) that identify a row")
        if self.fallback_keys and self.mode == "create":
            raise ValueError("`mode: create` looks nothing up; `fallback_keys` are for the other modes")
        if self.key is None and self.deletes != "ignore":
            raise ValueError(f"`deletes: {self.deletes}` needs `key`: the column(s) that identify a row")
        return self

    @model_validator(mode="after")
    def _archive_is_given(self) -> SqlDestinationOptions:
        if self.deletes == "archive" and not self.archive:
            raise ValueError("`deletes: archive` needs `archive`: the columns that it sets")
        if set(self.archive) & set(self.key or ()):
            raise ValueError("`archive` sets a column of `key`; then nobody would find the row again")
        return self


def _is_select(query: str) -> bool:
    leading = _LEADING.match(query)
    assert leading is not None
    words = query[leading.end() :].split(None, 1)
    return bool(words) and words[0].lower() in {"select", "with", "values"}
