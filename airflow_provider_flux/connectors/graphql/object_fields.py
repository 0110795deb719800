"""Asks a GraphQL server for the fields of its types.

https://spec.graphql.org/October2021/#sec-Introspection
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from airflow_provider_flux.connectors.declare import Description, FieldInfo, ObjectType
from airflow_provider_flux.connectors.graphql.graph import Graph
from airflow_provider_flux.connectors.graphql.objects import Shape
from airflow_provider_flux.connectors.options import DestinationOptions, SourceOptions
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport.paths import MISSING

_NAMED = "kind name enumValues { name }"
_TYPE = f"type {{ {_NAMED} ofType {{ {_NAMED} ofType {{ {_NAMED} ofType {{ {_NAMED} }} }} }} }}"
FIELDS = (
    "query($name: String!) { __type(name: $name) { "
    f"fields {{ name description args {{ name defaultValue type {{ kind }} }} {_TYPE} }} "
    f"inputFields {{ name description defaultValue {_TYPE} }} }} }}"
)
"""All fields of a type, with types of up to three wrappers (`[T!]!`)."""

SCALARS = {
    "Boolean": "boolean",
    "Int": "integer",
    "UnsignedInt64": "integer",
    "BigInt": "integer",
    "Float": "number",
    "Decimal": "number",
    "Date": "date",
    "ISO8601Date": "date",
    "DateTime": "datetime",
    "Datetime": "datetime",
    "ISO8601DateTime": "datetime",
    "String": "string",
    "ID": "string",
}
"""Of scalars: those of GraphQL itself, and the names that most schemas give to numbers and dates."""


def describe_known(
    open_graph: Callable[[], Graph],
    objects: Mapping[str, ObjectType],
    shapes: Mapping[str, Shape],
    options: SourceOptions | DestinationOptions | None,
    object_name: str | None,
) -> Description:
    """`describe_object` of the object that a flow or a person names.

    :param objects: those that the connector knows, by name; `shapes` alike
    :param object_name: else the object of `options` is meant
    :raises FluxError: NOT_FOUND for an object that the connector does not know; as `describe_object`
    """
    name = str(object_name or getattr(options, "object", ""))
    if name not in objects:
        raise FluxError("NOT_FOUND", f"there is no object `{name}`; there are {', '.join(objects)}")
    graph = open_graph()
    try:
        return describe_object(graph, objects[name], shapes[name], options)
    finally:
        graph.close()


def describe_object(
    graph: Graph, declared: ObjectType, shape: Shape, options: SourceOptions | DestinationOptions | None
) -> Description:
    """What the server says of an object: of what is read for a source, of what is written for a destination, of both
    without either. What only the connector knows (what a new record needs, how long a text may be) is added.

    :raises FluxError: NOT_FOUND when the server's version of the schema has no such type
    """
    known = {one.name: one for one in declared.fields}
    reads = {} if isinstance(options, DestinationOptions) else _fields(graph, shape.type)
    writes = {} if isinstance(options, SourceOptions) or shape.input is None else _fields(graph, shape.input)
    if not isinstance(options, DestinationOptions):
        reads.update({name: known[name] for name in shape.own})
    if writes:
        writes = {**{name: one for name, one in known.items() if not one.read_only}, **writes}
    if isinstance(options, DestinationOptions):
        writes.setdefault("id", FieldInfo("id", "string", read_only=True))
    found = {name: _with_known(one, known.get(name), read_only=False) for name, one in writes.items()}
    for name, one in reads.items():
        found.setdefault(name, _with_known(one, known.get(name), read_only=options is None))
    return Description(declared.name, tuple(sorted(found.values(), key=lambda one: one.name)))


def _fields(graph: Graph, name: str) -> dict[str, FieldInfo]:
    told = graph.ask(FIELDS, {"name": name}).at("data.__type")
    if told in (None, MISSING):
        raise FluxError(
            "NOT_FOUND", f"connection '{graph.client.conn_id}': the API's schema has no type `{name}`"
        )
    return {one.name: one for one in told_fields(told)}


def told_fields(found: Mapping[str, Any], unknown: str = "string") -> Iterator[FieldInfo]:
    """The fields of a type as `FIELDS` answers it, without those that need arguments.

    :param unknown: what a scalar of another name holds
    """
    for field in (*(found.get("fields") or ()), *(found.get("inputFields") or ())):
        if any(one["type"]["kind"] == "NON_NULL" and one["defaultValue"] is None for one in field.get("args") or ()):
            continue  # it cannot be read by its name alone
        kind, named = _kind(field["type"], unknown)
        required = field["type"]["kind"] == "NON_NULL" and "args" not in field and field.get("defaultValue") is None
        enum = tuple(value["name"] for value in named.get("enumValues") or ())
        yield FieldInfo(field["name"], kind, _first_line(field.get("description")), required, enum=enum)


def _kind(wrapped: dict[str, Any], unknown: str) -> tuple[str, dict[str, Any]]:
    """The type of a field in our own words, and the type that it wraps."""
    is_list, named = False, wrapped
    while named.get("ofType"):
        is_list = is_list or named["kind"] == "LIST"
        named = named["ofType"]
    if is_list or str(named.get("name")).endswith("Connection"):
        return "array", {}
    if named["kind"] in ("OBJECT", "INPUT_OBJECT", "INTERFACE", "UNION"):
        return "object", named
    return SCALARS.get(str(named.get("name")), unknown), named


def _with_known(told: FieldInfo, known: FieldInfo | None, *, read_only: bool) -> FieldInfo:
    return FieldInfo(
        told.name,
        told.type,
        told.label,
        told.required if known is None else known.required,
        known.max_length if known is not None else None,
        told.enum,
        read_only or told.read_only,
    )


def _first_line(text: str | None) -> str | None:
    return text.strip().splitlines()[0][:200] if text and text.strip() else None
