"""Objects of a GraphQL vendor whose schema is known: how they are asked for, and what a flow file may say of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from airflow_provider_flux.connectors.graphql.selection import Selection, head, select
from airflow_provider_flux.connectors.object_options import ObjectSourceOptions


@dataclass(frozen=True)
class Shape:
    """How one object is asked for.

    :param plural: field of the query that lists it: `customers`
    :param single: field of the query that answers one of them by `id`: `customer`
    :param type: its type in the schema, for introspection
    :param input: the type of what is written of it; None where it cannot be written
    :param id_type: type of its id
    :param fields: what is read unless the flow names fields
    :param own: fields that the connector adds to each record
    :param parts: objects within it, of which a flow must say which fields it reads
    :param lists: connections within it, and how many entries come with a record; more are asked for
    :param variables: declares what the list is filtered by: `$query: String`
    :param arguments: hands that on: `query: $query, sortKey: UPDATED_AT`
    :param page: records in one page, unless the flow says another number
    :param most: the largest page
    """

    plural: str
    single: str
    type: str
    input: str | None
    fields: tuple[str, ...]
    id_type: str = "ID!"
    own: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    lists: Mapping[str, int] = field(default_factory=dict)
    variables: str = ""
    arguments: str = ""
    page: int = 100
    most: int = 250

    def listing(self, selection: Selection) -> str:
        """The document that reads a page of the list, with the variables `first` and `after`."""
        variables = ", ".join(filter(None, ("$first: Int!, $after: String", self.variables)))
        arguments = ", ".join(filter(None, ("first: $first, after: $after", self.arguments)))
        return (
            f"query({variables}) {{ {self.plural}({arguments}) {{ nodes {{ {selection.text} }} "
            "pageInfo { hasNextPage endCursor } } }"
        )

    def one(self, selection: Selection) -> str:
        """The document that reads one record by the variable `id`."""
        return f"query($id: {self.id_type}) {{ {self.single}(id: $id) {{ {selection.text} }} }}"

    def inner(self, name: str, selection: Selection) -> str:
        """The document that reads a page of a list within one record."""
        return (
            f"query($id: {self.id_type}, $first: Int!, $after: String) {{ {self.single}(id: $id) {{ "
            f"{name}(first: $first, after: $after) {{ nodes {{ {selection.lists[name]} }} "
            "pageInfo { hasNextPage endCursor } } } }"
        )


class GraphObjectSourceOptions(ObjectSourceOptions):
    """Reads one object of a GraphQL vendor; only the fields that are named are read."""

    SHAPES: ClassVar[Mapping[str, Shape]] = {}

    page_size: Annotated[int, Field(strict=True, ge=1)] | None = Field(
        default=None,
        description="Records to ask for in one page. A page that costs more than the vendor allows is asked for again "
        "in half its size.",
    )

    @property
    def shape(self) -> Shape:
        """How the object is asked for."""
        return self.SHAPES[self.object]

    def paths(self) -> tuple[str, ...]:
        """The fields to read, and those that the run itself needs."""
        own = [*(self.fields or self.shape.fields), *self.key, self.version]
        own += [self.cursor.field if self.cursor else None, self.deleted.field if self.deleted else None]
        return tuple(dict.fromkeys(path for path in ("id", *own) if path))

    def selection(self) -> Selection:
        """The same as GraphQL selects them.

        :raises ValueError: for what is no field
        """
        return select(self.paths(), self.shape.lists)

    def selected_fields(self) -> frozenset[str] | None:
        """A GraphQL server answers what it is asked for, and nothing else."""
        return frozenset(head(path) for path in self.paths())

    def can_fetch(self) -> bool:
        """By the vendor's own id."""
        return self.key == ("id",)

    @model_validator(mode="after")
    def _reads_fields(self) -> GraphObjectSourceOptions:
        shape = self.SHAPES.get(self.object)
        if shape is None:
            return self
        if self.page_size is not None and self.page_size > shape.most:
            raise ValueError(f"`page_size`: {self.object} come in pages of at most {shape.most}")
        for part in shape.parts:
            if part in self.fields:
                raise ValueError(f"`fields`: `{part}` is an object: say which of its fields are read, as `{part}.id`")
        try:
            self.selection()
        except ValueError as error:
            raise ValueError(f"`fields`: {error}") from None
        return self
