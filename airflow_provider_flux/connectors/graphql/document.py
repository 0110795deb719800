"""GraphQL documents of flow files: parsed when a flow is checked, so that a mistake is found before the first call.

graphql-core is imported by the functions that need it: it takes a fifth of a second, which only flows with documents of
their own pay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator

from airflow_provider_flux.transport.paths import steps

if TYPE_CHECKING:
    from graphql import FieldNode, FragmentDefinitionNode, OperationDefinitionNode, SelectionSetNode, TypeNode

Operation = Literal["query", "mutation"]

_LEAVES: Mapping[str, tuple[type, ...]] = {
    "Int": (int,),
    "Float": (int, float),
    "String": (str,),
    "Boolean": (bool,),
    "ID": (str, int),
}
"""What the types of GraphQL itself hold, in JSON."""


@dataclass(frozen=True)
class Variable:
    """A variable that a document declares.

    :param type: as the document writes it: `[ID!]!`
    :param required: it must have a value in every call
    """

    name: str
    type: str
    required: bool

    @property
    def named_type(self) -> str:
        """The type without its lists and exclamation marks."""
        return self.type.strip("[]!")


@dataclass(frozen=True)
class Document:
    """One operation with its fragments.

    :param root: what it selects
    """

    text: str
    operation: str
    variables: Mapping[str, Variable]
    root: SelectionSetNode = field(repr=False)
    fragments: Mapping[str, FragmentDefinitionNode] = field(repr=False)

    def roots(self) -> list[str]:
        """What the operation asks for, or does."""
        return [_answered_as(one) for one in self._fields((self.root,)) if one.name.value != "__typename"]

    def selected(self, path: str) -> frozenset[str]:
        """The names selected below a path of the answer (`data.contacts.nodes`), positions in lists left out.

        :raises ValueError: when the path, or a part of it, is not selected
        """
        names: list[FieldNode] = []
        here: Sequence[SelectionSetNode] = (self.root,)
        for name in _names(path):
            names = [one for one in self._fields(here) if _answered_as(one) == name]
            if not names:
                has = sorted({_answered_as(one) for one in self._fields(here)})
                raise ValueError(f"`{path}`: the document does not select `{name}`.{_allowed(name, has)}")
            here = [one.selection_set for one in names if one.selection_set is not None]
        return frozenset(_answered_as(one) for one in self._fields(here))

    def fields(self, path: str) -> list[str]:
        """The schema's own names of the fields on the way to a path of the answer, which aliases hide."""
        found: list[str] = []
        here: Sequence[SelectionSetNode] = (self.root,)
        for name in _names(path):
            same = [one for one in self._fields(here) if _answered_as(one) == name]
            found += [same[0].name.value] if same else []
            here = [one.selection_set for one in same if one.selection_set is not None]
        return found

    def _fields(self, sets: Sequence[SelectionSetNode]) -> Iterator[FieldNode]:
        """The fields of selections, those of fragments included."""
        from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode

        for selection in (one for selected in sets for one in selected.selections):
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, InlineFragmentNode):
                yield from self._fields((selection.selection_set,))
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value in self.fragments:
                yield from self._fields((self.fragments[selection.name.value].selection_set,))


@lru_cache(maxsize=256)
def parse_document(text: str, operation: Operation) -> Document:
    """Read a document that holds one operation of that kind.

    :raises ValueError: with the place in the document
    """
    from graphql import FragmentDefinitionNode, GraphQLError, OperationDefinitionNode, parse

    try:
        tree = parse(text, max_tokens=20_000)
    except GraphQLError as error:
        where = error.locations[0] if error.locations else None
        place = f" (line {where.line}, column {where.column} of the document)" if where else ""
        raise ValueError(f"{error.message}{place}") from None
    except RecursionError:
        raise ValueError("the document is nested too deeply") from None
    operations = [one for one in tree.definitions if isinstance(one, OperationDefinitionNode)]
    fragments = {one.name.value: one for one in tree.definitions if isinstance(one, FragmentDefinitionNode)}
    found = _the_operation(operations, operation)
    _validate(tree)
    return Document(text, operation, _variables(found), found.selection_set, fragments)


def _is_query(text: str) -> str:
    parse_document(text, "query")
    return text


def _is_mutation(text: str) -> str:
    parse_document(text, "mutation")
    return text


QueryText = Annotated[str, AfterValidator(_is_query)]
"""A document with one query, in a flow file."""

MutationText = Annotated[str, AfterValidator(_is_mutation)]
"""A document with one mutation, in a flow file."""


def check_variables(document: Document, given: Mapping[str, Any], by_flux: Sequence[str] = ()) -> None:
    """Compare the variables of a flow with those that the document declares.

    :param given: names, and values; a value with placeholders is a text with braces in it
    :param by_flux: names that Flux fills in itself (paging, the window)
    :raises ValueError: for one that is not declared, a required one without a value, a value of the wrong type
    """
    for name in (*given, *by_flux):
        if name not in document.variables:
            raise ValueError(
                f"the document declares no variable `${name}`.{_allowed(name, sorted(document.variables))}"
            )
    for name, variable in document.variables.items():
        if variable.required and name not in given and name not in by_flux:
            raise ValueError(f"the document needs a value for `${name}: {variable.type}`; write it into `variables`")
    for name, value in given.items():
        _check_value(name, document.variables[name].type, value)


def _the_operation(operations: Sequence[OperationDefinitionNode], wanted: Operation) -> OperationDefinitionNode:
    if len(operations) != 1:
        names = ", ".join(one.name.value if one.name else "one without a name" for one in operations)
        held = f"{len(operations)} operations ({names})" if operations else "no operation"
        raise ValueError(f"the document holds {held}; it must hold one {wanted}")
    if operations[0].operation.value != wanted:
        raise ValueError(f"the document is a {operations[0].operation.value}; here stands a {wanted}")
    return operations[0]


def _validate(tree: Any) -> None:
    """What is wrong with a document whatever the schema."""
    from graphql import (
        GraphQLField,
        GraphQLObjectType,
        GraphQLSchema,
        GraphQLString,
        KnownFragmentNamesRule,
        NoFragmentCyclesRule,
        NoUndefinedVariablesRule,
        NoUnusedVariablesRule,
        UniqueArgumentNamesRule,
        UniqueVariableNamesRule,
        validate,
    )

    rules = [
        KnownFragmentNamesRule,
        NoFragmentCyclesRule,
        NoUndefinedVariablesRule,
        NoUnusedVariablesRule,
        UniqueArgumentNamesRule,
        UniqueVariableNamesRule,
    ]
    unknown = GraphQLSchema(GraphQLObjectType("Query", {"unknown": GraphQLField(GraphQLString)}))
    for error in validate(unknown, tree, rules):
        where = error.locations[0] if error.locations else None
        place = f" (line {where.line}, column {where.column} of the document)" if where else ""
        raise ValueError(f"{error.message}{place}")


def _variables(operation: OperationDefinitionNode) -> dict[str, Variable]:
    from graphql import NonNullTypeNode, print_ast

    return {
        one.variable.name.value: Variable(
            one.variable.name.value,
            print_ast(one.type),
            isinstance(one.type, NonNullTypeNode) and one.default_value is None,
        )
        for one in operation.variable_definitions or ()
    }


def _check_value(name: str, declared: str, value: Any) -> None:
    """A constant against the types that every schema has; what a placeholder brings is known only when it is sent."""
    from graphql import parse_type

    if not _fits(parse_type(declared), value):
        raise ValueError(f"`variables.{name}`: {value!r} is no value of the type {declared} that the document declares")


def _fits(declared: TypeNode, value: Any) -> bool:
    from graphql import ListTypeNode, NamedTypeNode, NonNullTypeNode

    if isinstance(value, str) and "{" in value:
        return True
    if isinstance(declared, NonNullTypeNode):
        return value is not None and _fits(declared.type, value)
    if value is None:
        return True
    if isinstance(declared, ListTypeNode):
        # A single value stands for a list of one (GraphQL, October 2021, 3.11).
        return all(_fits(declared.type, one) for one in (value if isinstance(value, list) else [value]))
    assert isinstance(declared, NamedTypeNode)
    leaf = _LEAVES.get(declared.name.value)
    if leaf is None:
        return True
    return isinstance(value, leaf) and (isinstance(value, bool) == (leaf == (bool,)))


def _names(path: str) -> list[str]:
    """The names of a path below `data`, without positions.

    :raises ValueError: when it does not begin with `data`
    """
    first, *others = steps(path)
    if first != "data" or not others:
        raise ValueError(f"`{path}`: a path in a GraphQL answer begins with `data.`, as `data.contacts.nodes`")
    return [step for step in others if isinstance(step, str)]


def _answered_as(node: FieldNode) -> str:
    return node.alias.value if node.alias else node.name.value


def _allowed(name: str, names: Sequence[str]) -> str:
    near = get_close_matches(name, names, n=1)
    listed = f" There are: {', '.join(names)}." if names else " There is none."
    return f" Did you mean `{near[0]}`?{listed}" if near else listed
