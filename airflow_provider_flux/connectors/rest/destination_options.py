"""What `destination:` of a flow file may say when it writes to a REST API."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from airflow_provider_flux.connectors.api.auth_options import Auth
from airflow_provider_flux.connectors.options import DestinationOptions, Duration, Model
from airflow_provider_flux.connectors.rest.options import AnswerPath, ErrorRow, Headers, Params, UrlPath
from airflow_provider_flux.connectors.rest.placeholders import compile_template, has_placeholder
from airflow_provider_flux.transport.paths import place

Method = Literal["POST", "PUT", "PATCH", "DELETE"]

_SINGLE_METHOD: dict[str, Method] = {"create": "POST", "upsert": "PUT", "update": "PATCH"}


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


class Find(Model):
    """How to ask whether a record is there, after a crash of a write that must not be repeated."""

    path: UrlPath = Field(description="Path with placeholders: `/v1/contacts/{key}`.")
    params: Params = Field(default={}, description="Query parameters with placeholders: `{email: '{record.email}'}`.")
    records: AnswerPath | None = Field(
        default=None, description="Where the list of what was found stands; the answer is the record unless given."
    )
    id: AnswerPath = Field(description="Where the destination's key stands in what was found.")


class RestDestinationOptions(DestinationOptions):
    """Writes records one by one, or in batches."""

    path: UrlPath = Field(
        description="Path below the connection's base URL, with placeholders where each record has its own: "
        "`/v1/contacts/{key}`."
    )
    method: Method | None = Field(
        default=None, description="POST for batches; one by one POST to insert, PUT to upsert, PATCH to update."
    )
    params: Params = Field(default={}, description="Query parameters of every call.")
    headers: Headers = Field(default={}, description="Headers of every call; secrets belong into the connection.")
    body: Any = Field(default="{record}", description="Body of a single write, with placeholders.")
    batch: Batch | None = Field(default=None, description="Many records in one request; `batch_size` says how many.")
    results: Results | Literal["all_or_nothing"] | None = Field(
        default=None,
        description="Where the answer says what became of each record; `all_or_nothing` for a batch that is stored "
        "either whole or not at all.",
    )
    delete: Delete | None = Field(default=None, description="How a record is deleted, for `deletes: delete`.")
    find: Find | None = Field(default=None, description="How to ask whether a record is there; for `mode: create`.")
    idempotent: bool | None = Field(
        default=None,
        description="Whether the same write twice leaves one record. Unless given, true for upsert and update.",
    )
    auth: Auth | None = Field(
        default=None, description="Unless given: basic with a login, bearer with only a password, else none."
    )
    errors: tuple[ErrorRow, ...] = Field(default=(), description="Rows that recognise the API's own error bodies.")
    timeout: Duration | None = Field(
        default=None, description="How long the API may be silent; the connection's `timeout`, or 30s."
    )

    @model_validator(mode="before")
    @classmethod
    def _few_at_a_time(cls, data: Any) -> Any:
        """Without `batch` a "batch" is a row of requests, and after a crash all of it is in doubt: keep it small."""
        if not isinstance(data, dict) or "batch_size" in data or data.get("batch") is not None:
            return data
        doubtful = data.get("mode") == "create" and data.get("idempotent") is not True
        return {**data, "batch_size": 1 if doubtful else 50}

    def advice(self) -> tuple[str, ...]:
        """A write that must not be repeated and cannot be looked up leaves records to a person after a crash."""
        if self.effective_idempotent or self.find is not None:
            return ()
        return ("records whose answer was lost in a crash are held for a person to decide; write `find`, or upsert",)

    @property
    def one_key(self) -> str | None:
        """The field that `{key}` stands for."""
        return self.key[0] if self.key is not None and len(self.key) == 1 else None

    @property
    def effective_method(self) -> Method:
        """The method, with its default."""
        return self.method or ("POST" if self.batch else _SINGLE_METHOD[self.mode])

    @property
    def effective_idempotent(self) -> bool:
        """Whether a write may be sent twice, with its default."""
        return self.mode != "create" if self.idempotent is None else self.idempotent

    @model_validator(mode="after")
    def _fits(self) -> RestDestinationOptions:
        self._check_placeholders()
        if self.batch is not None:
            self._check_batch()
        else:
            self._check_single()
        if self.deletes == "delete" and self.delete is None:
            raise ValueError("`deletes: delete` needs `delete`: how the API deletes a record")
        if self.find is not None and self.effective_idempotent:
            raise ValueError("`find` is for writes that must not be repeated; this one may be (`mode`, `idempotent`)")
        return self

    def _check_placeholders(self) -> None:
        compile_template(self.path, self.one_key, url=True)
        compile_template(self.body, self.one_key)
        if self.batch is not None:
            compile_template(self.batch.item, self.one_key)
        if self.delete is not None:
            compile_template(self.delete.path if self.delete.item is None else self.delete.item, self.one_key)
        if self.find is not None:
            compile_template([self.find.path, self.find.params], self.one_key)

    def _check_batch(self) -> None:
        if has_placeholder(self.path):
            raise ValueError("with `batch` the path is the same for all records and holds no placeholders")
        if "body" in self.model_fields_set:
            raise ValueError("with `batch` write `batch.item` and `batch.body` instead of `body`")
        if self.results is None:
            raise ValueError(
                "`batch` needs `results`: where the answer says what became of each record, or `all_or_nothing`"
            )
        if isinstance(self.results, Results) and self.results.match == "order" and self.results.ok is None:
            raise ValueError("`results` needs `ok`: when a record counts as stored")

    def _check_single(self) -> None:
        if self.results == "all_or_nothing" or (
            isinstance(self.results, Results) and (self.results.records is not None or self.results.match != "order")
        ):
            raise ValueError("without `batch` the answer is about one record: `records`, `match` have no place")
        if self.delete is not None and self.delete.item is not None:
            raise ValueError("without `batch` a delete is a request of its own: write `delete.path`")
        if self.mode != "create" and self.idempotent is None and not has_placeholder(self.path):
            raise ValueError(
                f"mode {self.mode} writes the same path for every record, and each write would make a new one: put "
                "{key} into `path`, or say `idempotent: true` if the API matches by a field of the body"
            )
