"""The blocks of a REST destination: batches and their results, look-ups, deletes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from airflow_provider_flux.connectors.options import Model
from airflow_provider_flux.connectors.rest.options import AnswerPath, Params, UrlPath
from airflow_provider_flux.connectors.rest.placeholders import has_placeholder, placeholders
from airflow_provider_flux.transport.paths import place

Method = Literal["POST", "PUT", "PATCH", "DELETE"]


class Batch(Model):
    """Many records in one request."""

    records: AnswerPath | None = Field(
        default=None, description="Where in the body the list of records goes: `inputs`. The whole body unless given."
    )
    item: Any = Field(
        default="{record}", description="One record in that list, with placeholders: `{properties: '{record}'}`."
    )
    body: dict[str, Any] = Field(default={}, description="What else stands in the body.")

    @model_validator(mode="after")
    def _fits(self) -> Batch:
        if self.records is None and self.body:
            raise ValueError("`body` needs `records`: where in it the list goes")
        if self.records is not None:
            place({**self.body}, self.records, [])
        return self


class Ok(Model):
    """When a record counts as stored. Anything else is an error of that record."""

    status: AnswerPath | None = Field(default=None, description="Where its HTTP status stands; below 400 is stored.")
    path: AnswerPath | None = Field(default=None, description="A value to look at, with `equals` or `empty`.")
    equals: bool | int | str | None = Field(default=None, description="What the value at `path` is when stored.")
    empty: Literal[True] | None = Field(
        default=None, description="The value at `path`, a list of errors for example, is missing or empty when stored."
    )

    @model_validator(mode="after")
    def _one_form(self) -> Ok:
        tests = (self.equals is not None) + (self.empty is not None)
        if (self.status is None) == (self.path is None) or tests != (self.path is not None):
            raise ValueError("write `status`, or `path` with `equals`, or `path` with `empty: true`")
        return self


class Match(Model):
    """How a result finds its record, where results come in another order or not for all."""

    result: AnswerPath = Field(description="Where in a result the value stands.")
    record: AnswerPath = Field(description="The target field with the same value.")


class Results(Model):
    """Where the answer says what became of each record. A record without a result never counts as written."""

    records: AnswerPath | None = Field(
        default=None, description="Where the list of results stands; the whole answer unless given."
    )
    match: Literal["order"] | Match = Field(
        default="order", description="`order`: one result per record, in their order; or by a value in both."
    )
    ok: Ok | None = Field(default=None, description="When a record counts as stored.")
    id: AnswerPath | None = Field(default=None, description="Where in a result the destination's own key stands.")
    error_message: AnswerPath | None = Field(default=None, description="Where in a result the reason stands.")
    error_code: AnswerPath | None = Field(default=None, description="Where in a result the vendor's error code stands.")
    error_field: AnswerPath | None = Field(default=None, description="Where in a result the field at fault stands.")


class Delete(Model):
    """How a record is deleted: by a request of its own (`path`), or as an item of the batch (`item`)."""

    method: Method = Field(default="DELETE", description="Method of the request of its own.")
    path: UrlPath | None = Field(default=None, description="Path with placeholders: `/v1/contacts/{key}`.")
    item: Any = Field(default=None, description="The item that stands for the delete in a batch.")

    @model_validator(mode="after")
    def _one_way(self) -> Delete:
        if (self.path is None) == (self.item is None):
            raise ValueError("write either `path` or `item`")
        if self.path is not None and not has_placeholder(self.path):
            raise ValueError(f"path {self.path!r} names no record; write it with {{key}} or {{destination_key}}")
        return self


class Archive(Model):
    """How a record is archived: by a request of its own (`path`), or as an item of the batch (`item`)."""

    method: Method = Field(default="PATCH", description="Method of the request of its own.")
    path: UrlPath | None = Field(default=None, description="Path with placeholders: `/v1/contacts/{key}`.")
    body: Any = Field(default=None, description="Body of that request, with placeholders: `{archived: true}`.")
    item: Any = Field(default=None, description="The item that stands for it in a batch.")

    @model_validator(mode="after")
    def _one_way(self) -> Archive:
        if (self.path is None) == (self.item is None):
            raise ValueError("write either `path` or `item`")
        if self.path is not None and not has_placeholder(self.path) and not _differs(self.body):
            raise ValueError(f"path {self.path!r} and `body` name no record; write {{key}} or {{destination_key}}")
        return self


class Change(Model):
    """How a record that was found is changed."""

    method: Method = Field(default="PATCH", description="Method.")
    path: UrlPath = Field(description="Path with the id that was found: `/v1/contacts/{destination_key}`.")
    body: Any = Field(default="{record}", description="Body, with placeholders.")


class Find(Model):
    """How to ask whether a record is there."""

    path: UrlPath = Field(description="Path with placeholders: `/v1/contacts/{key}`.")
    params: Params = Field(default={}, description="Query parameters with placeholders: `{email: '{record.email}'}`.")
    records: AnswerPath | None = Field(
        default=None, description="Where the list of what was found stands; the answer is the record unless given."
    )
    id: AnswerPath = Field(description="Where the destination's key stands in what was found.")

    def check_fields(self, fields: tuple[str, ...]) -> None:
        """A look-up asks only for what belongs to its key: nothing else is known of a record that is deleted.

        :raises ValueError: for a placeholder of another field
        """
        allowed = {f"record.{field}" for field in fields} | ({"key"} if len(fields) == 1 else set())
        texts = [self.path, *(str(value) for value in self.params.values())]
        for name in (name for text in texts for name in placeholders(text)):
            if name not in allowed:
                possible = ", ".join(f"{{{name}}}" for name in sorted(allowed))
                raise ValueError(f"`find` may hold {possible} here, not {{{name}}}")


def _as_list(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else [value]


Finds = Annotated[tuple[Find, ...], BeforeValidator(_as_list, json_schema_input_type=Find | list[Find])]
"""One look-up, or a list of them."""


def _differs(body: Any) -> bool:
    """Whether a body holds a placeholder."""
    if isinstance(body, str):
        return has_placeholder(body)
    parts = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    return any(_differs(part) for part in parts)
