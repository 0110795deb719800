"""Writes records to a GraphQL API with the mutations of the flow file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from airflow_provider_flux.connectors.api.profile import ApiProfile
from airflow_provider_flux.connectors.contract import Verdict, WriteItem, Written
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.graphql.destination import GraphDestination
from airflow_provider_flux.connectors.graphql.destination_options import GraphqlDestinationOptions, GraphqlFind
from airflow_provider_flux.connectors.graphql.document import parse_document
from airflow_provider_flux.connectors.graphql.graph import Graph
from airflow_provider_flux.connectors.graphql.reading import records_at
from airflow_provider_flux.connectors.graphql.variables import Render, compile_variables, filled_by
from airflow_provider_flux.connectors.graphql.writing import Mutation, Mutator
from airflow_provider_flux.connectors.lookup import LookupWrites, Records
from airflow_provider_flux.connectors.rest.error_rows import compiled
from airflow_provider_flux.connectors.rest.placeholders import Unfit
from airflow_provider_flux.connectors.rest.records import NoRecords
from airflow_provider_flux.errors import FluxError, NoVerdict, RecordError
from airflow_provider_flux.transport.classify import DESTINATION
from airflow_provider_flux.transport.paths import MISSING, get, place


class GraphqlDestination(GraphDestination):
    """The records of one flow. Which mutation a record takes follows from the mode; some are looked up before."""

    def __init__(self, options: GraphqlDestinationOptions, credentials: Credentials, profile: ApiProfile) -> None:
        graph = Graph.open(
            credentials,
            profile,
            outage=DESTINATION,
            path=options.path,
            auth=options.auth,
            rows=compiled(options.errors),
            headers=options.headers,
            timeout=options.timeout,
            connections=options.in_flight,
        )
        idempotent = options.mode != "create" or options.create_is_idempotent
        super().__init__(options, graph, idempotent=idempotent, can_find=options.find is not None)
        self._options = options
        mutator = Mutator(graph)
        self._mutations = {
            name: DeclaredMutation(mutator, options, name, idempotent=name != "create" or options.create_is_idempotent)
            for name in options.mutations()
        }
        self._lookup: LookupWrites | None = None
        if options.find is not None:
            found = DeclaredRecords(Finder(graph, options.find, options.one_key), self._mutations, options.deletes)
            self._lookup = LookupWrites(options, found)

    def write_one(self, item: WriteItem) -> Verdict:
        """Write one record, or delete it."""
        if item.deleted:
            return self._remove(item)
        if self._lookup is not None and self._options.looks_up:
            return self._lookup.write(self._asked_anew(item))
        try:
            return self._mutations[self._options.mode].write(item)
        except NoVerdict as unclear:
            return self._looked_after(item, unclear)

    def find(self, items: Sequence[WriteItem]) -> list[str | None]:
        """The destination's key of each item that is there."""
        if self._lookup is None:
            raise NotImplementedError
        return self._lookup.find(items)

    def _looked_after(self, item: WriteItem, unclear: NoVerdict) -> Verdict:
        """The verdict on a record whose creation was answered without one; it is never created again."""
        message = unclear.message
        try:
            found = self._lookup.find([item])[0] if self._lookup is not None else None
        except FluxError as error:
            found, message = None, f"{message}; and it cannot be looked up: {error.message}"
        return Written(found) if found is not None else RecordError("OUTCOME_UNKNOWN", message, answer=unclear.answer)

    def _remove(self, item: WriteItem) -> Verdict:
        mutation = self._mutations[self._options.deletes]
        if self._lookup is not None and mutation.by_destination_key:
            return self._lookup.write(item)
        verdict = mutation.write(item)
        gone = isinstance(verdict, RecordError) and verdict.code == "RECORD_NOT_FOUND"
        return Written(item.destination_key) if gone else verdict

    def _asked_anew(self, item: WriteItem) -> WriteItem:
        """Whether a record is there still, only `find` can tell, and it asks by the key, not by the key of the link."""
        return replace(item, destination_key=None) if self._options.mode == "create_if_missing" else item


class DeclaredMutation:
    """One mutation of the flow file."""

    def __init__(
        self, mutator: Mutator, options: GraphqlDestinationOptions, name: str, *, idempotent: bool
    ) -> None:
        declared = options.mutations()[name]
        self.by_destination_key = options.names_by_destination_key(declared)
        self._mutator = mutator
        self._render: Render = compile_variables(
            declared.variables, options.one_key, parse_document(declared.mutation, "mutation")
        )
        self._mutation = Mutation(
            declared.mutation,
            id=declared.id,
            errors=declared.errors,
            idempotent=idempotent,
            of_existing=name in ("update", "archive", "delete"),
            fields=filled_by(declared.variables, options.one_key),
        )

    def write(self, item: WriteItem) -> Verdict:
        """Send one record."""
        try:
            variables = self._render(item)
        except Unfit as unfit:
            return unfit.error
        return self._mutator.write(self._mutation, variables, item)


class Finder:
    """Looks records up with the query of the flow file."""

    def __init__(self, graph: Graph, find: GraphqlFind, one_key: str | None) -> None:
        self._graph = graph
        self._find = find
        self._render = compile_variables(find.variables, one_key, parse_document(find.query, "query"))

    def ids(self, fields: tuple[str, ...], values: tuple[Any, ...]) -> list[str]:
        """The keys of all records that hold these values.

        :raises FluxError: when the API does not say
        """
        data: dict[str, Any] = {}
        for field, value in zip(fields, values, strict=True):
            place(data, field, value)
        try:
            variables = self._render(WriteItem(data))
        except Unfit as unfit:
            raise FluxError(unfit.error.code, f"the record cannot be looked up: {unfit.error.message}") from None
        told = self._graph.ask(self._find.query, variables)
        if told.said.errors:
            raise self._graph.judgement.graphql(told.response, told.said.errors[0])
        found = told.at(self._find.records)
        if found is None:
            return []
        if isinstance(found, dict) and not {"nodes", "edges"} & set(found):
            found = [found]
        else:
            try:
                found, _ = records_at(told.decoded.value, self._find.records)
            except NoRecords as error:
                raise self._graph.judgement.unreadable(told.response, str(error)) from None
        keys = [get(record, self._find.id) for record in found]
        if any(key is MISSING or key is None for key in keys):
            reason = f"`find.id: {self._find.id}` is not in what was found"
            raise self._graph.judgement.unreadable(told.response, reason)
        return [str(key) for key in keys]


class DeclaredRecords(Records):
    """What the flow file's documents can do with single records."""

    def __init__(self, finder: Finder, mutations: dict[str, DeclaredMutation], deletes: str) -> None:
        self._finder = finder
        self._mutations = mutations
        self._deletes = deletes

    def search(self, fields: tuple[str, ...], values: tuple[Any, ...]) -> Sequence[str]:
        """Ask with `find`."""
        return self._finder.ids(fields, values)

    def exists(self, key: str) -> bool:
        """Never asked: `find` knows the fields of the keys only (see `GraphqlDestination._asked_anew`)."""
        raise NotImplementedError

    def create(self, data: dict[str, Any]) -> Verdict:
        """With `create`."""
        return self._mutations["create"].write(WriteItem(data))

    def change(self, key: str, data: dict[str, Any]) -> Verdict:
        """With `update`."""
        return self._keyed(self._mutations["update"].write(WriteItem(data, destination_key=key)), key)

    def remove(self, key: str) -> Verdict:
        """With `delete` or `archive`."""
        item = WriteItem({}, deleted=True, destination_key=key)
        return self._keyed(self._mutations[self._deletes].write(item), key)

    def _keyed(self, verdict: Verdict, key: str) -> Verdict:
        return Written(key) if isinstance(verdict, Written) and verdict.key is None else verdict
