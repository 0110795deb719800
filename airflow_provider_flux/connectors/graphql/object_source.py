"""Reads an object of a GraphQL vendor, page by page; lists within a record are read to their end."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from airflow_provider_flux.connectors.contract import Page, Source, Window
from airflow_provider_flux.connectors.graphql.graph import Graph
from airflow_provider_flux.connectors.graphql.objects import GraphObjectSourceOptions
from airflow_provider_flux.connectors.graphql.reading import Listing, ListReader, connection
from airflow_provider_flux.connectors.rest.records import page_of
from airflow_provider_flux.transport.tally import Tally

_ENTRIES = 100
"""Entries to ask for in one page of a list within a record."""


class GraphObjectSource(Source):
    """One object of one account.

    :param graph: the vendor's endpoint
    """

    def __init__(self, options: GraphObjectSourceOptions, graph: Graph) -> None:
        self.options = options
        self.graph = graph
        self._shape = options.shape
        self._selection = options.selection()

    @abstractmethod
    def variables(self, window: Window) -> Mapping[str, Any]:
        """The variables that ask for a window, as the shape declares them."""

    def now(self) -> datetime | None:
        """The vendor's clock."""
        return self.graph.now()

    def read(self, window: Window) -> Iterator[Page]:
        """Yield the records of the window, in the order of the vendor."""
        yield from self.listed(self.variables(window))

    def listed(self, variables: Mapping[str, Any]) -> Iterator[Page]:
        """Yield the records that these variables ask for."""
        path = f"data.{self._shape.plural}"
        paging = connection(path, size=self.options.page_size or self._shape.page)
        reader = ListReader(self.graph, Listing(self._shape.listing(self._selection), path, paging))
        for page in reader.pages(variables):
            self._complete(page)
            yield page

    def fetch(self, keys: Sequence[Mapping[str, Any]]) -> Iterator[Page]:
        """Yield the records with these ids, each asked for by a call of its own; one that is not there is left out."""
        document = self._shape.one(self._selection)
        for key in keys:
            told = self.graph.ask(document, {"id": key["id"]})
            record = (told.said.data or {}).get(self._shape.single)
            if record is None:
                if told.said.errors:
                    raise self.graph.judgement.graphql(told.response, told.said.errors[0])
                continue
            page = page_of(told.decoded, [record])
            self._complete(page)
            yield page

    def calls(self) -> Tally:
        """The calls made so far."""
        return self.graph.calls()

    def close(self) -> None:
        """Close the connections."""
        self.graph.close()

    def _complete(self, page: Page) -> None:
        """Lists within the records become plain lists, with all their entries."""
        for index, record in enumerate(page.records):
            for name in self._selection.lists:
                listed = record.get(name)
                if not isinstance(listed, dict) or not isinstance(listed.get("nodes"), list):
                    continue  # null, or a defect of the record
                more = (listed.get("pageInfo") or {}).get("hasNextPage")
                record[name] = self._entries(page, index, name) if more else listed["nodes"]

    def _entries(self, page: Page, index: int, name: str) -> list[Any]:
        """All entries of a list that is longer than what came with its record, read from its begin."""
        record = page.records[index]
        path = f"data.{self._shape.single}.{name}"
        paging = connection(path, size=min(_ENTRIES, self._shape.most))
        reader = ListReader(self.graph, Listing(self._shape.inner(name, self._selection), path, paging))
        entries: list[Any] = []
        for inner in reader.pages({"id": record["id"]}):
            entries += inner.records
            for defect in inner.defects.values():
                page.defects.setdefault(index, defect)
        return entries
