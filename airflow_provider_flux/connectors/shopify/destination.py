"""Writes objects of a shop, each record by a mutation of its own.

An upsert is one call: Shopify finds the record by its identifier itself. Whatever else must be found (update,
create_if_missing, fallback keys, deletes) is looked up first; e-mail, phone and handle are unique in a shop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from airflow_provider_flux.connectors.contract import Verdict, WriteItem
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.graphql.destination import GraphDestination
from airflow_provider_flux.connectors.graphql.graph import Graph
from airflow_provider_flux.connectors.graphql.writing import Mutation, Mutator
from airflow_provider_flux.connectors.lookup import LookupWrites, Records
from airflow_provider_flux.connectors.shopify import ShopifyDestinationOptions
from airflow_provider_flux.connectors.shopify.asking import endpoint
from airflow_provider_flux.connectors.shopify.mutations import ACTIONS
from airflow_provider_flux.errors import RecordError
from airflow_provider_flux.transport.classify import DESTINATION
from airflow_provider_flux.transport.paths import MISSING


class ShopifyDestination(GraphDestination):
    """One object of one shop."""

    def __init__(self, options: ShopifyDestinationOptions, credentials: Credentials) -> None:
        graph = endpoint(
            credentials, outage=DESTINATION, timeout=options.timeout, connections=options.in_flight
        )
        super().__init__(
            options, graph, idempotent=options.mode != "create", can_find=options.key is not None
        )
        self._records = _ShopRecords(options, graph)
        self._looking_up = LookupWrites(options, self._records)
        self._in_one_step = options.mode == "upsert" and not options.fallback_keys

    def write_one(self, item: WriteItem) -> Verdict:
        """Write one record, or delete it."""
        if self._in_one_step and not item.deleted and item.destination_key is None:
            return self._records.create(item.data)
        return self._looking_up.write(item)

    def find(self, items: Sequence[WriteItem]) -> list[str | None]:
        """The id of each record that is there."""
        return self._looking_up.find(items)


class _ShopRecords(Records):
    """Single records of one object."""

    def __init__(self, options: ShopifyDestinationOptions, graph: Graph) -> None:
        self._options = options
        self._actions = ACTIONS[options.object]
        self._graph = graph
        self._mutator = Mutator(graph)

    def search(self, fields: tuple[str, ...], values: tuple[Any, ...]) -> Sequence[str]:
        """The record with that e-mail, phone, handle or id: there is at most one."""
        identifier: dict[str, Any]
        if self._options.custom_id is not None:
            identifier = {"customId": self._custom_id(values[0])}
        else:
            identifier = {self._actions.identifiers[fields[0]]: values[0]}
        variables = {"identifier": identifier} if "$identifier" in self._actions.find else {"id": values[0]}
        found = self._graph.ask(self._actions.find, variables).at(self._actions.found)
        return [] if found in (None, MISSING) else [str(found)]

    def exists(self, key: str) -> bool:
        """Whether there is a record with that id."""
        variables = {"identifier": {"id": key}} if "$identifier" in self._actions.find else {"id": key}
        return bool(self._graph.ask(self._actions.find, variables).at(self._actions.found) == key)

    def create(self, data: dict[str, Any]) -> Verdict:
        """Make a record; for an upsert: make or change the one that its key identifies."""
        actions = self._actions
        if self._options.mode == "upsert":
            return self._upsert(data)
        if actions.create is not None:
            return self._send(actions.create, {"input": _without_id(data)}, data)
        assert actions.set is not None
        made = replace(actions.set, idempotent=False)
        return self._send(made, {"identifier": None, "input": _without_id(data)}, data)

    def change(self, key: str, data: dict[str, Any]) -> Verdict:
        """Change the record with that id."""
        actions = self._actions
        if actions.set is not None and (actions.update is None or self._options.mode == "upsert"):
            return self._send(actions.set, {"identifier": {"id": key}, "input": self._input(data)}, data)
        assert actions.update is not None
        return self._send(actions.update, {"input": {**data, "id": key}}, data)

    def remove(self, key: str) -> Verdict:
        """Delete the record with that id, or archive it."""
        actions = self._actions
        if self._options.deletes == "archive":
            assert actions.set is not None
            return self._send(actions.set, {"identifier": {"id": key}, "input": dict(actions.archived or {})}, {})
        assert actions.delete is not None
        return self._send(actions.delete, {"id": key}, {})

    def _upsert(self, data: dict[str, Any]) -> Verdict:
        assert self._options.key is not None
        assert self._actions.set is not None
        keys = [keys[0] for keys in (self._options.key, *self._options.fallback_keys)]
        by = next((name for name in keys if data.get(name) not in (None, "")), None)
        if by is None:
            message = f"nothing tells which record it is: {' and '.join(keys)} is empty"
            return RecordError("REQUIRED_FIELD_MISSING", message, field=keys[0])
        named = {"customId": self._custom_id(data[by])} if self._options.custom_id is not None else {by: data[by]}
        return self._send(self._actions.set, {"identifier": named, "input": self._input(data)}, data)

    def _custom_id(self, value: Any) -> dict[str, str]:
        namespace, _, name = str(self._options.custom_id).partition(".")
        return {"namespace": namespace, "key": name, "value": str(value)}

    def _input(self, data: dict[str, Any]) -> dict[str, Any]:
        """What is sent of a record: all of it, but for what only identifies it."""
        if self._options.custom_id is None:
            return _without_id(data)
        assert self._options.key is not None
        return {name: value for name, value in _without_id(data).items() if name != self._options.key[0]}

    def _send(self, mutation: Mutation, variables: dict[str, Any], data: dict[str, Any]) -> Verdict:
        verdict = self._mutator.write(mutation, variables, WriteItem(data))
        if isinstance(verdict, RecordError) and verdict.code == "NOT_FOUND":
            return replace(verdict, code="RECORD_NOT_FOUND")
        return verdict


def _without_id(data: dict[str, Any]) -> dict[str, Any]:
    """Shopify refuses an id beside an identifier (ID_NOT_ALLOWED)."""
    return {name: value for name, value in data.items() if name != "id"}
