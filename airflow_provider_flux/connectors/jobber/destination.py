"""Writes objects of an account, each record by a mutation of its own, after a look-up: Jobber has no upsert."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_flux.connectors.contract import Verdict, WriteItem
from airflow_provider_flux.connectors.credentials import Credentials
from airflow_provider_flux.connectors.graphql.destination import GraphDestination
from airflow_provider_flux.connectors.jobber import JobberDestinationOptions
from airflow_provider_flux.connectors.jobber.asking import endpoint
from airflow_provider_flux.connectors.jobber.clients import Clients
from airflow_provider_flux.connectors.jobber.jobs import Jobs
from airflow_provider_flux.connectors.lookup import LookupWrites
from airflow_provider_flux.transport.classify import DESTINATION


class JobberDestination(GraphDestination):
    """One object of one account."""

    def __init__(self, options: JobberDestinationOptions, credentials: Credentials) -> None:
        graph = endpoint(credentials, outage=DESTINATION, timeout=options.timeout, connections=options.in_flight)
        super().__init__(options, graph, idempotent=options.mode != "create", can_find=options.key is not None)
        clients = Clients(graph, revive=options.mode == "upsert", replace_lists=options.lists == "replace")
        self._writes = LookupWrites(options, clients if options.object == "clients" else Jobs(graph, clients))

    def write_one(self, item: WriteItem) -> Verdict:
        """Write one record, or archive it."""
        return self._writes.write(item)

    def find(self, items: Sequence[WriteItem]) -> list[str | None]:
        """The id of each record that a search finds."""
        return self._writes.find(items)
