"""Clients that were just made, which the search may not know yet.

Nothing says how soon Jobber's search finds a new client. Who makes what a search has not found would make doubles: when
an answer was lost, after a crash, or of two source records with one e-mail. So beside the search two places are asked:
what this process has made, and, once, the list of what was made in the last 15 minutes, by whomever.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from airflow_provider_flux.connectors.graphql.graph import Graph
from airflow_provider_flux.connectors.graphql.reading import Listing, ListReader, connection
from airflow_provider_flux.connectors.jobber.contact_points import created

COMPARED = "id isArchived firstName lastName companyName emails { address } phones { number }"
"""What is selected of a client to tell whether it is the one that is looked for."""
LIST = (
    "query($filter: ClientFilterAttributes, $first: Int!, $after: String) { "
    f"clients(filter: $filter, first: $first, after: $after) {{ nodes {{ {COMPARED} }} "
    "pageInfo { hasNextPage endCursor } } }"
)
LAG = timedelta(minutes=15)
_MOST_PAGES = 10


class Recent:
    """Remembers clients by their id. Used from several threads at once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._lock = threading.Lock()
        self._listed = False
        self._clients: dict[str, tuple[datetime, dict[str, Any]]] = {}

    def find(self, is_it: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        """The clients of the last minutes that are what is looked for.

        :raises FluxError: Jobber cannot be asked
        """
        with self._lock:
            if not self._listed:
                self._list()
            return [client for _, client in self._clients.values() if is_it(client)]

    def made(self, key: str, data: Mapping[str, Any]) -> None:
        """A client was made by this process."""
        now = datetime.now(UTC)
        with self._lock:
            self._clients[key] = (now, {**created(data), "id": key})
            # In the order in which they were made: what is older than the lag is known to the search.
            while self._clients and next(iter(self._clients.values()))[0] < now - LAG:
                del self._clients[next(iter(self._clients))]

    def changed(self, key: str) -> None:
        """A client was changed or archived: the search knows it, or the next list does."""
        with self._lock:
            if self._clients.pop(key, None) is not None:
                self._listed = False

    def doubtful(self) -> None:
        """An answer was lost: what is there now has to be listed again."""
        with self._lock:
            self._listed = False

    def _list(self) -> None:
        now = datetime.now(UTC)
        made_after = {"createdAt": {"after": (now - LAG).strftime("%Y-%m-%dT%H:%M:%SZ")}}
        reader = ListReader(self._graph, Listing(LIST, "data.clients", connection("data.clients", size=50)))
        for page in islice(reader.pages({"filter": made_after}), _MOST_PAGES):
            for client in page.records:
                self._clients.setdefault(client["id"], (now, client))
        self._listed = True
