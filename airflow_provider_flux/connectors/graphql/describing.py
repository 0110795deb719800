"""The fields that a flow's documents read and write, as the server's own schema has them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from airflow_provider_flux.connectors.declare import Description, FieldInfo
from airflow_provider_flux.connectors.graphql.destination_options import GraphqlDestinationOptions, GraphqlMutation
from airflow_provider_flux.connectors.graphql.document import Variable, parse_document
from airflow_provider_flux.connectors.graphql.graph import Graph
from airflow_provider_flux.connectors.graphql.object_fields import SCALARS
from airflow_provider_flux.connectors.graphql.schema import IntrospectionOff, Schema, fields_of
from airflow_provider_flux.connectors.graphql.source_options import GraphqlSourceOptions
from airflow_provider_flux.connectors.rest.placeholders import placeholders
from airflow_provider_flux.errors import FluxError

log = logging.getLogger(__name__)


def describe(
    graph: Graph, options: GraphqlSourceOptions | GraphqlDestinationOptions | None, object_name: str | None
) -> Description | None:
    """The fields of the type that a flow's query reads, those that its mutation takes, or those of a type by its name.

    :return: None where introspection is switched off (a line in the log says so), or without a flow and a name
    :raises FluxError: NOT_FOUND for a type that is not there; what the server answers
    """
    schema = Schema(graph)
    try:
        if object_name is not None:
            return _of_type(schema, object_name)
        if isinstance(options, GraphqlSourceOptions):
            return _of_source(schema, options)
        return None if options is None else _of_destination(schema, options)
    except IntrospectionOff as off:
        log.warning(
            "%s does not tell its schema (introspection is switched off, or not allowed for this key): %s",
            graph.client.base.host,
            graph.client.mask(str(off)),
        )
        return None


def _of_type(schema: Schema, name: str) -> Description:
    found = schema.type(name)
    if found is None:
        raise _not_there(f"type '{name}'", "Name a type as the schema spells it: `Contact`, `ContactInput`.")
    return Description(name, tuple(fields_of(found)))


def _of_source(schema: Schema, options: GraphqlSourceOptions) -> Description:
    path = options.document.fields(options.records_path())
    record = schema.below(schema.root("query"), path)
    if record is None:
        raise _not_there(f"query {'.'.join(path)}", "Compare `query` of the flow with the schema.")
    return Description(str(record.get("name")), tuple(fields_of(record)))


def _of_destination(schema: Schema, options: GraphqlDestinationOptions) -> Description:
    """All fields of the input that the whole record fills, and those that the flow names one by one."""
    mutation = _that_makes_records(options)
    declared = parse_document(mutation.mutation, "mutation").variables
    name, found = "the variables of the mutation", dict[str, FieldInfo]()
    for variable, template in mutation.variables.items():
        for path, text in _texts(template, ()):
            if text == "{record}":
                name, fields = _input(schema, declared[variable], path)
                found.update({one.name: one for one in fields})
                continue
            for field in _fields_in(text, options.one_key):
                whole = not path and text in ("{key}", f"{{record.{field}}}")
                found.setdefault(field, _of_variable(field, declared[variable]) if whole else FieldInfo(field))
    for field in (field for keys in options.keys for field in keys):
        found.setdefault(field, FieldInfo(field))  # `find` takes it, where the mutation does not
    return Description(name, tuple(found.values()))


def _that_makes_records(options: GraphqlDestinationOptions) -> GraphqlMutation:
    """The mutation that decides which fields there are."""
    mutations = options.mutations()
    wanted = {"upsert": ("upsert", "create"), "create_if_missing": ("create",)}.get(options.mode, (options.mode,))
    return next(mutations[name] for name in wanted if name in mutations)


def _input(schema: Schema, variable: Variable, path: Sequence[str]) -> tuple[str, list[FieldInfo]]:
    filled = schema.below(schema.type(variable.named_type), path)
    if filled is None:
        where = ".".join((variable.named_type, *path))
        raise _not_there(f"input {where}", "Compare the variables of the mutation with the schema.")
    return str(filled.get("name")), fields_of(filled)


def _of_variable(field: str, variable: Variable) -> FieldInfo:
    return FieldInfo(field, SCALARS.get(variable.type.rstrip("!"), "any"), required=variable.required)


def _fields_in(text: str, one_key: str | None) -> Iterator[str]:
    """The fields of the record that the placeholders of a text name."""
    for name in placeholders(text):
        if name == "key" and one_key is not None:
            yield one_key
        elif name.startswith("record."):
            yield name.removeprefix("record.")


def _texts(template: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The texts of a variable's template, and where they stand in it."""
    if isinstance(template, str):
        yield path, template
    elif isinstance(template, dict):
        for name, inner in template.items():
            yield from _texts(inner, (*path, name))
    elif isinstance(template, list):
        for inner in template:
            yield from _texts(inner, path)


def _not_there(what: str, next_step: str) -> FluxError:
    return FluxError("NOT_FOUND", f"the server's schema has no {what}", next_step=next_step)
