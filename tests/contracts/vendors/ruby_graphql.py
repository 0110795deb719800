"""GraphQL as servers built with graphql-ruby answer it: Shopify and Jobber.

Documents are parsed, validated and executed for real, by graphql-core, against a part of the vendor's own schema; what
it refuses is worded as graphql-ruby words it (https://graphql-ruby.org), and every answer tells its cost and what is
left of a bucket of points.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    execute,
    get_named_type,
    is_leaf_type,
    parse,
    validate,
    value_from_ast_untyped,
)
from graphql.execution.values import get_variable_values

Price = Callable[[str, str, int, float, bool], float]
"""`price(field, type, first, inner, leaf)`: what a field costs; `inner` is the cost of what is selected in it."""

Node = dict[str, Any]


@dataclass
class Points:
    """A bucket of points that fills up again."""

    maximum: float
    rate: float
    available: float = 0.0
    since: float = 0.0

    def __post_init__(self) -> None:
        self.available, self.since = self.maximum, time.monotonic()

    def left(self) -> float:
        """Points that are there now."""
        now = time.monotonic()
        self.available = min(self.maximum, self.available + (now - self.since) * self.rate)
        self.since = now
        return self.available

    def status(self) -> dict[str, int]:
        """As `throttleStatus` tells it."""
        return {
            "maximumAvailable": int(self.maximum),
            "currentlyAvailable": int(self.left()),
            "restoreRate": int(self.rate),
        }


class Refused(Exception):
    """The answer to the whole request, instead of data."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.error = error


class Server:
    """One endpoint.

    :param sdl: the part of the vendor's schema
    :param root: field of Query or Mutation -> function of (info, arguments)
    :param price: what the vendor counts for a field
    :param admit: called with the cost of the request before it is executed; raises `Refused`
    """

    def __init__(
        self, sdl: str, root: Mapping[str, Callable[..., Any]], price: Price, admit: Callable[[float], None]
    ) -> None:
        self.schema = _schema(sdl)
        self.points = Points(20_000, 1_000)
        self._root = root
        self._price = price
        self._admit = admit

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """The JSON of the answer to `{"query": ..., "variables": ...}`."""
        try:
            document = parse(body["query"])
        except GraphQLError as error:
            return {"errors": [{"message": f"Parse error: {error.message}", "locations": _locations(error)}]}
        wrong = validate(self.schema, document)
        if wrong:
            return {"errors": [_in_ruby(error) for error in wrong]}
        operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
        variables = body.get("variables") or {}
        coerced = get_variable_values(self.schema, operation.variable_definitions or (), variables)
        if isinstance(coerced, list):
            return {"errors": [_variable_in_ruby(error) for error in coerced]}
        cost = self._cost(operation, variables)
        try:
            self._admit(cost)
        except Refused as refused:
            return {"errors": [refused.error], **self._told(cost, None, refused.error)}
        return {**self._executed(document, variables), **self._told(cost, cost, None)}

    def _executed(self, document: DocumentNode, variables: dict[str, Any]) -> dict[str, Any]:
        result = execute(self.schema, document, root_value=self._root, variable_values=variables)
        assert not hasattr(result, "__await__")
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [_execution_in_ruby(error) for error in result.errors]
        return answer

    def _told(self, requested: float, actual: float | None, refusal: dict[str, Any] | None) -> dict[str, Any]:
        if refusal is not None and refusal.get("extensions", {}).get("code") == "MAX_COST_EXCEEDED":
            return {}
        if actual is not None:
            self.points.available = self.points.left() - actual
        cost = {"requestedQueryCost": int(requested), "actualQueryCost": None if actual is None else int(actual)}
        return {"extensions": {"cost": {**cost, "throttleStatus": self.points.status()}}}

    def _cost(self, operation: OperationDefinitionNode, variables: dict[str, Any]) -> float:
        kind = self.schema.mutation_type if operation.operation.value == "mutation" else self.schema.query_type
        assert kind is not None
        return self._cost_of(kind, operation.selection_set, variables)

    def _cost_of(self, kind: GraphQLObjectType, selected: SelectionSetNode, variables: dict[str, Any]) -> float:
        total = 0.0
        for node in selected.selections:
            assert isinstance(node, FieldNode)
            if node.name.value.startswith("__"):
                continue
            named = get_named_type(kind.fields[node.name.value].type)
            inner = 0.0
            if node.selection_set is not None and isinstance(named, GraphQLObjectType):
                inner = self._cost_of(named, node.selection_set, variables)
            given = {told.name.value: value_from_ast_untyped(told.value, variables) for told in node.arguments or ()}
            first = given.get("first") or given.get("last") or 100
            total += self._price(node.name.value, named.name, int(first), inner, is_leaf_type(named))
        return total


@cache
def _schema(sdl: str) -> GraphQLSchema:
    return build_schema(sdl)


def connection(nodes: Sequence[Node], after: Callable[[Node], Any], cursor: str | None, first: int | None) -> Node:
    """A page of nodes in their order, by keyset: what follows is what sorts after the cursor.

    :param after: what a node is sorted by
    """
    size = 100 if first is None else first
    rest = nodes if cursor is None else [node for node in nodes if str(after(node)) > unpacked(cursor)]
    page = list(rest[:size])
    return page_of(page, more=len(rest) > size, end=packed(str(after(page[-1]))) if page else None, before=cursor)


def page_of(page: Sequence[Node], *, more: bool, end: str | None, before: str | None) -> Node:
    """A connection that holds this page."""
    info = {"hasNextPage": more, "hasPreviousPage": before is not None, "startCursor": None, "endCursor": end}
    return {"nodes": page, "edges": [{"cursor": end, "node": node} for node in page], "pageInfo": info}


def packed(text: str) -> str:
    """A cursor, which says nothing to its reader."""
    return base64.b64encode(text.encode()).decode().rstrip("=")


def unpacked(cursor: str) -> str:
    """What is in a cursor."""
    return base64.b64decode(cursor + "=" * (-len(cursor) % 4)).decode()


def _in_ruby(error: GraphQLError) -> dict[str, Any]:
    """An error of validation, in graphql-ruby's words and with its code."""
    for pattern, words, code in _WORDS:
        match = re.search(pattern, error.message)
        if match is not None:
            message = words.format(*match.groups())
            return {"message": message, "locations": _locations(error), "path": ["query"], "extensions": {"code": code}}
    return {"message": error.message, "locations": _locations(error)}


_WORDS = (
    (r"Cannot query field '(\w+)' on type '(\w+)'", "Field '{0}' doesn't exist on type '{1}'", "undefinedField"),
    (r"Unknown argument '(\w+)' on field '\w+\.(\w+)'",
     "Field '{1}' doesn't accept argument '{0}'", "argumentNotAccepted"),
    (r"Unknown type '(\w+)'", "{0} isn't a defined input type", "variableRequiresValidType"),
    (r"Field '(\w+)' of type '([\w!\[\]]+)' must have a selection",
     "Field must have selections (field '{0}' returns {1} but has no selections)", "selectionMismatch"),
    (r"Field '(\w+)' argument '(\w+)' of type '.+' is required",
     "Field '{0}' is missing required arguments: {1}", "missingRequiredArguments"),
    (r"Variable '\$(\w+)' of type '(.+)' used in position expecting type '(.+)'",
     "Type mismatch on variable ${0} ({1} / {2})", "variableMismatch"),
)  # fmt: skip


def _variable_in_ruby(error: GraphQLError) -> dict[str, Any]:
    """An error about the value of a variable: graphql-ruby's VariableValidationError."""
    match = re.match(r"Variable '\$(\w+)'", error.message)
    name = match[1] if match else "?"
    path, why = _problem(error.message)
    kind = "!"
    node = error.nodes[0] if error.nodes else None
    if node is not None and hasattr(node, "type"):
        kind = re.sub(r"\s", "", node.loc.source.body[node.type.loc.start : node.type.loc.end])
    about = f" for {'.'.join(path)} ({why})" if path else ""
    return {
        "message": f"Variable ${name} of type {kind} was provided invalid value{about}",
        "locations": _locations(error),
        "extensions": {"value": None, "problems": [{"path": path, "explanation": why}]},
    }


def _problem(message: str) -> tuple[list[str], str]:
    """Where in a variable something is wrong, and what, from graphql-core's sentence."""
    at = re.search(r"has invalid value(?: at ([^:]+))?: (.*)", message, re.DOTALL)
    assert at is not None, message
    path, reason = re.findall(r"\w+", at[1] or ""), at[2]
    if unknown := re.search(r"Expected value of type '(\w+)' not to include unknown field '(\w+)'", reason):
        return [*path, unknown[2]], f"Field is not defined on {unknown[1]}"
    if missing := re.search(r"to include required field '(\w+)'", reason):
        return [*path, missing[1]], "Expected value to not be null"
    if "of non-null type" in reason:
        return path, "Expected value to not be null"
    if enum := re.search(r"Value '(.+?)' does not exist in '(\w+)' enum", reason):
        return path, f'Expected "{enum[1]}" to be one of: {enum[2]}'
    return path, reason


def _execution_in_ruby(error: GraphQLError) -> dict[str, Any]:
    told: dict[str, Any] = {"message": error.message, "locations": _locations(error), "path": error.path}
    if error.extensions:
        told["extensions"] = dict(error.extensions)
    return told


def _locations(error: GraphQLError) -> list[dict[str, int]]:
    return [{"line": place.line, "column": place.column} for place in error.locations or ()]


