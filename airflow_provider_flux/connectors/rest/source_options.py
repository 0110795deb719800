"""What `source:` of a flow file may say when it reads a REST API."""

from __future__ import annotations

from copy import deepcopy
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from airflow_provider_flux.connectors.api.auth_options import Auth
from airflow_provider_flux.connectors.options import Cursor, Duration, Model, SourceOptions
from airflow_provider_flux.connectors.rest.options import AnswerPath, ErrorRow, Headers, Params, UrlPath
from airflow_provider_flux.connectors.rest.placeholders import compile_template, placeholders
from airflow_provider_flux.transport.paths import check_path, place

PageKind = Literal["none", "cursor", "page", "offset", "link_header", "next_url", "next_url_header"]

# Which keys a kind of paging needs, and which it may have.
_KEYS: dict[str, tuple[set[str], set[str]]] = {
    "none": (set(), set()),
    "cursor": ({"param", "next"}, {"more", "size_param", "size"}),
    "page": (set(), {"param", "start", "more", "size_param", "size"}),
    "offset": (set(), {"param", "start", "more", "size_param", "size"}),
    "link_header": (set(), {"size_param", "size"}),
    "next_url": ({"next"}, {"size_param", "size"}),
    "next_url_header": ({"header"}, {"size_param", "size"}),
}


class Paging(Model):
    """How the API hands out a long list."""

    kind: PageKind = Field(
        description="`cursor`: a token in the answer is sent back. `page`, `offset`: numbers. `link_header`: RFC 8288. "
        "`next_url`: a URL in the answer. `next_url_header`: a URL in a header. `none`: one answer holds everything."
    )
    param: str | None = Field(
        default=None, min_length=1, description="Parameter that asks for a page; `page` or `offset` for those kinds."
    )
    size_param: str | None = Field(default=None, min_length=1, description="Parameter that asks for the page size.")
    size: int | None = Field(default=None, ge=1, le=100_000, description="Records to ask for in one page.")
    next: AnswerPath | None = Field(
        default=None,
        description="Where the answer holds the next cursor or URL, at any depth; `data[-1].id` works too.",
    )
    start: int | None = Field(default=None, ge=0, description="First page (1 unless given) or offset (0).")
    header: str | None = Field(default=None, min_length=1, description="Header with the next URL.")
    more: AnswerPath | None = Field(
        default=None,
        description="Where the answer says whether more follows. Without it, paging goes on to an empty page.",
    )

    @model_validator(mode="after")
    def _fits_the_kind(self) -> Paging:
        needed, allowed = _KEYS[self.kind]
        given = {name for name in type(self).model_fields if name != "kind" and getattr(self, name) is not None}
        if missing := sorted(needed - given):
            raise ValueError(f"kind {self.kind} needs {_listed(missing)}")
        if extra := sorted(given - needed - allowed):
            raise ValueError(f"{_listed(extra)} does not belong to kind {self.kind}")
        if (self.size is None) != (self.size_param is None):
            raise ValueError("write `size` and `size_param` together")
        return self


class Incremental(Model):
    """How the API is asked for changed records only."""

    param: str = Field(min_length=1, description="Parameter with the begin of the window, for example `updated_since`.")
    until: str | None = Field(default=None, min_length=1, description="Parameter with the end of the window, if any.")
    format: Literal["iso", "date", "epoch", "epoch_ms", "raw"] | None = Field(
        default=None,
        description="`iso`: 2026-01-31T09:30:00Z. `date`: 2026-01-31. `epoch`, `epoch_ms`: seconds, milliseconds. "
        "`raw`: as the cursor is. Unless given, iso for timestamps and raw for others.",
    )
    exclusive: bool = Field(
        default=False,
        description="The API answers what is later than `param`, not what is equal: one unit less is sent.",
    )


class Item(Model):
    """How the API is asked for one record, to read it again by its key."""

    path: UrlPath = Field(description="Path with placeholders of the key fields: `/v1/contacts/{key}`.")
    params: Params = Field(default={}, description="Query parameters, with placeholders where needed.")
    record: AnswerPath | None = Field(
        default=None, description="Where the answer holds the record; the whole answer unless given."
    )


def _search_body(value: dict[str, Any]) -> dict[str, Any]:
    if "" in value:
        raise ValueError("a name in the body is empty")
    return value


class RestSourceOptions(SourceOptions):
    """Reads a list of records, page by page."""

    path: UrlPath = Field(description="Path of the list, below the connection's base URL: `/v1/contacts`.")
    method: Literal["GET", "POST"] = Field(default="GET", description="POST for searches that take a body.")
    params: Params = Field(default={}, description="Query parameters of every call; a list repeats its name.")
    headers: Headers = Field(default={}, description="Headers of every call; secrets belong into the connection.")
    body: Annotated[dict[str, Any], AfterValidator(_search_body)] | None = Field(
        default=None, description="JSON body of a POST."
    )
    parameters_in: Literal["query", "body"] = Field(
        default="query",
        description="Where paging and window parameters go; in the body they are paths: `filter.since`.",
    )
    records: AnswerPath | None = Field(
        default=None,
        description="Where the answer holds the list of records: `data.items`. The whole answer unless given.",
    )
    records_optional: bool = Field(
        default=False, description="The API leaves the list out, or writes null, when there is nothing."
    )
    incremental: Incremental | None = Field(
        default=None, description="Without it every run reads the whole list and keeps what is new."
    )
    page: Paging = Field(default=Paging(kind="none"), description="How the API hands out a long list.")
    item: Item | None = Field(
        default=None,
        description="How a record is read by its key: for replays that read the source again, and for runs over ids.",
    )
    auth: Auth | None = Field(
        default=None, description="Unless given: basic with a login, bearer with only a password, else none."
    )
    errors: tuple[ErrorRow, ...] = Field(default=(), description="Rows that recognise the API's own error bodies.")
    timeout: Duration | None = Field(
        default=None, description="How long the API may be silent; the connection's `timeout`, or 30s."
    )

    def can_fetch(self) -> bool:
        """Only where the flow file says how."""
        return self.item is not None

    @property
    def one_key(self) -> str | None:
        """The only key field, for `{key}`."""
        return self.key[0] if len(self.key) == 1 else None

    def advice(self) -> tuple[str, ...]:
        """Rows move between numbered pages when others are added or removed meanwhile; a re-read finds most of them."""
        if self.page.kind not in ("page", "offset"):
            return ()
        return (
            f"paging of kind {self.page.kind} can miss rows that move to a page already read; use `cursor`, `next_url` "
            "or `link_header` if the API has it, or a longer `cursor.lookback`",
        )

    @model_validator(mode="after")
    def _fits(self) -> RestSourceOptions:
        if self.method == "GET" and (self.body is not None or self.parameters_in == "body"):
            raise ValueError("a body needs `method: POST`")
        if self.parameters_in == "body":
            self._check_body_paths()
        if self.incremental is not None:
            check_incremental(self.cursor, self.incremental.format, exclusive=self.incremental.exclusive)
        if self.item is not None:
            self._check_item(self.item)
        return self

    def _check_item(self, item: Item) -> None:
        """Every placeholder is a key field: nothing else of a record is known when it is asked for."""
        compile_template(item.path, self.one_key, url=True)
        compile_template(item.params, self.one_key)
        used = {name for text in (item.path, *_texts(item.params)) for name in placeholders(text)}
        known = {"key", *(f"record.{field}" for field in self.key)}
        if unknown := sorted(used - known):
            raise ValueError(f"`item` may name only the key: {{{unknown[0]}}} is not known when a record is asked for")
        if not used:
            raise ValueError(f"`item` names no record; write its path with {_placeholder(self.key)}")

    def _check_body_paths(self) -> None:
        window = (self.incremental.param, self.incremental.until) if self.incremental else ()
        for path in (self.page.param, self.page.size_param, *window):
            if path is not None:
                check_path(path)
                # Tried on a copy of the body: what stands in the way is said now, not in the first run.
                place(deepcopy(self.body or {}), path, None)


def check_incremental(cursor: Cursor | None, form: str | None, *, exclusive: bool) -> None:
    """Whether a window of such a cursor can be asked for.

    :param form: `Incremental.format`
    :raises ValueError: when it cannot
    """
    if cursor is None:
        raise ValueError("`incremental` needs `cursor`: the field whose greatest value the next run begins with")
    if cursor.type == "timestamp" and form == "raw":
        raise ValueError("format raw is for integer and text cursors; write iso, date, epoch or epoch_ms")
    if cursor.type != "timestamp" and form not in (None, "raw"):
        raise ValueError(f"format {form} needs a cursor of type timestamp, not {cursor.type}")
    if cursor.type == "text" and exclusive:
        raise ValueError("a text cursor has no value just before it: `exclusive` needs type timestamp or integer")


def _texts(params: dict[str, Any]) -> list[str]:
    values = [one for value in params.values() for one in (value if isinstance(value, list) else [value])]
    return [value for value in values if isinstance(value, str)]


def _placeholder(key: tuple[str, ...]) -> str:
    return "{key}" if len(key) == 1 else f"{{record.{key[0]}}}"


def _listed(names: list[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)
