"""What `source:` of a flow file may say when it reads a GraphQL API."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from airflow_provider_flux.connectors.api.auth_options import Auth
from airflow_provider_flux.connectors.graphql.document import Document, QueryText, check_variables, parse_document
from airflow_provider_flux.connectors.options import Duration, Model, SourceOptions
from airflow_provider_flux.connectors.rest import source_options as rest
from airflow_provider_flux.connectors.rest.options import AnswerPath, ErrorRow, Headers, UrlPath
from airflow_provider_flux.connectors.rest.placeholders import compile_template, placeholders
from airflow_provider_flux.transport.paths import steps

Variables = dict[str, Any]

_DEFAULT_SIZE = 100
_OF_A_CONNECTION = frozenset({"nodes", "edges", "pageInfo", "totalCount", "__typename"})
# By kind of paging: the variables of the position and of the page size, unless the flow names others.
_NAMES = {"connection": ("after", "first"), "offset": ("offset", "limit"), "none": (None, None)}


class GraphqlPaging(Model):
    """How the API hands out a long list."""

    kind: Literal["connection", "offset", "none"] = Field(
        description="`connection`: Relay's cursors (`pageInfo { hasNextPage endCursor }`). `offset`: positions. "
        "`none`: one answer holds everything."
    )
    variable: str | None = Field(
        default=None,
        min_length=1,
        description="Variable of the cursor or the position; `after`, or `offset`. A path where it is a part of one: "
        "`page.offset`.",
    )
    size_variable: str | None = Field(
        default=None, min_length=1, description="Variable of the page size; `first`, or `limit`, if it is declared."
    )
    size: int | None = Field(
        default=None, ge=1, le=100_000, description="Records to ask for in one page; 100 where a variable carries it."
    )
    more: AnswerPath | None = Field(
        default=None,
        description="For `offset`: where the answer says whether more follows. Without it, paging goes on to an empty "
        "page.",
    )

    @model_validator(mode="after")
    def _fits_the_kind(self) -> GraphqlPaging:
        given = [name for name in ("variable", "size_variable", "size") if getattr(self, name) is not None]
        if self.kind == "none" and given:
            raise ValueError(f"`{given[0]}` does not belong to kind none")
        if self.kind != "offset" and self.more is not None:
            raise ValueError(f"`more` does not belong to kind {self.kind}")
        return self


class GraphqlIncremental(Model):
    """How the API is asked for changed records only."""

    variable: str = Field(
        min_length=1,
        description="Variable with the begin of the window; a path where it is a part of one: `filter.updatedAt.gte`.",
    )
    until: str | None = Field(default=None, min_length=1, description="Variable with the end of the window, if any.")
    format: Literal["iso", "date", "epoch", "epoch_ms", "raw"] | None = Field(
        default=None,
        description="`iso`: 2026-01-31T09:30:00Z. `date`: 2026-01-31. `epoch`, `epoch_ms`: seconds, milliseconds. "
        "`raw`: as the cursor is. Unless given, iso for timestamps and raw for others.",
    )
    exclusive: bool = Field(
        default=False,
        description="The API answers what is later than `variable`, not what is equal: one unit less is sent.",
    )


class GraphqlItem(Model):
    """How the API is asked for one record, to read it again by its key."""

    query: QueryText = Field(description="The document: one query.")
    variables: Variables = Field(description="Its variables, with placeholders of the key: `{id: '{key}'}`.")
    record: AnswerPath = Field(description="Where the answer holds the record: `data.contact`.")


class GraphqlSourceOptions(SourceOptions):
    """Reads a list of records with a query."""

    path: UrlPath = Field(default="/graphql", description="The endpoint, below the connection's base URL.")
    query: QueryText = Field(description="The document: one query.")
    variables: Variables = Field(default={}, description="Its variables, beside those of paging and window.")
    records: AnswerPath = Field(
        description="Where the answer holds the connection or the list of records: `data.contacts`."
    )
    incremental: GraphqlIncremental | None = Field(
        default=None, description="Without it every run reads the whole list and keeps what is new."
    )
    page: GraphqlPaging = Field(
        default=GraphqlPaging(kind="none"), description="How the API hands out a long list."
    )
    item: GraphqlItem | None = Field(
        default=None,
        description="How a record is read by its key: for replays that read the source again, and for runs over ids.",
    )
    headers: Headers = Field(default={}, description="Headers of every call; secrets belong into the connection.")
    auth: Auth | None = Field(
        default=None, description="Unless given: basic with a login, bearer with only a password, else none."
    )
    errors: tuple[ErrorRow, ...] = Field(default=(), description="Rows that recognise the API's own error bodies.")
    timeout: Duration | None = Field(
        default=None, description="How long the API may be silent; the connection's `timeout`, or 30s."
    )

    @property
    def document(self) -> Document:
        """The query, parsed."""
        return parse_document(self.query, "query")

    @property
    def one_key(self) -> str | None:
        """The only key field, for `{key}`."""
        return self.key[0] if len(self.key) == 1 else None

    def can_fetch(self) -> bool:
        """Only where the flow file says how."""
        return self.item is not None

    def selected_fields(self) -> frozenset[str]:
        """What the query selects of a record."""
        return self.document.selected(self.records_path())

    def records_path(self) -> str:
        """Where the single records stand: below `nodes`, or `edges.node`, of a connection."""
        place = self.connection_path()
        names = self.document.selected(place)
        if self.page.kind != "connection" and not names <= _OF_A_CONNECTION:
            return self.records
        if self.records == f"{place}.nodes" or (self.records == place and "nodes" in names):
            return f"{place}.nodes"
        return f"{place}.edges.node" if "edges" in names else self.records

    def connection_path(self) -> str:
        """Where the connection stands, whether the flow names it or its list."""
        for below in (".nodes", ".edges", ".edges.node"):
            if self.records.endswith(below):
                return self.records.removesuffix(below)
        return self.records

    def paging(self) -> rest.Paging:
        """The paging as the engine takes it."""
        if self.page.kind == "none":
            return rest.Paging(kind="none")
        position, size_variable = self._paging_variables()
        size = None if size_variable is None else self.page.size or _DEFAULT_SIZE
        if self.page.kind == "offset":
            return rest.Paging(
                kind="offset", param=position, size_param=size_variable, size=size, more=self.page.more
            )
        info = f"{self.connection_path()}.pageInfo"
        return rest.Paging(
            kind="cursor",
            param=position,
            next=f"{info}.endCursor",
            more=f"{info}.hasNextPage",
            size_param=size_variable,
            size=size,
        )

    def window_incremental(self) -> rest.Incremental | None:
        """The window as the engine takes it."""
        if self.incremental is None:
            return None
        one = self.incremental
        return rest.Incremental(param=one.variable, until=one.until, format=one.format, exclusive=one.exclusive)

    def advice(self) -> tuple[str, ...]:
        """Rows move between positions when others are added or removed meanwhile; a re-read finds most of them."""
        if self.page.kind != "offset":
            return ()
        return (
            "paging of kind offset can miss rows that move to a page already read; use `connection` if the API has it, "
            "or a longer `cursor.lookback`",
        )

    @model_validator(mode="after")
    def _fits(self) -> GraphqlSourceOptions:
        document = self.document
        position, size = self._paging_variables()
        window = (self.incremental.variable, self.incremental.until) if self.incremental else ()
        by_flux = [_head(name) for name in (position, size, *window) if name is not None]
        twice = [name for name in by_flux if name in (position, size) and by_flux.count(name) > 1]
        if twice:
            raise ValueError(f"the variable `${twice[0]}` is filled by `page` and by `incremental`")
        check_variables(document, self.variables, by_flux)
        if self.incremental is not None:
            self._check_window(self.incremental, document)
        if self.page.kind == "connection":
            self._check_page_info(document)
        if not self.selected_fields():
            raise ValueError(f"`records: {self.records}` holds no objects: the document selects nothing below it")
        if self.item is not None:
            self._check_item(self.item)
        return self

    def _paging_variables(self) -> tuple[str | None, str | None]:
        """The variables of position and size; the size may stand in the document itself."""
        position, size = _NAMES[self.page.kind]
        if self.page.size_variable is None and self.page.size is None and size not in self.document.variables:
            size = None
        return self.page.variable or position, self.page.size_variable or size

    def _check_window(self, incremental: GraphqlIncremental, document: Document) -> None:
        rest.check_incremental(self.cursor, incremental.format, exclusive=incremental.exclusive)
        for name in filter(None, (incremental.variable, incremental.until)):
            if document.variables[_head(name)].required and name == _head(name):
                raise ValueError(
                    f"the first run has no begin and no run knows its end for sure: declare `${name}` without `!`"
                )

    def _check_page_info(self, document: Document) -> None:
        path = f"{self.connection_path()}.pageInfo"
        missing = {"hasNextPage", "endCursor"} - document.selected(path)
        if missing:
            raise ValueError(f"paging of kind connection needs `{path} {{ hasNextPage endCursor }}` in the document")

    def _check_item(self, item: GraphqlItem) -> None:
        """Every placeholder is a key field: nothing else of a record is known when it is asked for."""
        document = parse_document(item.query, "query")
        check_variables(document, item.variables)
        if missing := self.selected_fields() - document.selected(item.record):
            raise ValueError(f"`item` reads less than `query` does: {', '.join(sorted(missing))} is missing")
        compile_template(list(item.variables.values()), self.one_key)
        used = {name for text in texts(item.variables) for name in placeholders(text)}
        known = {"key", *(f"record.{field}" for field in self.key)}
        if unknown := sorted(used - known):
            raise ValueError(f"`item` may name only the key: {{{unknown[0]}}} is not known when a record is asked for")
        if not used:
            raise ValueError("`item` names no record; write its variables with {key}")


def texts(value: Any) -> list[str]:
    """All texts in a value."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in texts(one)]


def _head(path: str) -> str:
    """The variable that a path begins with."""
    head = steps(path)[0]
    if not isinstance(head, str):
        raise ValueError(f"`{path}` does not begin with the name of a variable")
    return head
