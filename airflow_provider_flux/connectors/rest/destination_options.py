"""What `destination:` of a flow file may say when it writes to a REST API."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from airflow_provider_flux.connectors.api.auth_options import Auth
from airflow_provider_flux.connectors.options import Deletes, DestinationOptions, Duration, Mode
from airflow_provider_flux.connectors.rest.options import ErrorRow, Headers, Params, UrlPath
from airflow_provider_flux.connectors.rest.placeholders import compile_template, has_placeholder
from airflow_provider_flux.connectors.rest.write_blocks import Archive, Batch, Change, Delete, Finds, Method, Results

_SINGLE_METHOD: dict[str, Method] = {
    "create": "POST", "upsert": "PUT", "update": "PATCH", "create_if_missing": "POST",
}  # fmt: skip


class RestDestinationOptions(DestinationOptions):
    """Writes records one by one, or in batches."""

    MODES: ClassVar[tuple[Mode, ...]] = ("upsert", "create", "update", "create_if_missing")
    DELETES: ClassVar[tuple[Deletes, ...]] = ("ignore", "archive", "delete")
    FALLBACK_KEYS: ClassVar[bool] = True

    path: UrlPath = Field(
        description="Path below the connection's base URL, with placeholders where each record has its own: "
        "`/v1/contacts/{key}`."
    )
    method: Method | None = Field(
        default=None, description="POST for batches; one by one POST to create, PUT to upsert, PATCH to update."
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
    archive: Archive | None = Field(default=None, description="How a record is archived, for `deletes: archive`.")
    find: Finds = Field(
        default=(),
        description="How to ask whether a record is there. `mode: create` asks after a crash; other modes ask before "
        "each write, for an API without an upsert. With `fallback_keys` a list: for `key`, then for each of them.",
    )
    change: Change | None = Field(
        default=None, description="How a record that `find` found is changed; `path` and `body` then make a new one."
    )
    idempotent: bool | None = Field(
        default=None,
        description="Whether the same write twice leaves one record. Unless given, true for upsert and update. For "
        "`create_if_missing` without `find`, true says that the API refuses what is there already.",
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
        if self.effective_idempotent or self.find:
            return ()
        return ("records whose answer was lost in a crash are held for a person to decide; write `find`, or upsert",)

    @property
    def one_key(self) -> str | None:
        """The field that `{key}` stands for."""
        return self.key[0] if self.key is not None and len(self.key) == 1 else None

    @property
    def effective_method(self) -> Method:
        """The method, with its default."""
        return self.method or ("POST" if self.batch or self.looks_up else _SINGLE_METHOD[self.mode])

    @property
    def effective_idempotent(self) -> bool:
        """Whether a write may be sent twice, with its default."""
        return self.mode != "create" if self.idempotent is None or self.looks_up else self.idempotent

    @property
    def looks_up(self) -> bool:
        """Whether each record is looked for before it is written."""
        return bool(self.find) and self.mode != "create"

    @property
    def removal(self) -> Delete | Archive | None:
        """What is done with a record that is gone in the source."""
        return {"delete": self.delete, "archive": self.archive}.get(self.deletes)

    @model_validator(mode="after")
    def _fits(self) -> RestDestinationOptions:
        self._check_placeholders()
        if self.batch is not None:
            self._check_batch()
        else:
            self._check_single()
        if self.deletes != "ignore" and self.removal is None:
            raise ValueError(f"`deletes: {self.deletes}` needs `{self.deletes}`: how the API {self.deletes}s a record")
        if self.find and self.mode == "create" and self.effective_idempotent:
            raise ValueError("with `mode: create`, `find` is for writes that must not be repeated; this one may be")
        self._check_lookup()
        return self

    def _check_placeholders(self) -> None:
        compile_template(self.path, self.one_key, url=True)
        compile_template(self.body, self.one_key)
        if self.batch is not None:
            compile_template(self.batch.item, self.one_key)
        for removal in (self.delete, self.archive):
            if removal is not None:
                compile_template(removal.path if removal.item is None else removal.item, self.one_key)
        if self.archive is not None:
            compile_template(self.archive.body, self.one_key)
        if self.change is not None:
            compile_template([self.change.path, self.change.body], self.one_key)
        for find, fields in zip(self.find, (self.key or (), *self.fallback_keys), strict=False):
            compile_template([find.path, find.params], fields[0] if len(fields) == 1 else None)

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
        for name, removal in (("delete", self.delete), ("archive", self.archive)):
            if removal is not None and removal.item is not None:
                raise ValueError(f"without `batch` a delete is a request of its own: write `{name}.path`")
        repeats = self.mode in ("upsert", "update") and not self.looks_up
        if repeats and self.idempotent is None and not has_placeholder(self.path):
            raise ValueError(
                f"mode {self.mode} writes the same path for every record, and each write would make a new one: put "
                "{key} into `path`, or say `idempotent: true` if the API matches by a field of the body"
            )

    def _check_lookup(self) -> None:
        if self.mode == "create_if_missing" and not self.find and self.idempotent is not True:
            raise ValueError(
                "`mode: create_if_missing` needs `find`: how to ask whether a record is there; or `idempotent: true` "
                "where the API refuses what is there already (409, or what a row of `errors` calls DUPLICATE_RECORD)"
            )
        if self.change is not None and (not self.find or self.mode not in ("upsert", "update")):
            raise ValueError("`change` is for what `find` found, with `mode: upsert` or `update`")
        if not self.looks_up:
            if self.fallback_keys:
                raise ValueError("`fallback_keys` need `find`, and a mode that asks before it writes")
            return
        if self.batch is not None:
            raise ValueError("with `batch` no record is looked for: leave out `find`, or `batch`")
        if self.change is None and self.mode != "create_if_missing":
            raise ValueError(f"`find` with `mode: {self.mode}` needs `change`: how a record that was found is changed")
        if len(self.find) != 1 + len(self.fallback_keys):
            raise ValueError("`find` has one entry for `key`, and one for each of `fallback_keys`")
        for find, fields in zip(self.find, (self.key or (), *self.fallback_keys), strict=True):
            if fields:
                find.check_fields(fields)
        if self.removal is not None and "{key" in f"{self.removal.path}":
            raise ValueError(f"after a look-up the id is known: write {{destination_key}} into `{self.deletes}.path`")
