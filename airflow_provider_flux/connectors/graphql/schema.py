"""The schema of a GraphQL server, asked for type by type.

Introspection: https://spec.graphql.org/October2021/#sec-Introspection. Many servers switch it off in production.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_flux.connectors.declare import FieldInfo
from airflow_provider_flux.connectors.graphql.graph import Graph
from airflow_provider_flux.connectors.graphql.object_fields import FIELDS, told_fields
from airflow_provider_flux.errors import FluxError

_ROOTS = "query FluxRoots { __schema { queryType { name } mutationType { name } } }"

# What a server answers that has introspection switched off; any other trouble is raised.
_REFUSALS = frozenset({"BAD_REQUEST", "PAYLOAD_MISMATCH", "PERMISSION_DENIED", "UNKNOWN", "NOT_FOUND"})

Type = Mapping[str, Any]


class IntrospectionOff(Exception):
    """The server does not tell its schema."""


class Schema:
    """The types of one server, each asked for once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._types: dict[str, Type | None] = {}

    def type(self, name: str) -> Type | None:
        """A type by its name; None where there is none.

        :raises IntrospectionOff: the server does not tell
        :raises FluxError: it cannot be asked
        """
        if name not in self._types:
            found = self._ask(FIELDS, {"name": name}).get("__type")
            self._types[name] = {"name": name, **found} if isinstance(found, dict) else None
        return self._types[name]

    def root(self, operation: str) -> Type | None:
        """The type of all queries (`query`), or of all mutations."""
        root = (self._ask(_ROOTS, {}).get("__schema") or {}).get(f"{operation}Type") or {}
        return self.type(root["name"]) if root.get("name") else None

    def below(self, of: Type | None, names: Sequence[str]) -> Type | None:
        """The type to which fields lead from a type, through lists and non-nulls."""
        for name in names:
            member = next((one for one in _members(of or {}) if one["name"] == name), None)
            of = None if member is None else self.type(_core(member["type"]).get("name") or "")
        return of

    def _ask(self, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        try:
            told = self._graph.ask(document, variables)
        except FluxError as error:
            if error.code in _REFUSALS:
                raise IntrospectionOff(error.message) from None
            raise
        if told.said.errors:
            raise IntrospectionOff(told.said.errors[0].message)
        data: dict[str, Any] = told.said.data
        return data


def fields_of(of: Type) -> list[FieldInfo]:
    """The fields of an object, or of an input."""
    return list(told_fields(of, unknown="any"))


def _members(of: Type) -> list[Type]:
    return [*(of.get("fields") or ()), *(of.get("inputFields") or ())]


def _core(wrapped: Type) -> Type:
    """The type inside lists and non-nulls."""
    while wrapped.get("ofType"):
        wrapped = wrapped["ofType"]
    return wrapped
