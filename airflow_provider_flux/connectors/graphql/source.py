"""Reads a list of records from a GraphQL API, as the flow file declares it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from airflow_provider_flux.connectors.api.profile import ApiProfile
from airflow_provider_flux.connectors.contract import Page, Source, Window, WriteItem
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.graphql.graph import Graph
from airflow_provider_flux.connectors.graphql.reading import Listing, ListReader
from airflow_provider_flux.connectors.graphql.source_options import GraphqlItem, GraphqlSourceOptions
from airflow_provider_flux.connectors.graphql.variables import compile_variables
from airflow_provider_flux.connectors.rest.error_rows import compiled
from airflow_provider_flux.connectors.rest.placeholders import Unfit
from airflow_provider_flux.connectors.rest.records import page_of
from airflow_provider_flux.connectors.rest.window import window_parameters
from airflow_provider_flux.transport.classify import SOURCE
from airflow_provider_flux.transport.paths import MISSING, place
from airflow_provider_flux.transport.tally import Tally


class GraphqlSource(Source):
    """One list of one API."""

    def __init__(self, options: GraphqlSourceOptions, credentials: Credentials, profile: ApiProfile) -> None:
        self._options = options
        self._kind = options.cursor.type if options.cursor else "timestamp"
        self._graph = Graph.open(
            credentials,
            profile,
            outage=SOURCE,
            path=options.path,
            auth=options.auth,
            rows=compiled(options.errors),
            headers=options.headers,
            timeout=options.timeout,
        )

    def now(self) -> datetime | None:
        """The server's clock."""
        return self._graph.now()

    def read(self, window: Window) -> Iterator[Page]:
        """Yield the records of the window, page by page, as the API orders them.

        :raises FluxError: what the API answers; UNREADABLE_ANSWER for an answer of another shape than declared
        """
        options = self._options
        variables = copy.deepcopy(options.variables)
        for path, value in window_parameters(window, options.window_incremental(), self._kind).items():
            place(variables, path, value)
        listing = Listing(options.query, options.connection_path(), options.paging())
        yield from ListReader(self._graph, listing).pages(variables)

    def fetch(self, keys: Sequence[Mapping[str, Any]]) -> Iterator[Page]:
        """Yield the records with these keys, each asked for by a query of its own."""
        item = self._options.item
        assert item is not None
        render = compile_variables(item.variables, self._options.one_key)
        for key in keys:
            named: dict[str, Any] = {}
            for path, value in key.items():
                place(named, path, value)
            try:
                variables = render(WriteItem(named))
            except Unfit:
                continue  # no record of the API can have such a key
            page = self._fetched(item, variables)
            if page is not None:
                yield page

    def calls(self) -> Tally:
        """The calls made so far."""
        return self._graph.calls()

    def close(self) -> None:
        """Close the connections."""
        self._graph.close()

    def _fetched(self, item: GraphqlItem, variables: dict[str, Any]) -> Page | None:
        """The record, None where the API does not have it.

        :raises FluxError: for any other error; asked for alone there are no other records that it could spare
        """
        told = self._graph.answered(self._graph.send(item.query, variables, repeatable=True))
        for error in told.said.errors:
            finding = error.finding(told.response.status, outage=SOURCE, record=True)
            if finding is not None and finding.code == "RECORD_NOT_FOUND":
                return None
            raise self._graph.judgement.graphql(told.response, error)
        record = told.at(item.record)
        if record is MISSING:
            raise self._graph.judgement.unreadable(told.response, f"`item.record: {item.record}` is not in the answer")
        return None if record is None else page_of(told.decoded, [record])
