"""The schema of a GraphQL server, asked for type by type.

Introspection: https://spec.graphql.org/October2021/#sec-Introspection. Many servers switch it off in production.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_flux.connectors.declare import FieldInfo
from airflow_provider_flux.connectors.graphql.graph import Graph
from airflow_provider_flux.errors import FluxError

_TYPE = """
query FluxType($name: String!) {
  __type(name: $name) {
    kind
    name
    fields(includeDeprecated: true) { name type { ...Wrapped } }
    inputFields { name defaultValue type { ...Wrapped } }
  }
}
fragment Wrapped on __Type { ...Named ofType { ...Named ofType { ...Named ofType { ...Named } } } }
fragment Named on __Type { kind name enumValues { name } }
"""
_ROOTS = "query FluxRoots { __schema { queryType { name } mutationType { name } } }"

# What a server answers that has introspection switched off; any other trouble is raised.
_REFUSALS = frozenset({"BAD_REQUEST", "PAYLOAD_MISMATCH", "PERMISSION_DENIED", "UNKNOWN", "NOT_FOUND"})

SCALARS: Mapping[str, str] = {
    "String": "string", "ID": "string", "UUID": "string", "Int": "integer", "BigInt": "string", "Float": "number",
    "Boolean": "boolean", "Date": "date", "DateTime": "datetime", "Datetime": "datetime",
    "ISO8601DateTime": "datetime", "Timestamp": "datetime",
}  # fmt: skip
"""The types of GraphQL itself, and the names that most schemas give to dates. Any other scalar may hold anything."""

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
            found = self._ask(_TYPE, {"name": name}).get("__type")
            self._types[name] = found if isinstance(found, dict) else None
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
    return [_info(one) for one in _members(of)]


def _members(of: Type) -> list[Type]:
    return [*(of.get("fields") or ()), *(of.get("inputFields") or ())]


def _core(wrapped: Type) -> Type:
    """The type inside lists and non-nulls."""
    while wrapped.get("ofType"):
        wrapped = wrapped["ofType"]
    return wrapped


def _info(member: Type) -> FieldInfo:
    wrapped = member["type"]
    never_null = wrapped["kind"] == "NON_NULL"
    inner = wrapped["ofType"] if never_null else wrapped
    # An input that is never null and has no default must be given; of an output it only says that it always comes.
    required = never_null and "defaultValue" in member and member["defaultValue"] is None
    core = _core(inner)
    if inner["kind"] == "LIST":
        return FieldInfo(member["name"], "array", required=required)
    if core.get("kind") == "ENUM":
        enum = tuple(one["name"] for one in core.get("enumValues") or ())
        return FieldInfo(member["name"], "string", required=required, enum=enum)
    kind = SCALARS.get(core.get("name") or "", "any") if core.get("kind") == "SCALAR" else "object"
    return FieldInfo(member["name"], kind, required=required)
