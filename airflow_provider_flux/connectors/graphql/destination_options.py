"""What `destination:` of a flow file may say when it writes to a GraphQL API."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from airflow_provider_flux.connectors.api.auth_options import Auth
from airflow_provider_flux.connectors.contract import WriteItem
from airflow_provider_flux.connectors.graphql.document import MutationText, QueryText, check_variables, parse_document
from airflow_provider_flux.connectors.graphql.source_options import Variables, texts
from airflow_provider_flux.connectors.graphql.variables import compile_variables
from airflow_provider_flux.connectors.options import Deletes, DestinationOptions, Duration, Mode, Model
from airflow_provider_flux.connectors.rest.options import AnswerPath, ErrorRow, Headers, UrlPath
from airflow_provider_flux.connectors.rest.placeholders import Unfit, placeholders
from airflow_provider_flux.transport.paths import place


class GraphqlMutation(Model):
    """One mutation, and where its answer says what."""

    mutation: MutationText = Field(description="The document: one mutation.")
    variables: Variables = Field(
        description="Its variables, with placeholders: `{input: '{record}'}`. One that is just a placeholder is left "
        "out where the record has no such field."
    )
    id: AnswerPath | None = Field(
        default=None,
        description="Where the answer holds the destination's own key: `data.contactCreate.contact.id`. An answer "
        "without it is not believed.",
    )
    errors: AnswerPath | None = Field(
        default=None,
        description="Where the answer holds the errors of the record: a list, or a member of a union. Unless given, "
        "every list of the payload whose name ends in `Errors`, and every `__typename` that ends in `Error`.",
    )


class GraphqlFind(Model):
    """How a record is looked up by `key` and `fallback_keys`."""

    query: QueryText = Field(description="The document: one query.")
    variables: Variables = Field(
        description="Its variables, with a placeholder for every field of the keys: `{email: '{record.email}'}`. Those "
        "of other keys than the one that is looked for are left out."
    )
    records: AnswerPath = Field(description="Where the answer holds what was found: a connection, a list or an object.")
    id: AnswerPath = Field(default="id", description="Where a found record holds the destination's own key.")


_NEEDS: dict[str, str] = {
    "create": "`create`: the mutation that makes a record",
    "update": "`update`: the mutation that changes a record",
    "upsert": "`upsert`: the mutation that makes or changes a record; or `create`, `update` and `find`",
    "create_if_missing": "`create` and `find`",
    "delete": "`delete`: the mutation that deletes a record",
    "archive": "`archive`: the mutation that archives a record",
}


class GraphqlDestinationOptions(DestinationOptions):
    """Writes each record with a mutation."""

    MODES = ("upsert", "create", "update", "create_if_missing")
    DELETES = ("ignore", "archive", "delete")
    FALLBACK_KEYS = True

    path: UrlPath = Field(default="/graphql", description="The endpoint, below the connection's base URL.")
    create: GraphqlMutation | None = Field(default=None, description="The mutation that makes a record.")
    update: GraphqlMutation | None = Field(default=None, description="The mutation that changes a record.")
    upsert: GraphqlMutation | None = Field(
        default=None, description="The mutation that makes or changes a record, where the API has one."
    )
    archive: GraphqlMutation | None = Field(default=None, description="The mutation for `deletes: archive`.")
    delete: GraphqlMutation | None = Field(default=None, description="The mutation for `deletes: delete`.")
    find: GraphqlFind | None = Field(
        default=None,
        description="How a record is looked up: for an API without upsert, for mutations that take "
        "`{destination_key}`, and after a crash of a create.",
    )
    idempotent: bool | None = Field(
        default=None,
        description="Whether `create` twice leaves one record, as where the API takes an idempotency key. False unless "
        "given.",
    )
    batch_size: int = Field(
        default=50, strict=True, ge=1, le=10_000, description="Most records in one write; each is a call of its own."
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
    def one_key(self) -> str | None:
        """The field that `{key}` stands for."""
        return self.key[0] if self.key is not None and len(self.key) == 1 else None

    @property
    def keys(self) -> list[tuple[str, ...]]:
        """The keys by which a record is looked up, in their order."""
        return [keys for keys in (self.key, *self.fallback_keys) if keys]

    @property
    def looks_up(self) -> bool:
        """Whether a record is looked up before it is written."""
        if self.mode == "create_if_missing" or (self.mode == "upsert" and self.upsert is None):
            return True
        return self.mode == "update" and self.update is not None and self.names_by_destination_key(self.update)

    @property
    def create_is_idempotent(self) -> bool:
        """Whether `create` may be sent twice."""
        return bool(self.idempotent)

    def mutations(self) -> dict[str, GraphqlMutation]:
        """The mutations that the flow has, by name."""
        named = {name: getattr(self, name) for name in ("create", "update", "upsert", "archive", "delete")}
        return {name: one for name, one in named.items() if one is not None}

    def names_by_destination_key(self, one: GraphqlMutation) -> bool:
        """Whether a mutation takes the destination's own key of a record."""
        return any("destination_key" in placeholders(text) for text in texts(one.variables))

    def advice(self) -> tuple[str, ...]:
        """A write that must not be repeated and cannot be looked up leaves records to a person after a crash."""
        if self.mode != "create" or self.create_is_idempotent or self.find is not None:
            return ()
        return ("records whose answer was lost in a crash are held for a person to decide; write `find`, or upsert",)

    @model_validator(mode="before")
    @classmethod
    def _few_at_a_time(cls, data: Any) -> Any:
        """After a crash all of a batch is in doubt: one by one where nobody can tell what arrived."""
        if not isinstance(data, dict) or "batch_size" in data or data.get("mode") != "create":
            return data
        doubtful = data.get("find") is None and data.get("idempotent") is not True
        return {**data, "batch_size": 1} if doubtful else data

    @model_validator(mode="after")
    def _fits(self) -> GraphqlDestinationOptions:
        self._check_needs(self.mode)
        if self.deletes != "ignore":
            self._check_needs(self.deletes)
        for name, one in self.mutations().items():
            self._check_mutation(name, one)
        if self.find is not None:
            self._check_find(self.find)
        elif self.fallback_keys:
            raise ValueError("`fallback_keys` need `find`: how a record is looked up")
        if self.idempotent and self.mode != "create":
            raise ValueError("`idempotent` is about `mode: create`; the other modes may be sent twice as they are")
        return self

    def _check_needs(self, word: Mode | Deletes) -> None:
        have = set(self.mutations())
        if self.find is not None:
            have.add("find")
        ways: dict[str, list[set[str]]] = {
            "upsert": [{"upsert"}, {"create", "update", "find"}],
            "create_if_missing": [{"create", "find"}],
        }
        if not any(way <= have for way in ways.get(word, [{word}])):
            option = "deletes" if word in ("archive", "delete") else "mode"
            raise ValueError(f"`{option}: {word}` needs {_NEEDS[word]}")

    def _check_mutation(self, name: str, one: GraphqlMutation) -> None:
        document = parse_document(one.mutation, "mutation")
        if len(document.roots()) != 1:
            raise ValueError(f"`{name}`: the document does {', '.join(document.roots())}; write one for each record")
        try:
            compile_variables(one.variables, self.one_key)
            check_variables(document, one.variables)
            for path in (one.id, one.errors):
                if path is not None:
                    document.selected(path)
        except ValueError as error:
            raise ValueError(f"`{name}`: {error}") from None
        if self.names_by_destination_key(one) and self.find is None:
            raise ValueError(
                f"`{name}` names a record by {{destination_key}}: write `find`, by which the key of a record is looked "
                "up that this flow has not delivered yet"
            )
        if name != "create" and not any(placeholders(text) for text in texts(one.variables)):
            raise ValueError(f"`{name}` names no record: its variables hold no placeholder")
        if self.looks_up and name in ("update", "archive", "delete") and not self.names_by_destination_key(one):
            raise ValueError(f"`{name}`: write {{destination_key}} into its variables, the key that `find` finds")

    def _check_find(self, find: GraphqlFind) -> None:
        document = parse_document(find.query, "query")
        check_variables(document, find.variables)
        document.selected(find.records)
        render = compile_variables(find.variables, self.one_key)
        named = {name for text in texts(find.variables) for name in placeholders(text)}
        for keys in self.keys:
            asked: dict[str, Any] = {}
            for one in keys:
                if not ({f"record.{one}"} | ({"key"} if one == self.one_key else set())) & named:
                    raise ValueError(f"`find` does not ask for `{one}`: write {{record.{one}}} into its variables")
                place(asked, one, "x")
            try:
                render(WriteItem(asked))
            except Unfit as unfit:
                raise ValueError(f"`find` cannot look up by {', '.join(keys)} alone: {unfit.error.message}") from None
