"""Lists of a GraphQL server, page by page: Relay connections, offsets, or all in one answer.

Relay connections: https://relay.dev/graphql/connections.htm.
"""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_flux.connectors.api.partial import defects
from airflow_provider_flux.connectors.contract import Page
from airflow_provider_flux.connectors.graphql.graph import Graph, Told
from airflow_provider_flux.connectors.rest.pagers import pager_for
from airflow_provider_flux.connectors.rest.paging import Seen, Step, log_lowered
from airflow_provider_flux.connectors.rest.records import NoRecords, find_records, page_of
from airflow_provider_flux.connectors.rest.source_options import Paging
from airflow_provider_flux.errors import FluxError
from airflow_provider_flux.transport import graphql
from airflow_provider_flux.transport.buckets import cost_of, excess_of
from airflow_provider_flux.transport.classify import loosely
from airflow_provider_flux.transport.messages import Response
from airflow_provider_flux.transport.paths import get, place

log = logging.getLogger("airflow_provider_flux.transport")

TOO_MUCH = frozenset(
    {"MAX_COST_EXCEEDED", "EXCESSIVE_PAGINATION", "MAX_NODE_LIMIT_EXCEEDED", "RESOURCE_LIMITS_EXCEEDED"}
)
"""Codes for a query that asks for more than one answer may hold: of Shopify the first, of GitHub the others."""


ONE_PAGE = Paging(kind="none")
"""Everything comes in one answer."""


@dataclass(frozen=True)
class Listing:
    """A list and how it is asked for.

    :param path: of the connection or the list in the answer: `data.customers`
    :param paging: `param` and `size_param` are names of variables of the document; see `connection`
    """

    document: str
    path: str
    paging: Paging = ONE_PAGE


def connection(path: str, *, size: int = 100, first: str = "first", after: str = "after") -> Paging:
    """The paging of a Relay connection at a path of the answer.

    :param size: records in one page
    :param first: the variable of the page size
    :param after: the variable of the cursor
    """
    return Paging(
        kind="cursor",
        param=after,
        next=f"{path}.pageInfo.endCursor",
        more=f"{path}.pageInfo.hasNextPage",
        size_param=first,
        size=size,
    )


class ListReader:
    """Reads one list. A page that is refused for its size is asked for again with half as many records."""

    def __init__(self, graph: Graph, listing: Listing) -> None:
        self._graph = graph
        self._listing = listing
        self._size = listing.paging.size
        self._lowered = False

    def pages(self, variables: Mapping[str, Any] | None = None) -> Iterator[Page]:
        """Yield the pages, in the order of the server.

        :param variables: beside those of the paging
        :raises FluxError: what the server answers; UNREADABLE_ANSWER for an answer without the list
        """
        pager = pager_for(self._listing.paging)
        step: Step | None = pager.first()
        while step is not None:
            told = self._ask(step, variables or {})
            page, records = self._page(told)
            yield page
            seen = Seen(step, told.response.headers, told.decoded.value, records, told.response.endpoint)
            step = pager.after(seen)
            if step is not None and self._listing.paging.kind == "cursor":
                self._notice_size(seen)

    def _ask(self, step: Step, variables: Mapping[str, Any]) -> Told:
        while True:
            given = copy.deepcopy(dict(variables))
            for path, value in {**step.params, **self._sized()}.items():
                place(given, path, value)
            response = self._graph.send(self._listing.document, given, repeatable=True)
            if self._size is None or self._size == 1 or not _too_much(response, self._listing.paging.size_param):
                return self._graph.told(response)
            self._size = _smaller(self._size, response)
            log.warning("%s refuses so large a page: asking for %d records", response.endpoint, self._size)

    def _sized(self) -> dict[str, int]:
        name = self._listing.paging.size_param
        return {} if name is None or self._size is None else {name: self._size}

    def _page(self, told: Told) -> tuple[Page, list[Any]]:
        try:
            records, path = records_at(told.decoded.value, self._listing.path)
        except NoRecords as error:
            raise self._no_records(told, error) from None
        found = defects(told.response, told.said, path, self._graph.judgement, self._graph.client.mask)
        page = page_of(told.decoded, records)
        page.defects.update(found)
        return page, records

    def _no_records(self, told: Told, error: NoRecords) -> FluxError:
        """The error of an answer without the list: an error in one record may have taken the whole list with it."""
        for said in (*told.said.errors, *told.said.refusals):
            return self._graph.judgement.graphql(told.response, said)
        return self._graph.judgement.unreadable(told.response, str(error))

    def _notice_size(self, seen: Seen) -> None:
        if not self._lowered and self._size is not None and 0 < len(seen.records) < self._size:
            self._lowered = True
            log_lowered(seen, self._size, len(seen.records))


def records_at(answer: Any, path: str) -> tuple[list[Any], str]:
    """The records at a path, and the path of their list: that of the connection, `nodes` or `edges` below it.

    :raises NoRecords: when there is no list
    """
    found = get(answer, path)
    if isinstance(found, dict):
        if isinstance(nodes := found.get("nodes"), list):
            return nodes, f"{path}.nodes"
        if isinstance(edges := found.get("edges"), list):
            return [edge.get("node") if isinstance(edge, dict) else edge for edge in edges], f"{path}.edges"
    return find_records(answer, path, optional=False), path


def _too_much(response: Response, size_param: str | None) -> bool:
    """Whether a smaller page may come where this one was refused."""
    value = loosely(response.body, response.content_type)
    said = graphql.judge(value, asked=True)
    if said is None or said.data is not None:
        return False
    if any(error.code in TOO_MUCH for error in said.errors):
        return True
    cost = cost_of(value)
    if cost is not None and cost.bucket is not None and cost.requested > cost.bucket.maximum:
        return True  # the bucket will never hold so much
    too = "exceed|at most|maximum|too (?:large|many|high)|between"
    about_size = re.compile(rf"\b{re.escape(size_param or 'first')}\b.*(?:{too})")
    return any(about_size.search(error.message) for error in said.errors)


def _smaller(size: int, response: Response) -> int:
    """The next page size to try: what the server says is allowed, else half."""
    excess = excess_of(loosely(response.body, response.content_type))
    if excess is None or not excess.cost or not excess.allowed:
        return max(1, size // 2)
    return max(1, min(size - 1, int(size * excess.allowed / excess.cost)))
