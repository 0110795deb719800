"""Finds records by Jobber's search, which is for people: what it finds is compared here.

`clients(searchTerm:)` and `jobs(searchTerm:)` look into names, e-mails, phone numbers, addresses and notes. Nothing
says how soon a new record can be found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice
from typing import Any

from airflow_provider_flux.connectors.contract import Verdict, WriteItem
from airflow_provider_flux.connectors.graphql.graph import Graph
from airflow_provider_flux.connectors.graphql.reading import Listing, ListReader, connection
from airflow_provider_flux.connectors.graphql.writing import Mutation, Mutator
from airflow_provider_flux.errors import RecordError

_PAGE = 25
_MOST_PAGES = 4
"""Beyond a hundred finds a search term says too little."""


def search(
    graph: Graph, document: str, root: str, term: str, is_it: Callable[[dict[str, Any]], bool]
) -> list[dict[str, Any]]:
    """The records among the finds that are what is looked for.

    :param document: with the variables `term`, `first` and `after`
    :param root: the field of the query that lists the finds: `clients`
    :raises FluxError: the search was refused
    """
    path = f"data.{root}"
    reader = ListReader(graph, Listing(document, path, connection(path, size=_PAGE)))
    found: list[dict[str, Any]] = []
    for page in islice(reader.pages({"term": term}), _MOST_PAGES):
        found += [record for record in page.records if is_it(record)]
    return found


def ids(records: Iterable[dict[str, Any]]) -> list[str]:
    """The ids of the records that are not archived, or, where there is none, of those that are."""
    found = {record["id"]: record for record in records}
    return [key for key, record in found.items() if not record.get("isArchived")] or list(found)


def send(graph: Graph, mutation: Mutation, variables: dict[str, Any], data: dict[str, Any]) -> Verdict:
    """Send one mutation; an error names its field as the mapped record spells it.

    :raises FluxError: as `Mutator.write`
    """
    verdict = Mutator(graph).write(mutation, variables, WriteItem(data))
    if not isinstance(verdict, RecordError) or verdict.field is None:
        return verdict
    head, dot, rest = verdict.field.partition(".")
    for suffix in ("ToAdd", "ToEdit", "ToDelete"):
        head = head.removesuffix(suffix)
    if head in ("emails", "phones") and head not in data and head.removesuffix("s") in data:
        return replace(verdict, field=head.removesuffix("s"), value=str(data[head.removesuffix("s")]))
    return replace(verdict, field=f"{head}{dot}{rest}")


def unknown(what: str, key: str) -> RecordError:
    """The error of a record that is not there under its id."""
    return RecordError("RECORD_NOT_FOUND", f"there is no {what} with the id {key}", field="id", value=key)
